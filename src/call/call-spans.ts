import { SpanKind, trace, type Context, type Span } from '@opentelemetry/api';
import { takeModelSpan } from '../agents/invocation-spans.ts';
import { setUsageContext } from '../context.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { quietly } from '../host/quietly.ts';
import { holdEnd } from '../otel/native-span.ts';
import { NO_SPAN, type BegunCall } from './begun-call.ts';
import type { Audience, CallLead, CallStart } from './call-start.ts';
import { requestParameters } from './request-parameters.ts';
import { startAttributes } from './start-attributes.ts';

/** The span of a call, the Context in which it runs, and where its record goes. */
interface PlacedCall<Record> {
  readonly span: Span;
  readonly spanIsForeign: boolean;
  readonly inside: Context;
  readonly onEnd: (ended: EndedCall) => Record;
}

/** Opens the span of a call, or finds the one that the SDK makes itself. */
export function placeCall<Record>(
  start: CallStart,
  begun: BegunCall,
  parent: Context,
  { lead, onEnd }: Audience<Record>,
): PlacedCall<Record> {
  const enriches = lead.nativeSpans === 'enrich';
  const { wrapper, laterNativeSpan, nativeSpan } = start;
  const open = (facts: RequestFacts): Span =>
    openSpan(lead, start, facts, begun.startedAtMs, parent);
  const later = { span: NO_SPAN, spanIsForeign: false };
  if (wrapper !== undefined) {
    return {
      ...later,
      inside: setUsageContext(parent, begun.usageContext),
      onEnd: (ended) => onEnd({ ...ended, span: open(ended.facts) }),
    };
  }
  if (enriches && laterNativeSpan !== undefined) {
    laterNativeSpan.want();
    return {
      ...later,
      inside: parent,
      onEnd: (ended) => {
        const made = laterNativeSpan.get();
        return onEnd({
          ...ended,
          span: made ?? open(ended.facts),
          spanIsForeign: made !== undefined,
        });
      },
    };
  }
  const foreign = enriches ? (nativeSpan ?? takeModelSpan(parent)) : undefined;
  if (foreign !== undefined) holdEnd(foreign);
  const span = foreign ?? open(begun.facts);
  // The span is the parent of what happens inside.
  return {
    span,
    spanIsForeign: foreign !== undefined,
    inside: trace.setSpan(parent, span),
    onEnd,
  };
}

export function openSpan(
  { tracer }: Pick<CallLead, 'tracer'>,
  start: CallStart,
  facts: RequestFacts,
  startedAtMs: number,
  parent: Context,
): Span {
  const span = tracer().startSpan(
    `${start.shape.operation} ${facts.model ?? 'unknown'}`,
    {
      kind: SpanKind.CLIENT,
      startTime: startedAtMs,
      attributes: startAttributes(start, facts),
    },
    parent,
  );
  if (span.isRecording()) {
    quietly('reading request parameters', () =>
      span.setAttributes(requestParameters(start.request, start.provider)),
    );
  }
  return span;
}
