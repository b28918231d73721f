import type { CompletionOutput } from '../tokens/index.ts';
import type { ReportedUsage } from './reported-usage.ts';

/** All that was learnt from a reply by the time it ended, in whichever way. */
export interface Reply {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  readonly finishReasons?: readonly string[] | undefined;
  /** The closing event (finish reason, `message_stop`, `response.completed` …) was seen. */
  readonly closed: boolean;
  /** The provider works on: the whole reply is fetched later, by its id. */
  readonly pending?: boolean;
  /** The reply itself reports a failure (`response.failed`): class or code, never the message. */
  readonly failure?: string | undefined;
  /** What was received, one entry a choice; empty when it was not kept or nothing came. */
  readonly outputs: readonly CompletionOutput[];
  readonly conversationId?: string | undefined;
  /** The tier that served the request, as the provider names it. */
  readonly serviceTier?: string | undefined;
  /** US dollars, where the reply itself says what it cost. */
  readonly costUsd?: number | undefined;
}
