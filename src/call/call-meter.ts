import {
  INVALID_SPAN_CONTEXT,
  SpanKind,
  trace,
  type Context,
  type Span,
  type Tracer,
} from '@opentelemetry/api';
import {
  activeContext,
  mergeUsage,
  NO_USAGE_CONTEXT,
  setUsageContext,
  usageContextOf,
} from '../context.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { RequestFacts } from '../domain/request-facts.ts';
import { requestParameters } from './request-parameters.ts';
import { startAttributes } from './start-attributes.ts';
import { OpenReplies } from './abandoned.ts';
import { BackgroundCalls } from './background-calls.ts';
import type { CallStart, FinishedCall, OuterLayer } from './call-start.ts';
import { ChatCall, type ChatCallParts } from './chat-call.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { Clock } from './clock.ts';
import { isMetered, markMetered, noteMetered, watchCalls } from './layer.ts';
import { holdEnd } from '../otel/native-span.ts';
import { quietly } from '../host/quietly.ts';
import { RecentCalls, type CallTrace } from './recent-calls.ts';

interface MeterSwitches {
  readonly enabled: boolean;
  readonly tokenStatistics: boolean;
}

export interface CallMeterOptions {
  readonly clock: Clock;
  readonly tracer: () => Tracer;
  readonly switches: () => MeterSwitches;
  /** Whether a reply's text is needed, for counting or capture. */
  readonly keepContent: boolean;
  /** `never`, fields that name a user outright, or also those that may hold hashes. */
  readonly requestIdentity: 'never' | 'plain' | 'all';
  /** `enrich`: where the SDK makes its own span ours is left out and our attributes go on it. */
  readonly nativeSpans: 'enrich' | 'separate';
  readonly chunkTimes: 'mean' | 'each';
  readonly onEnd: (ended: EndedCall) => void;
}

/** Within this time `recordUsage` with the response id of a metered call means that call. */
const TOLD_AGAIN_MS = 60_000;

const NO_FACTS: RequestFacts = {};
const NO_SPAN = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

/** Starts calls: where every provider's patch and the manual wrapper come together. */
export class CallMeter {
  readonly open: OpenReplies = new OpenReplies();
  readonly background: BackgroundCalls<ChatCall> = new BackgroundCalls();
  readonly #options: CallMeterOptions;
  readonly #recent = new RecentCalls();

  constructor(options: CallMeterOptions) {
    this.#options = options;
  }

