import type { UsageUnit } from '../../src/domain/billed-usage.ts';
import type { Outcome, UsageRecord } from '../../src/domain/usage-record.ts';

/** A dimension that the configuration names, as a key: `dimension.feature`. */
export type DimensionKey = `dimension.${string}`;

/** Keys to group by. `error` is the class of a failed call. `hour` and `day` are local to the query's time zone. */
export type UsageGroup =
  | 'user'
  | 'model'
  | 'conversation'
  | 'provider'
  | 'outcome'
  | 'service'
  | 'team'
  | 'error'
  | 'agent'
  | 'run'
  | 'tool'
  | DimensionKey
  | 'hour'
  | 'day';

/** Metric that rows are ordered by and that `share` refers to. */
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

/**
 * Keys are combined with AND, the values of a key with OR. `null` matches calls without a value.
 */
export interface UsageFilter {
  readonly user?: string | null | readonly (string | null)[];
  readonly model?: string | readonly string[];
  readonly conversation?: string | null | readonly (string | null)[];
  readonly provider?: string | readonly string[];
  readonly outcome?: Outcome | readonly Outcome[];
  readonly service?: string | readonly string[];
  readonly team?: string | null | readonly (string | null)[];
  /** Classes of errors, such as `rate_limit`. */
  readonly error?: string | null | readonly (string | null)[];
  /** Agents, runs of agents, and tools that calls were made in. Only the calls themselves answer: no roll-up has them. */
  readonly agent?: string | null | readonly (string | null)[];
  readonly run?: string | null | readonly (string | null)[];
  readonly tool?: string | null | readonly (string | null)[];
  /** By name: `{ feature: ['search', null] }`. */
  readonly dimensions?: Readonly<Record<string, string | null | readonly (string | null)[]>>;
}

