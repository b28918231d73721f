import { isDimensionName } from '../../../src/domain/dimensions.ts';
import { TokenMeterError } from '../../../src/errors.ts';
import type {
  UsageFilter,
  UsageGroup,
  UsageMetric,
  UsageQuery,
  UsageRecordsQuery,
} from '../usage-query.ts';
import { dimensionKey, isDimensionKey } from './dimension-key.ts';
import { TimeZone } from './time-zone.ts';

/** Those of every ledger; dimensions of the configuration come beside them. */
const GROUPS: readonly UsageGroup[] = [
  'user',
  'model',
  'conversation',
  'provider',
  'outcome',
  'service',
  'team',
  'error',
  'agent',
  'run',
  'tool',
  'hour',
  'day',
];

const METRICS: readonly UsageMetric[] = [
  'calls',
  'errors',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costUsd',
  'durationMs',
];

export type Dimension = Exclude<UsageGroup, 'hour' | 'day'>;
type TimeUnit = 'hour' | 'day';

/** Maximum size of a result: buckets times named values. */
const MAX_CELLS = 200_000;
const MAX_LIMIT = 1000;
/** Of a summary without a time group and percentiles. */
const MAX_ROWS = 100_000;
const UNIT_MS: Readonly<Record<TimeUnit, number>> = { hour: 3_600_000, day: 86_400_000 };

/** Accepted values of a dimension; `null` stands for calls without one. */
export type Filters = readonly {
  readonly dimension: Dimension;
  readonly values: readonly (string | null)[];
}[];

/** A validated query with defaults applied. */
export interface CheckedQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly groupBy: readonly UsageGroup[];
  readonly dimensions: readonly Dimension[];
  readonly unit: TimeUnit | undefined;
  readonly filters: Filters;
  readonly orderBy: UsageMetric;
  readonly ascending: boolean;
  readonly limit: number;
  readonly zone: TimeZone;
  readonly compare: boolean;
  readonly percentiles: boolean;
  readonly distinct: boolean;
}

function refuse(name: string, value: unknown, allowed: string): never {
  throw new TokenMeterError('INVALID_OPTION', `query: ${name} must be ${allowed}`, {
    value,
    allowed,
  });
}

/** Ledgers store nanoseconds in 64 bits, which covers the years 1970 to 2262. */
const LAST_MS = 9_223_372_036_854;

function instant(name: string, value: unknown): number {
  const time = value instanceof Date ? value.getTime() : Number.NaN;
  if (Number.isNaN(time)) refuse(name, value, 'a valid Date');
  return Math.min(Math.max(time, 0), LAST_MS);
}

function limitOf(value: number | undefined, fallback: number, maximum = MAX_LIMIT): number {
  if (value === undefined) return fallback;
  if (Number.isInteger(value) && value >= 1 && value <= maximum) return value;
  return refuse('limit', value, `a whole number from 1 to ${maximum}`);
}

function oneOf<T extends string>(name: string, value: T | undefined, all: readonly T[]): T {
  if (value !== undefined && all.includes(value)) return value;
  return refuse(name, value, `one of ${all.join(', ')}`);
}

function groupOf(key: UsageGroup): UsageGroup {
  if (GROUPS.includes(key) || isDimensionKey(key)) return key;
  return refuse('groupBy', key, `one of ${GROUPS.join(', ')}, or dimension. and a name`);
}

const FILTERS = [
  'user',
  'model',
  'conversation',
  'provider',
  'outcome',
  'service',
  'team',
  'error',
  'agent',
  'run',
  'tool',
] as const;

type Wanted = UsageFilter[(typeof FILTERS)[number]];