  /**
   * Undefined when metering is off or an outer layer already meters this call: then the SDK's function
   * is to be called straight through.
   */
  start(start: CallStart): ChatCall | undefined {
    return quietly('starting a call', () => this.#start(start));
  }

  /**
   * A call that is over already: the caller told of it. Undefined when metering is off, and for a reply
   * that was metered a moment ago.
   */
  finished(start: CallStart, end: FinishedCall): EndedCall | undefined {
    return quietly('taking a finished call', () => {
      const { enabled, tokenStatistics } = this.#options.switches();
      if (!enabled) return undefined;
      const { responseId } = end.reply;
      const sinceMs = this.#options.clock.monotonicMs() - TOLD_AGAIN_MS;
      if (responseId !== undefined && this.#recent.take({ responseId, sinceMs })) return undefined;
      const parent = activeContext();
      noteMetered(parent);
      const { facts, usageContext } = this.#describe(start, parent);
      const startedAtMs = end.endedAtMs - end.durationMs;
      return {
        provider: start.provider,
        shape: start.shape,
        facts,
        request: this.#options.keepContent ? start.request : undefined,
        serverAddress: start.serverAddress,
        serverPort: start.serverPort,
        usageContext,
        span: this.#openSpan(start, facts, startedAtMs, parent),
        spanIsForeign: false,
        startedAtMs,
        durationMs: end.durationMs,
        timeToFirstChunkMs: undefined,
        chunkGapsMs: [],
        outcome: end.outcome,
        errorType: end.errorType,
        reply: end.reply,
        replied: true,
        tokenStatistics,
      };
    });
  }

  #start(start: CallStart): ChatCall | undefined {
    const { clock, switches, keepContent, nativeSpans, onEnd } = this.#options;
    const { enabled, tokenStatistics } = switches();
    if (!enabled) return undefined;
    const parent = activeContext();
    if (isMetered(parent)) return undefined;

    const { facts, usageContext } = this.#describe(start, parent);
    const keep = keepContent && tokenStatistics;
    const startedAtMs = clock.wallMs();
    const startedMs = clock.monotonicMs();
    const parts: ChatCallParts = {
      provider: start.provider,
      shape: start.shape,
      facts,
      request: keep ? snapshot(start.request) : undefined,
      serverAddress: start.serverAddress,
      serverPort: start.serverPort,
      usageContext,
      tokenStatistics,
      reader: start.shape.reader({ usage: tokenStatistics, output: keep }),
      clock,
      eachChunk: this.#options.chunkTimes === 'each',
      startedAtMs,
      startedMonotonicMs: startedMs,
      open: this.open,
      background: this.background,
    };
    const { outer } = start;
    if (outer !== undefined) {
      return new ChatCall(parts, {
        span: NO_SPAN,
        spanIsForeign: false,
        inside: setUsageContext(watchCalls(parent, outer.watch), usageContext),
        onEnd: (ended) => {
          if (outer.watch.metered > 0 || this.#seenBelow(ended, outer, startedMs)) return;
          noteMetered(parent);
          this.#recent.add({ ...traceOf(ended, startedMs), layer: outer.name });
          const amended = outer.amend?.(ended) ?? ended;
          onEnd({ ...amended, span: this.#openSpan(start, amended.facts, startedAtMs, parent) });
        },
      });
    }
    noteMetered(parent);
    const { laterNativeSpan } = start;
    if (nativeSpans === 'enrich' && laterNativeSpan !== undefined) {
      laterNativeSpan.want();
      return new ChatCall(parts, {
        span: NO_SPAN,
        spanIsForeign: false,
        inside: markMetered(parent),
        onEnd: (ended) => {
          this.#recent.add(traceOf(ended, startedMs));
          const made = laterNativeSpan.get();
          const span = made ?? this.#openSpan(start, facts, startedAtMs, parent);
          onEnd({ ...ended, span, spanIsForeign: made !== undefined });
        },
      });
    }
    const foreign = nativeSpans === 'enrich' ? start.nativeSpan : undefined;
    if (foreign !== undefined) holdEnd(foreign);
    const span = foreign ?? this.#openSpan(start, facts, startedAtMs, parent);
    return new ChatCall(parts, {
      span,
      spanIsForeign: foreign !== undefined,
      // The span is the parent of what happens inside, and layers inside stay quiet.
      inside: markMetered(parent, span),
      onEnd: (ended) => {
        this.#recent.add(traceOf(ended, startedMs));
        onEnd(ended);
      },
    });
  }

  /** Whether a layer below has metered a call of which the outer layer's Context never heard. */
  #seenBelow(ended: EndedCall, outer: OuterLayer, sinceMs: number): boolean {
    const { responseId } = ended.reply;
    const model = outer.apart === true ? ended.facts.model : undefined;
    return this.#recent.take({ responseId, model, layer: outer.name, sinceMs });
  }

  #describe(
    start: CallStart,
    parent: Context,
  ): { readonly facts: RequestFacts; readonly usageContext: UsageContext } {
    const read = quietly('reading a request', () => start.shape.request(start.request)) ?? NO_FACTS;
    const ambient = usageContextOf(parent);
    return {
      facts: start.model === undefined ? read : { ...read, model: start.model },
      usageContext: mergeUsage(
        identityOf(read, this.#options.requestIdentity),
        start.usageContext === undefined ? ambient : mergeUsage(ambient, start.usageContext),
      ),
    };
  }

  #openSpan(start: CallStart, facts: RequestFacts, startedAtMs: number, parent: Context): Span {
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
        span.setAttributes(requestParameters(start.request)),
      );
    }
    return span;
  }
}

function traceOf(ended: EndedCall, startedMs: number): CallTrace {
  const { reply, facts } = ended;
  return {
    responseId: reply.responseId,
    requestModel: facts.model,
    responseModel: reply.responseModel,
    startedMs,
  };
}

function identityOf(facts: RequestFacts, how: 'never' | 'plain' | 'all'): UsageContext {
  if (how === 'never') return NO_USAGE_CONTEXT;
  const all = how === 'all';
  const userId = facts.userId ?? (all ? facts.opaqueUserId : undefined);
  const conversationId = facts.conversationId ?? (all ? facts.opaqueConversationId : undefined);
  return userId === undefined && conversationId === undefined
    ? NO_USAGE_CONTEXT
    : { userId, conversationId };
}

/**
 * The caller may push the answer onto his own message list before it is counted, so lists are copied
 * (not what is in them).
 */
function snapshot(request: unknown): unknown {
  if (typeof request !== 'object' || request === null) return request;
  if (Array.isArray(request)) return [...request];
  const copy: Record<string, unknown> = { ...request };
  for (const key in copy) {
    const value = copy[key];
    if (Array.isArray(value)) copy[key] = (value as unknown[]).slice();
  }
  return copy;
}
