import type { Span } from '@opentelemetry/api';
import type { UsageContext } from '../domain/usage-context.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { Reply } from '../domain/reply.ts';
import type { Outcome } from '../domain/usage-record.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { CallWatch } from './layer.ts';
import type { DeferredSpan } from '../otel/native-span.ts';

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
  /** The same for an SDK that makes its span later on. */
  readonly laterNativeSpan?: DeferredSpan | undefined;
  /** Given by a layer that may stand above metered SDKs. */
  readonly outer?: OuterLayer | undefined;
}

/**
 * A layer above SDKs that may be metered themselves. It lends them its user and conversation, and makes
 * a span and a record only when none of them did.
 */
export interface OuterLayer {
  readonly name: 'langchain' | 'ai-sdk' | 'ai-sdk-events' | 'meter-chat';
  readonly watch: CallWatch;
  /** Shares no Context with the layers below: their calls are told by response id or model. */
  readonly apart?: true;
  /** Puts in what only the reply told. */
  readonly amend?: (ended: EndedCall) => EndedCall;
}

/** The end of a call that was not watched. */
export interface FinishedCall {
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly reply: Reply;
  readonly outcome: Outcome;
  readonly errorType?: string | undefined;
}
