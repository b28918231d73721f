import { SpanKind, type Span, type Tracer } from '@opentelemetry/api';
import { activeContext, mergeUsage, usageContextOf, type UsageContext } from '../context.ts';
import type { CallShape, RequestFacts } from '../providers/provider.ts';
import { startAttributes } from '../usage/emit/span.ts';
import { UnreadReplies } from './abandoned.ts';
import { ChatCall, type EndedCall } from './chat-call.ts';
import type { Clock } from './clock.ts';
import { isMetered, noteMetered } from './layer.ts';
import { quietly } from './quietly.ts';

export interface CallStart {
  /** `gen_ai.provider.name`. */
  readonly provider: string;
  readonly shape: CallShape;
  /** The request as the SDK got it. Never changed. */
  readonly request: unknown;
  /** Model asked for, where it is not in the request (Bedrock, Gemini chats, manual calls). */
  readonly model?: string | undefined;
  readonly serverAddress?: string | undefined;
  readonly serverPort?: number | undefined;
  /** User, conversation, attributes the layer knows itself; wins over the ambient ones. */
  readonly usageContext?: UsageContext | undefined;
  /** The span the SDK made for this very call, if it makes its own. */
  readonly nativeSpan?: Span | undefined;
}

export interface MeterSwitches {
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
  readonly onEnd: (ended: EndedCall) => void;
}

const NO_FACTS: RequestFacts = {};

/** Starts calls: where every provider's patch and the manual wrapper come together. */
export class CallMeter {
  readonly unread: UnreadReplies = new UnreadReplies();
  readonly #options: CallMeterOptions;

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

  #start(start: CallStart): ChatCall | undefined {
    const { clock, tracer, switches, keepContent, requestIdentity, nativeSpans, onEnd } =
      this.#options;
    const { enabled, tokenStatistics } = switches();
    if (!enabled) return undefined;
    const parent = activeContext();
    if (isMetered(parent)) return undefined;
    noteMetered(parent);

    const read = quietly('reading a request', () => start.shape.request(start.request)) ?? NO_FACTS;
    const facts = start.model === undefined ? read : { ...read, model: start.model };
    const keep = keepContent && tokenStatistics;
    const startedAtMs = clock.wallMs();
    const ambient = usageContextOf(parent);
    const foreign = nativeSpans === 'enrich' ? start.nativeSpan : undefined;
    const span =
      foreign ??
      tracer().startSpan(
        `${start.shape.operation} ${facts.model ?? 'unknown'}`,
        {
          kind: SpanKind.CLIENT,
          startTime: startedAtMs,
          attributes: startAttributes(start, facts),
        },
        parent,
      );
    return new ChatCall({
      provider: start.provider,
      shape: start.shape,
      facts,
      request: keep ? snapshot(start.request) : undefined,
      serverAddress: start.serverAddress,
      serverPort: start.serverPort,
      usageContext: mergeUsage(
        identityOf(facts, requestIdentity),
        start.usageContext === undefined ? ambient : mergeUsage(ambient, start.usageContext),
      ),
      span,
      spanIsForeign: foreign !== undefined,
      parent,
      tokenStatistics,
      reader: start.shape.reader({ usage: tokenStatistics, output: keep }),
      clock,
      startedAtMs,
      unread: this.unread,
      onEnd,
    });
  }
}

function identityOf(facts: RequestFacts, how: 'never' | 'plain' | 'all'): UsageContext {
  if (how === 'never') return {};
  const all = how === 'all';
  return {
    userId: facts.userId ?? (all ? facts.opaqueUserId : undefined),
    conversationId: facts.conversationId ?? (all ? facts.opaqueConversationId : undefined),
  };
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
    if (Array.isArray(value)) copy[key] = [...(value as unknown[])];
  }
  return copy;
}
