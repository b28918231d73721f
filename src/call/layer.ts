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

/** Calls started in the returned Context are metered by the caller already. */
export function markMetered(context: Context): Context {
  return context.setValue(METERED, true);
}

export function isMetered(context: Context): boolean {
  return context.getValue(METERED) === true;
}

export function watchCalls(context: Context, watch: CallWatch): Context {
  return context.setValue(WATCH, watch);
}

export function noteMetered(context: Context): void {
  const watch = context.getValue(WATCH) as CallWatch | undefined;
  if (watch !== undefined) watch.metered += 1;
}