function filtersOf({ dimensions = {}, ...filter }: UsageFilter = {}): Filters {
  const names = Object.keys(dimensions);
  const unfit = names.find((name) => !isDimensionName(name));
  if (unfit !== undefined) refuse('filter.dimensions', unfit, 'by names of dimensions');
  const asked: readonly (readonly [Dimension, Wanted])[] = [
    ...FILTERS.map((dimension) => [dimension, filter[dimension]] as const),
    ...names.map((name) => [dimensionKey(name), dimensions[name]] as const),
  ];
  return asked.flatMap(([dimension, given]) => {
    if (given === undefined) return [];
    const values: readonly (string | null)[] =
      given === null || typeof given === 'string' ? [given] : given;
    const text = values.every((value) => value === null || typeof value === 'string');
    if (values.length > MAX_LIMIT || !text) {
      refuse(`filter.${dimension}`, given, `a string or a list of up to ${MAX_LIMIT} strings`);
    }
    return [{ dimension, values }];
  });
}

/** Rejects with `INVALID_OPTION`. */
export async function checkQuery(query: UsageQuery): Promise<CheckedQuery> {
  const fromMs = instant('from', query.from);
  const toMs = instant('to', query.to);
  if (toMs <= fromMs) refuse('to', query.to, 'after from');
  const groupBy = [...new Set((query.groupBy ?? []).map(groupOf))];
  const units = groupBy.filter((key): key is TimeUnit => key === 'hour' || key === 'day');
  const dimensions = groupBy.filter((key): key is Dimension => key !== 'hour' && key !== 'day');
  if (groupBy.length > 2 || units.length > 1) {
    refuse('groupBy', groupBy, 'at most two keys, at most one of them hour or day');
  }
  const [unit] = units;
  const percentiles = query.percentiles === true;
  const hasOneRowEach = unit === undefined && !percentiles;
  const limit = limitOf(query.limit, 20, hasOneRowEach ? MAX_ROWS : MAX_LIMIT);
  const named = dimensions.length > 0 ? limit + 1 : 1;
  // Percentiles need a sketch of several hundred numbers per row.
  const maximum = percentiles ? MAX_CELLS / 10 : MAX_CELLS;
  if (unit !== undefined && ((toMs - fromMs) / UNIT_MS[unit]) * named > maximum) {
    refuse(
      'the range',
      `${groupBy.join()} with limit ${limit}`,
      'a shorter range or a smaller limit',
    );
  }
  return {
    fromMs,
    toMs,
    groupBy,
    dimensions,
    unit,
    filters: filtersOf(query.filter),
    orderBy: oneOf('orderBy', query.orderBy ?? 'totalTokens', METRICS),
    ascending: oneOf('order', query.order ?? 'desc', ['asc', 'desc'] as const) === 'asc',
    limit,
    zone: await TimeZone.load(query.timeZone ?? 'UTC'),
    compare: query.compare === 'previous',
    percentiles,
    distinct: query.distinct === true,
  };
}

/** Everything about one conversation. */
export async function checkConversationQuery(id: string): Promise<CheckedQuery> {
  const filter = { conversation: id };
  return await checkQuery({ from: new Date(0), to: new Date(LAST_MS), filter, percentiles: true });
}

/** The preceding period of equal length. */
export function previousPeriod(query: CheckedQuery): CheckedQuery {
  return { ...query, fromMs: 2 * query.fromMs - query.toMs, toMs: query.fromMs };
}

export interface CheckedRecordsQuery {
  readonly fromMs: number;
  readonly toMs: number;
  readonly filters: Filters;
  readonly limit: number;
  /** Time and id of the last record of the previous page. */
  readonly after: readonly [time: string, id: string] | undefined;
}

export function checkRecordsQuery(query: UsageRecordsQuery): CheckedRecordsQuery {
  return {
    fromMs: query.from === undefined ? 0 : instant('from', query.from),
    toMs: query.to === undefined ? LAST_MS : instant('to', query.to),
    filters: filtersOf(query.filter),
    limit: limitOf(query.limit, 100),
    after: query.cursor === undefined ? undefined : readCursor(query.cursor),
  };
}

export function writeCursor(record: { readonly time: string; readonly id: string }): string {
  return Buffer.from(JSON.stringify([record.time, record.id])).toString('base64url');
}

function readCursor(cursor: string): readonly [string, string] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString());
    if (Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string') {
      const [time, id] = value as [string, string];
      if (/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/.test(time)) return [time, id];
    }
  } catch {
    // Not one of our cursors; rejected below.
  }
  return refuse('cursor', cursor, 'the cursor of a previous page');
}