export interface UsageQuery {
  /** Start, inclusive. */ readonly from: Date;
  /** End, exclusive. */ readonly to: Date;
  /**
   * Up to two keys, at most one of them `hour` or `day`. Without keys only the total is returned.
   */
  readonly groupBy?: readonly UsageGroup[];
  readonly filter?: UsageFilter;
  /** @default 'totalTokens' */
  readonly orderBy?: UsageMetric;
  /** @default 'desc' */
  readonly order?: 'asc' | 'desc';
  /**
   * Number of values, 1 to 1000, and up to 100,000 without a time group and percentiles; all others are
   * summed up in `(other)`. With a time group this is
   * the number of values of the other group, otherwise the number of rows. Time buckets are never
   * merged. @default 20
   */
  readonly limit?: number;
  /** IANA time zone of hours and days. @default 'UTC' */
  readonly timeZone?: string;
  /**
   * `'previous'` adds the numbers of the preceding period of equal length, to the total and to rows
   * without a time group. @default 'none'
   */
  readonly compare?: 'none' | 'previous';
  /** Adds p50, p95 and p99, which requires reading every call. @default false */
  readonly percentiles?: boolean;
  /** Adds the number of distinct users and conversations to the total. @default false */
  readonly distinct?: boolean;
  /** Who asks, such as a session: questions of one person never take all threads of a reader. */
  readonly askedBy?: string;
  /** Aborts the query. The promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * Numbers of a set of calls. Absent means that no call has a value: a sum of unknown values is not
 * 0.
 */
export interface UsageNumbers {
  readonly calls: number;
  readonly errors: number;
  readonly aborted: number;
  /** Calls that a budget refused. They are part of `calls`, and of no rate. */
  readonly blocked: number;
  /** Share of the calls that were made, 0 to 1. */
  readonly errorRate: number;
  /** Share of the calls that were made, 0 to 1. */
  readonly abortRate: number;
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  readonly totalTokens?: number;
  readonly cacheReadTokens?: number;
  readonly cacheWriteTokens?: number;
  readonly reasoningTokens?: number;
  /** Share of cached tokens in the input, 0 to 1. */
  readonly cacheReadShare?: number;
  /** US dollars, rounded to whole nano-dollars: the sum over calls with a known price. */
  readonly costUsd?: number;
  /** Calls with token counts but without a price, which are not part of `costUsd`. */
  readonly unpricedCalls: number;
  /** Calls of which a billed part has no price: where there are any, `costUsd` is the least that was paid. */
  readonly partialCostCalls: number;
  /** Calls with at least one token count. */
  readonly countedCalls: number;
  /** Share of calls with estimated tokens among those with token counts, 0 to 1. */
  readonly estimatedShare?: number;
  /** Sum over the calls; the mean is `durationMs / calls`. */
  readonly durationMs: number;
  /** Nearest rank, within 1 %. */
  /** Over calls whose duration is known: results of a batch have 0. */
  readonly durationP50Ms?: number;
  readonly durationP95Ms?: number;
  readonly durationP99Ms?: number;
  /** Mean over the streams that have it. */
  readonly timeToFirstChunkMs?: number;
  /** Nearest rank, within 1 %. */
  readonly timeToFirstChunkP50Ms?: number;
  readonly timeToFirstChunkP95Ms?: number;
  readonly timeToFirstChunkP99Ms?: number;
  /** Output tokens per second of duration, over calls with known output tokens. */
  readonly outputTokensPerSecond?: number;
  /** Sums of what is not counted in tokens, by kind: images, seconds of audio, characters, searches, pages. */
  readonly units?: Readonly<Partial<Record<UsageUnit, number>>>;
}

/** Contains only the keys of the query's groups. `null` stands for calls without a value. */
export interface UsageKey {
  readonly user?: string | null;
  readonly model?: string;
  readonly conversation?: string | null;
  readonly provider?: string;
  readonly outcome?: Outcome;
  readonly service?: string;
  readonly team?: string | null;
  readonly error?: string | null;
  readonly agent?: string | null;
  readonly run?: string | null;
  readonly tool?: string | null;
  readonly [dimension: DimensionKey]: string | null;
  /** Local start with its offset, `2026-10-25T02:00+01:00`. */
  readonly hour?: string;
  /** Local date, `2026-10-25`. */
  readonly day?: string;
}

export interface UsageRow extends Omit<UsageKey, 'outcome'>, UsageNumbers {
  readonly outcome?: string;
  /** With a time group: start of the bucket, RFC 3339 in UTC. */
  readonly start?: string;
  /** Marks the row of everything beyond `limit`, whose keys other than time are `(other)`. */
  readonly isOther?: true;
  /** Share of the total of the `orderBy` metric, 0 to 1. Absent when the total is 0 or unknown. */
  readonly share?: number;
  /** Numbers of the previous period; absent when it had no such calls. */
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
   * Ordered by time, if grouped by time, then by the metric. Buckets and keys without calls have no
   * row. The `(other)` row is the last one (of its bucket).
   */
  readonly rows: readonly UsageRow[];
  /** Sum of everything beyond `limit` over the whole range; absent when there is nothing. */
  readonly other?: UsageNumbers;
  readonly total: UsageTotal;
  /** Total of the previous period, with `compare: 'previous'`. */
  readonly previous?: UsageTotal;
  /**
   * Parts of the range, or of the previous period, of which the numbers lack calls: they are no longer kept, and sums
   * do not answer this question. Absent where there are none.
   */
  readonly missing?: readonly UsageRange[];
}

/** RFC 3339 in UTC; `to` is exclusive. */
export interface UsageRange {
  readonly from: string;
  readonly to: string;
}

export interface UsageRecordsQuery {
  /** Start, inclusive. @default the oldest record */
  readonly from?: Date;
  /** End, exclusive. @default the newest record */
  readonly to?: Date;
  readonly filter?: UsageFilter;
  /** Records per page, 1 to 1000. @default 100 */
  readonly limit?: number;
  /** `cursor` of the previous page. The other members must be unchanged. */
  readonly cursor?: string;
  /** As in `UsageQuery`. */
  readonly askedBy?: string;
  readonly signal?: AbortSignal;
}

/** Newest first. */
export interface UsagePage {
  readonly records: readonly UsageRecord[];
  /** Opaque; absent on the last page. New records do not shift the following pages. */
  readonly cursor?: string;
}

export interface UsageConversation {
  readonly id: string;
  /** The newest 1000 records, oldest first. */
  readonly records: readonly UsageRecord[];
  /** True when older records were left out. */
  readonly truncated: boolean;
  /**
   * Over all calls of the conversation, including percentiles; absent for an unknown conversation.
   */
  readonly total?: UsageNumbers;
}

/**
 * Queries the ledger. Memory is bounded for any range, and no operation blocks the event loop for
 * longer than a page takes. Every method rejects with `TokenMeterError`: `INVALID_OPTION` for a bad
 * query, `DATABASE_UNAVAILABLE`, `BACKEND_UNREACHABLE` or `BACKEND_REFUSED` when the store does not
 * answer.
 */
export interface UsageReader {
  summary(query: UsageQuery): Promise<UsageSummary>;
  records(query?: UsageRecordsQuery): Promise<UsagePage>;
  conversation(
    id: string,
    options?: { readonly askedBy?: string; readonly signal?: AbortSignal },
  ): Promise<UsageConversation>;
  close(): Promise<void>;
}
