import { AsyncLocalStorage } from 'node:async_hooks';
import type { Span } from '@opentelemetry/api';
import { DeferredSpan } from '../../otel/native-span.ts';
import { quietly } from '../../host/quietly.ts';
import { listOf, objectAt, type JsonObject } from '../../tokens/json.ts';

/** Hook of SDK 2 that makes its spans; it keeps the span of a request in the request's hook context. */
interface TracingHook {
  readonly _mistralTracingHook?: unknown;
  readonly tracerProvider?: unknown;
  readonly _telemetryUseGlobalProvider?: unknown;
  readonly _autoTelemetryProvider?: unknown;
}
interface RequestHook {
  beforeRequest(context: JsonObject, request: unknown): unknown;
}
interface Hooks {
  registerBeforeRequestHook(hook: RequestHook): void;
}

const later = new AsyncLocalStorage<DeferredSpan>();
const watched = new WeakSet<object>();
const seen = new WeakSet<object>();

/**
 * Where the SDK's span of the call about to be made will be found; undefined when it makes none that
 * reaches the application: tracing is off, or goes to Mistral (mode `dedicated`). Which provider the SDK
 * uses is partly known only to itself, so a client that has made one span is expected to make the next.
 */
export function expectSpan(resource: object): DeferredSpan | undefined {
  const hooks = objectAt((resource as { readonly _options?: unknown })._options, 'hooks');
  const hook = listOf(hooks?.['beforeRequestHooks']).find(
    (candidate) => (candidate as TracingHook)._mistralTracingHook === true,
  ) as TracingHook | undefined;
  if (hooks === undefined || hook === undefined || hook._autoTelemetryProvider !== undefined) {
    return undefined;
  }
  watchRequests(hooks as unknown as Hooks, hook);
  const expected =
    seen.has(hook) ||
    hook.tracerProvider !== undefined ||
    hook._telemetryUseGlobalProvider === true ||
    process.env['MISTRAL_SDK_TELEMETRY'] === 'global';
  return expected ? new DeferredSpan() : undefined;
}

export function collectSpan<T>(span: DeferredSpan | undefined, fn: () => T): T {
  return span === undefined ? fn() : later.run(span, fn);
}

/** Comes after the SDK's own hook, by the way the SDK has for that. */
function watchRequests(hooks: Hooks, hook: TracingHook): void {
  if (watched.has(hook)) return;
  watched.add(hook);
  hooks.registerBeforeRequestHook({
    beforeRequest(context, request) {
      quietly('watching a request', () => {
        const span = context['_tracingSpan'] as Span | undefined;
        if (span === undefined || hook._autoTelemetryProvider !== undefined) return;
        seen.add(hook);
        later.getStore()?.take(span);
      });
      return request;
    },
  });
}
