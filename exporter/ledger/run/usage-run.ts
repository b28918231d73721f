import type { UsageNumbers } from '../usage-query.ts';

/** Calls of one model that a step made itself: a leaf of the tree. */
export interface UsageRunModel extends UsageNumbers {
  readonly provider: string;
  readonly model: string;
}

/** Calls of a step, or of a whole run. */
interface UsageRunPart {
  /** Start of the first call, RFC 3339. */
  readonly start: string;
  /** End of the last call, RFC 3339. */
  readonly end: string;
  /** From `start` to `end`. */
  readonly elapsedMs: number;
  /** All calls inside, those of steps included. */
  readonly total: UsageNumbers;
  /** Calls that were made here and in no step inside, by model. */
  readonly models: readonly UsageRunModel[];
  /** By `start`. Steps without a model call are in the trace alone. */
  readonly steps: readonly UsageRunStep[];
}

export interface UsageRunStep extends UsageRunPart {
  readonly kind: 'agent' | 'tool' | 'workflow';
  readonly name: string;
  /** Id of the step's span. */
  readonly id: string;
}

/** The sum over all `models` of the tree is `total`. */
export interface UsageRun extends UsageRunPart {
  readonly id: string;
  /** More than 100,000 calls: only the newest ones are here, and in `total`. */
  readonly truncated: boolean;
  /** Calls of steps beyond the first 5,000: they are counted in the step around them. */
  readonly foldedCalls?: number;
}
