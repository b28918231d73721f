import { createContextKey, type Context } from '@opentelemetry/api';

/**
 * One model call may pass several layers that could all meter it (LangChain, AI SDK, the provider's
 * SDK, `meterChat`). The layer that counts marks the Context of the call it makes; layers below see the
 * mark and stay quiet. A layer that only counts when nobody below did leaves a `CallWatch` instead.
 */
const METERED = createContextKey('otel-token-meter metered');
const WATCH = createContextKey('otel-token-meter call watch');

export interface CallWatch {
  /** Calls that a layer below has metered. */
  metered: number;
}

interface WatchLink {
  readonly watch: CallWatch;
  readonly above: WatchLink | undefined;
}

/** A Context with the mark, without the copy of the whole Context that `setValue` makes for each call. */
class MeteredContext implements Context {
  readonly #under: Context;

  constructor(under: Context) {
    this.#under = under;
  }

  getValue(key: symbol): unknown {
    return key === METERED ? true : this.#under.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new MeteredContext(this.#under.setValue(key, value));
  }

  deleteValue(key: symbol): Context {
    return new MeteredContext(this.#under.deleteValue(key));
  }
}

/** Calls started in the returned Context are metered by the caller already. */
export function markMetered(context: Context): Context {
  return new MeteredContext(context);
}

export function isMetered(context: Context): boolean {
  return context.getValue(METERED) === true;
}

/** Whether a layer above counts this call, or will if nobody below does. */
export function isWatchedOrMetered(context: Context): boolean {
  return isMetered(context) || context.getValue(WATCH) !== undefined;
}

/** `watch` counts the calls metered in the returned Context, as do the watches around it. */
export function watchCalls(context: Context, watch: CallWatch): Context {
  const link: WatchLink = { watch, above: watchOf(context) };
  return context.setValue(WATCH, link);
}

export function noteMetered(context: Context): void {
  for (let link = watchOf(context); link !== undefined; link = link.above) link.watch.metered += 1;
}

function watchOf(context: Context): WatchLink | undefined {
  return context.getValue(WATCH) as WatchLink | undefined;
}
