import type { Meter, Span, Tracer } from '@opentelemetry/api';
import type { AgentScope } from '../agents/agent-scope.ts';
import type { StepMeter } from '../agents/step-meter.ts';
import type { CallBudgets } from '../domain/call-budgets.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { DeferredSpan } from '../otel/native-span.ts';

/** `never`, fields that name a user outright, or also those that may hold hashes. */
export type RequestIdentity = 'never' | 'plain' | 'all';

/** Of the instrumentation that leads: how calls are read, and where their spans go. */
export interface CallLead {
  readonly tracer: () => Tracer;
  /** `enrich`: where the SDK makes its own span ours is left out and our attributes go on it. */
  readonly nativeSpans: 'enrich' | 'separate';
  readonly requestIdentity: RequestIdentity;
  readonly chunkTimes: 'mean' | 'each';
  readonly steps: StepMeter;
}

/** Who wants the record of a call, as the switches stood when it began. */
export interface Audience<Record = unknown> {
  readonly lead: CallLead;
  readonly tokenStatistics: boolean;
  /** Whether a reply's text is needed, for counting or capture. */
  readonly keepContent: boolean;
  readonly onEnd: (ended: EndedCall) => Record;
  /** Absent while there are none. */
  readonly budgets?: CallBudgets<Record> | undefined;
  /** Where metrics of agents and tools go, each once. */
  readonly meters?: (() => readonly Meter[]) | undefined;
}

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
  /** In place of that of the active Context, where this is not the call's. */
  readonly ambient?: UsageContext | undefined;
  /** The step that goes with `ambient`; absent where there is none. */
  readonly ambientRun?: AgentScope | undefined;
  /** The span the SDK made for this very call, if it makes its own. */
  readonly nativeSpan?: Span | undefined;
  /** The same for an SDK that makes its span later on. */
  readonly laterNativeSpan?: DeferredSpan | undefined;
  /** Most tokens of the reply, where a layer knows it from beside the request. */
  readonly outputLimit?: number | undefined;
  /** The provider works on it already, so that no budget can refuse it: what it used is charged. */
  readonly isUnderway?: boolean;
  /** The application reports the call itself. */
  readonly byHand?: boolean;
  /** Given by a layer around SDKs that may be metered themselves. */
  readonly wrapper?: CallWrapper | undefined;
}

/**
 * A layer that lends the SDKs inside it its user and conversation, and makes a span and a record only
 * when none of them had this call.
 */
interface CallWrapper {
  readonly name: 'langchain' | 'ai-sdk' | 'meter-chat';
  /** A patched SDK makes this call; where none did and no model was asked, a cache replied. */
  readonly onlyLends?: boolean;
  /** Adds what only the reply said. */
  readonly amend?: (ended: EndedCall) => EndedCall;
}

/** The end of a call that was not watched. */
export interface FinishedCall<Record = unknown> extends Pick<
  EndedCall,
  'durationMs' | 'reply' | 'outcome' | 'errorType'
> {
  readonly endedAtMs: number;
  /** Since when an SDK that metered the same call may have started it, by `nowMs()` of the meter. */
  readonly sinceMs: number;
  /** The caller's own account has no response id that could be relied on: the model is enough. */
  readonly byModel?: boolean;
  /** As the switches stood when the call began; now by default. */
  readonly audience?: Audience<Record> | undefined;
}
