import { trace, type Span } from '@opentelemetry/api';
import { endIfLeftOpen } from '../otel/native-span.ts';
import { activeContext } from '../context.ts';
import { ATTR } from '../otel/semconv.ts';

/** Instrumentations of others that run an SDK's call inside a span of their own. */
const PEERS: ReadonlySet<string> = new Set(['@opentelemetry/instrumentation-openai']);

interface ReadSpan extends Span {
  readonly instrumentationScope?: { readonly name?: string };
  /** SDK 1.x. */
  readonly instrumentationLibrary?: { readonly name?: string };
  readonly attributes?: Readonly<Record<string, unknown>>;
}

/**
 * The span that a peer has opened for this very call: the active one, if it is a peer's and names the
 * model that is asked. One that is not recorded tells nothing of itself; ours is none then either.
 */
export function peerSpanOf(model: unknown): Span | undefined {
  const span = trace.getSpan(activeContext()) as ReadSpan | undefined;
  if (span === undefined) return undefined;
  const scope = (span.instrumentationScope ?? span.instrumentationLibrary)?.name;
  if (scope === undefined || !PEERS.has(scope)) return undefined;
  if (span.attributes?.[ATTR.requestModel] !== model) return undefined;
  endIfLeftOpen(span);
  return span;
}
