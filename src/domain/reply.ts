import type { CompletionOutput } from '../tokens/index.ts';
import type { ReportedUsage } from './reported-usage.ts';

/** What is known of a reply by the time it ended, in whichever way. */
export interface Reply {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  /** The closing event (finish reason, `message_stop`, `response.completed` …) was seen. */
  readonly closed: boolean;
  /** The provider works on: the whole reply is fetched later, by its id. */
  readonly pending?: boolean;
  /** Stopped at the caller's wish, or given up by the provider: whole, but not what was asked for. */
  readonly cancelled?: boolean;
  /** The reply itself reports a failure (`response.failed`): class or code, never the message. */
  readonly failure?: string | undefined;
  /** What was received, one entry a choice; empty when it was not kept or nothing came. */
  readonly outputs: readonly CompletionOutput[];
  readonly conversationId?: string | undefined;
}
