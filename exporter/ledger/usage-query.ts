import type { Outcome, UsageRecord } from '../../src/domain/usage-record.ts';

/** What rows can be grouped by. `hour` and `day` are local to the query's time zone. */
export type UsageGroup =
  | 'user'
  | 'model'
  | 'conversation'
  | 'provider'
  | 'outcome'
  | 'service'
  | 'hour'
  | 'day';

/** What rows are ordered by, and what their `share` is a share of. */
export type UsageMetric =
  | 'calls'
  | 'errors'
  | 'inputTokens'
  | 'outputTokens'
  | 'totalTokens'
  | 'cacheReadTokens'
  | 'cacheWriteTokens'
  | 'reasoningTokens'
  | 'costUsd'
  | 'durationMs';

/** Each key narrows; several values of one key widen. `null` means "has none". */
export interface UsageFilter {
  readonly user?: string | null | readonly (string | null)[];
  readonly model?: string | readonly string[];
  readonly conversation?: string | null | readonly (string | null)[];
  readonly provider?: string | readonly string[];
  readonly outcome?: Outcome | readonly Outcome[];
  readonly service?: string | readonly string[];
}

export interface UsageQuery {
  /** Start, included. */
  readonly from: Date;
  /** End, not included. */
  readonly to: Date;
  /** None: the total only. At most one of the two may be `hour` or `day`. */
  readonly groupBy?: readonly UsageGroup[];
  readonly filter?: UsageFilter;
  /** @default 'totalTokens' */
  readonly orderBy?: UsageMetric;
  /** @default 'desc' */
  readonly order?: 'asc' | 'desc';
  /**
   * How many values are named, 1 to 1000; everything else is folded into `(other)`. With a time
   * group it counts the values of the other group, else rows; time buckets themselves are never
   * folded. @default 20
   */
  readonly limit?: number;
  /** IANA name, for the borders of hours and days. @default 'UTC' */
  readonly timeZone?: string;
  /**
   * `'previous'` adds the same numbers of the equally long period just before: to the total, and to
   * rows without a time group. @default 'none'
   */
  readonly compare?: 'none' | 'previous';
  /** Adds the p50, p95 and p99 numbers: they need every call read, not only sums. @default false */
  readonly percentiles?: boolean;
  /** Adds the number of different users and conversations to the total. @default false */
  readonly distinct?: boolean;
  /** Ends the query; the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Numbers of a set of calls. Absent means that no call of the set told it: no sum of unknowns is 0.
 */
export interface UsageNumbers {
  readonly calls: number;
  readonly errors: number;
  readonly aborted: number;
  /** Share of calls, 0 to 1. */
  readonly errorRate: number;
  /** Share of calls, 0 to 1. */
  readonly abortRate: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly totalTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
  /** Cached share of the input tokens, 0 to 1. */
  readonly cacheReadShare?: number;
  /** US dollars in whole nano-dollars: the sum over the calls whose price is known. */
  readonly costUsd?: number;
  /** Calls with token counts but without a price: not part of `costUsd`. */
  readonly unpricedCalls: number;
  /** Calls of which a billed part has no price: where there are any, `costUsd` is the least that was paid. */
  readonly partialCostCalls: number;
  /** Calls with at least one token count. */
  readonly countedCalls: number;
  /** Share of the counted calls whose tokens were estimated, 0 to 1. */
  readonly estimatedShare?: number;
  /** Sum over the calls; the mean is `durationMs / calls`. */
  readonly durationMs: number;
  /** Nearest rank, within 1 %. */
  readonly durationP50Ms?: number;
  readonly durationP95Ms?: number;
  readonly durationP99Ms?: number;
  /** Mean over the streams that told it. */
  readonly timeToFirstChunkMs?: number;
  /** Nearest rank, within 1 %. */
  readonly timeToFirstChunkP50Ms?: number;
  readonly timeToFirstChunkP95Ms?: number;
  readonly timeToFirstChunkP99Ms?: number;
  /** Output tokens per second of duration, over the calls whose output tokens are known. */
  readonly outputTokensPerSecond?: number;
}

/** Only the keys of the query's groups are present; `null` means that the calls have none. */
export interface UsageKey {
  readonly user?: string | null;
  readonly model?: string;
  readonly conversation?: string | null;
  readonly provider?: string;
  readonly outcome?: Outcome;
  readonly service?: string;
  /** Local start with its offset, `2026-10-25T02:00+01:00`. */
  readonly hour?: string;
  /** Local date, `2026-10-25`. */
  readonly day?: string;
}

export interface UsageRow extends Omit<UsageKey, 'outcome'>, UsageNumbers {
  readonly outcome?: string;
  /** With a time group: start of the bucket, RFC 3339 in UTC. */
  readonly start?: string;
  /** Marks the row of everything beyond `limit`; its non-time keys read `(other)`. */
  readonly isOther?: true;
  /** Share of the total in the metric of `orderBy`, 0 to 1; absent when the total is 0 or unknown. */
  readonly share?: number;
  /** The period before; absent when it had no such calls. */
  readonly previous?: UsageNumbers;
}

export interface UsageTotal extends UsageNumbers {
  /** Present when asked for with `distinct`. */
  readonly users?: number;
  /** Present when asked for with `distinct`. */
  readonly conversations?: number;
}

export interface UsageSummary {
  readonly from: string;
  readonly to: string;
  readonly groupBy: readonly UsageGroup[];
  /**
   * With a time group ordered by time, then by the metric; else by the metric. Buckets and keys
   * without a call have no row. `(other)` rows come last (of their bucket).
   */
  readonly rows: readonly UsageRow[];
  /** Everything beyond `limit` over the whole range; absent when nothing is. */
  readonly other?: UsageNumbers;
  readonly total: UsageTotal;
  /** The total of the period before, with `compare: 'previous'`. */
  readonly previous?: UsageTotal;
}

export interface UsageRecordsQuery {
  /** Start, included. @default the oldest record */
  readonly from?: Date;
  /** End, not included. @default the newest record */
  readonly to?: Date;
  readonly filter?: UsageFilter;
  /** Records a page, 1 to 1000. @default 100 */
  readonly limit?: number;
  /** `cursor` of the page before; the other members must be the same. */
  readonly cursor?: string;
  readonly signal?: AbortSignal;
}

/** Newest first. */
export interface UsagePage {
  readonly records: readonly UsageRecord[];
  /** Opaque; absent on the last page. New records do not move a page that follows. */
  readonly cursor?: string;
}

export interface UsageConversation {
  readonly id: string;
  /** Oldest first; of a longer conversation the newest 1000. */
  readonly records: readonly UsageRecord[];
  /** True when older records were left out. */
  readonly truncated: boolean;
  /** Over all of its calls, percentiles included; absent when there is no such conversation. */
  readonly total?: UsageNumbers;
}

/**
 * Answers over the ledger. Memory stays bounded for any range, and nothing runs on the caller's
 * event loop longer than a page takes. Every method rejects with `TokenMeterError`:
 * `INVALID_OPTION` for a bad query, `DATABASE_UNAVAILABLE`, `BACKEND_UNREACHABLE` or
 * `BACKEND_REFUSED` when the store does not answer.
 */
export interface UsageReader {
  summary(query: UsageQuery): Promise<UsageSummary>;
  records(query?: UsageRecordsQuery): Promise<UsagePage>;
  conversation(id: string, options?: { readonly signal?: AbortSignal }): Promise<UsageConversation>;
  close(): Promise<void>;
}
