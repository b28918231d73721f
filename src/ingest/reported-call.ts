import type { BilledUsage } from '../domain/billed-usage.ts';
import type { Outcome } from '../domain/usage-record.ts';

/** A call as another instrumentation, or a coding agent, reports it. */
export interface ReportedCall {
  /** `gen_ai.provider.name`, or a name that SDKs use for it. */
  readonly provider: string | undefined;
  readonly operation: string;
  readonly requestModel: string | undefined;
  readonly responseModel?: string | undefined;
  readonly responseId?: string | undefined;
  readonly usage: BilledUsage | undefined;
  readonly durationMs: number | undefined;
  readonly timeToFirstChunkMs?: number | undefined;
  readonly outcome: Outcome;
  readonly errorType?: string | undefined;
  /** The sender's own figure, US dollars. It counts where there is no price here. */
  readonly estimatedCostUsd?: number | undefined;
  readonly serviceTier?: string | undefined;
  readonly agentName?: string | undefined;
}
