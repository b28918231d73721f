import { createContextKey, trace, type Context, type Span } from '@opentelemetry/api';

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

/** Under which the API keeps the span of a Context; it names the key to none, but asks for it. */
const SPAN = spanKey();

function spanKey(): symbol | undefined {
  let asked: symbol | undefined;
  const probe: Context = {
    getValue: (key) => void (asked = key),
    setValue: () => probe,
    deleteValue: () => probe,
  };
  trace.getSpan(probe);
  return asked;
}

/** A Context with mark and span, without the copies of all of it that `setValue` makes for each call. */
class MeteredContext implements Context {
  readonly #under: Context;
  readonly #span: Span | undefined;

  constructor(under: Context, span: Span | undefined) {
    this.#under = under;
    this.#span = span;
  }

  getValue(key: symbol): unknown {
    if (key === METERED) return true;
    return key === SPAN && this.#span !== undefined ? this.#span : this.#under.getValue(key);
  }

  setValue(key: symbol, value: unknown): Context {
    return new MeteredContext(this.#whole().setValue(key, value), undefined);
  }

  deleteValue(key: symbol): Context {
    return new MeteredContext(this.#whole().deleteValue(key), undefined);
  }

  #whole(): Context {
    return this.#span === undefined ? this.#under : trace.setSpan(this.#under, this.#span);
  }
}

/**
 * Calls started in the returned Context are metered by the caller already. `span` becomes its active
 * span.
 */
export function markMetered(context: Context, span?: Span): Context {
  return SPAN === undefined && span !== undefined
    ? new MeteredContext(trace.setSpan(context, span), undefined)
    : new MeteredContext(context, span);
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
