import { SpanKind, trace, type Context, type Span, type Tracer } from '@opentelemetry/api';
import { takeModelSpan } from '../agents/invocation-spans.ts';
import { setUsageContext } from '../context.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { quietly } from '../host/quietly.ts';
import { holdEnd } from '../otel/native-span.ts';
import { NO_SPAN, type BegunCall } from './begun-call.ts';
import type { Audience, CallStart } from './call-start.ts';
import { requestParameters } from './request-parameters.ts';
import { startAttributes } from './start-attributes.ts';

/** The span of a call, the Context in which it runs, and where its record goes. */
interface PlacedCall<Record> {
  readonly span: Span;
  readonly spanIsForeign: boolean;
  readonly inside: Context;
  readonly onEnd: (ended: EndedCall) => Record;
}

export interface CallSpansOptions {
  readonly tracer: () => Tracer;
  /** `enrich`: where the SDK makes its own span ours is left out and our attributes go on it. */
  readonly nativeSpans: 'enrich' | 'separate';
}

/** Opens spans of calls, or finds those that the SDKs make themselves. */
export class CallSpans {
  readonly #options: CallSpansOptions;

  constructor(options: CallSpansOptions) {
    this.#options = options;
  }

  place<Record>(
    start: CallStart,
    begun: BegunCall,
    parent: Context,
    { onEnd }: Audience<Record>,
  ): PlacedCall<Record> {
    const enriches = this.#options.nativeSpans === 'enrich';
    const { wrapper, laterNativeSpan, nativeSpan } = start;
    const open = (facts: RequestFacts): Span => this.open(start, facts, begun.startedAtMs, parent);
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

  open(start: CallStart, facts: RequestFacts, startedAtMs: number, parent: Context): Span {
    const span = this.#options.tracer().startSpan(
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
}
