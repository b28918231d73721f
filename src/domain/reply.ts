import type { CompletionOutput } from '../tokens/index.ts';
import type { ReportedUsage } from './reported-usage.ts';

/** What another model used for a reply. The provider bills it by itself, at the prices of that model. */
export interface OtherModelUse {
  /** `gen_ai.operation.name`. */
  readonly operation: string;
  /** Undefined where the reply does not say which one it was. */
  readonly model: string | undefined;
  readonly usage: ReportedUsage;
}

/** What was read from a reply by the time it ended. */
export interface Reply {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  /** One for each choice that has begun; undefined where it was cut. */
  readonly finishReasons?: readonly (string | undefined)[] | undefined;
  /** The closing event (finish reason, `message_stop`, `response.completed` …) was seen. */
  readonly closed: boolean;
  /** The provider is still working: the reply is fetched later, by its id. */
  readonly pending?: boolean;
  /** Cancelled by the caller or expired at the provider: whole, but not what was asked for. */
  readonly cancelled?: boolean;
  /** Failure reported in the reply (`response.failed`): class or code, never the message. */
  readonly failure?: string | undefined;
  /** Received output, one entry per choice. Empty when it was not kept or nothing arrived. */
  readonly outputs: readonly CompletionOutput[];
  readonly conversationId?: string | undefined;
  /** The tier that served the request, as the provider names it. */
  readonly serviceTier?: string | undefined;
  /** OpenAI's name for the configuration that answered. */
  readonly systemFingerprint?: string | undefined;
  /** The provider answered from a summary of the conversation instead of all of it. */
  readonly isCompacted?: boolean | undefined;
  /** Facts that prices depend on and no count holds: region, size and quality of images. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
  /** Each is a record of its own. */
  readonly others?: readonly OtherModelUse[] | undefined;
  /** US dollars, where the reply itself says what it cost. */
  readonly costUsd?: number | undefined;
}
