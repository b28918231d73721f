import type { UsageKey, UsageNumbers, UsageRow, UsageSummary, UsageTotal } from '../usage-query.ts';
import { type Cell, Cells, NamedKeys, OTHER, TooManyKeys } from './cells.ts';
import { type Key } from './key.ts';
import { type CheckedQuery, previousPeriod } from './checked-query.ts';
import { type CallSource, gatherNamed, gatherRest, splitSums, type SplitSums } from './gather.ts';
import type { KeptSums } from './kept-sums.ts';
import { type ExpiringSource, missingParts } from './missing-parts.ts';
import { rankOrder } from './ranking.ts';
import type { SumsCache } from './sums-cache.ts';
import { dayLabel, hourLabel } from './time-zone.ts';
import { addSums, addTally, metricOf, newTally, numbersOf, type Tally } from './usage-sums.ts';

/** The part of a summary that depends on the store. */
export interface SummarySource extends CallSource, ExpiringSource {
  /** The first `limit` keys in the order of `rankOrder`. */
  rank(query: CheckedQuery): Promise<readonly Key[]>;
  distinct(
    query: CheckedQuery,
  ): Promise<{ readonly users: number; readonly conversations: number }>;
}

/** Name of the row for everything beyond the limit. */
const OTHER_NAME = '(other)';
/**
 * Maximum number of cells, about ten megabytes, unless more rows are asked for. With more, keys are
 * ranked in a separate pass first.
 */
const MAX_CELLS = 20_000;
/** A sketch has several hundred numbers. */
const MAX_SKETCHES = 1000;

export interface SummaryOptions {
  /** Where sums are kept that other questions may use. @default nowhere */
  readonly cache?: SumsCache;
  readonly signal?: AbortSignal | undefined;
}

export async function summarise(
  query: CheckedQuery,
  source: SummarySource,
  { cache, signal }: SummaryOptions = {},
): Promise<UsageSummary> {
  const split = async (part: CheckedQuery): Promise<SplitSums | undefined> =>
    cache && (await splitSums(part, source, cache, signal));
  const { cells, named } = await gathered(query, source, await split(query));
  const total = await totalOf(query, cells, source, split);
  const before = query.compare ? await gatherBefore(query, named, source, split) : undefined;
  const shareOf = metricOf(total.tally.sums, query.orderBy);
  const rows =
    query.groupBy.length === 0
      ? []
      : cells
          .toSorted(byBucketThenMetric(query))
          .map((cell) => rowOf(query, named, cell, shareOf, before?.cells));
  const other = merged(
    query,
    cells.filter(({ index }) => index === OTHER),
  );
  return {
    from: new Date(query.fromMs).toISOString(),
    to: new Date(query.toMs).toISOString(),
    groupBy: query.groupBy,
    rows,
    ...(other.sums.calls > 0 && { other: numbersOf(other) }),
    total: total.numbers,
    ...(before && { previous: before.total }),
    ...(await missingParts(query, source)),
  };
}

type Split = (query: CheckedQuery) => Promise<SplitSums | undefined>;

interface Gathered {
  readonly cells: readonly Cell[];
  readonly named: NamedKeys;
}

/** One pass if there are few keys; otherwise ranks the keys in a first pass. */
async function gathered(
  query: CheckedQuery,
  source: SummarySource,
  split: SplitSums | undefined,
): Promise<Gathered> {
  const all = new Cells(query, {
    maxCells: query.percentiles ? MAX_SKETCHES : Math.max(MAX_CELLS, query.limit),
  });
  try {
    await gatherRest(query, split, all, source);
    return split === undefined ? folded(query, all) : joined(query, split.kept, all);
  } catch (error) {
    if (!(error instanceof TooManyKeys)) throw error;
  }
  const named = new NamedKeys(await source.rank(query));
  const cells = await gatherNamed(query, named, source, split);
  return { cells: [...cells], named };
}

/** Cells of the top keys of both, and one per bucket for all others. */
function joined(query: CheckedQuery, kept: KeptSums, more: Cells): Gathered {
  const named = new NamedKeys(kept.first(query, more));
  const cells = new Cells(query, { named });
  kept.addTo(cells);
  for (const { index, bucket, tally } of more) {
    addTally(cells.tally(more.keys[index] ?? [], bucket), tally);
  }
  return { cells: [...cells], named };
}

/** Keeps the cells of the top keys and merges all others into one cell per bucket. */
function folded(query: CheckedQuery, all: Cells): Gathered {
  const { keys } = all;
  const sums = keys.map(() => newTally(false).sums);
  for (const { index, tally } of all) {
    const sum = sums[index];
    if (sum !== undefined) addSums(sum, tally.sums);
  }
  const ranked = keys
    .map((key, index) => ({
      key,
      value: metricOf(sums[index] ?? newTally(false).sums, query.orderBy),
    }))
    .toSorted(rankOrder(query))
    .slice(0, query.limit);
  const named = new NamedKeys(ranked.map(({ key }) => key));
  const cells = new Cells(query, { named });
  for (const { index, bucket, tally } of all) {
    addTally(cells.tally(keys[index] ?? [], bucket), tally);
  }
  return { cells: [...cells], named };
}

interface Total {
  readonly tally: Tally;
  readonly numbers: UsageTotal;
}

async function totalOf(
  query: CheckedQuery,
  cells: Iterable<Cell>,
  source: SummarySource,
  split: Split,
): Promise<Total> {
  const tally = merged(query, cells);
  const distinct = query.distinct ? await distinctOf(query, source, split) : {};
  return { tally, numbers: { ...numbersOf(tally), ...distinct } };
}

async function distinctOf(
  query: CheckedQuery,
  source: SummarySource,
  split: Split,
): Promise<{ readonly users: number; readonly conversations: number }> {
  const all = { ...query, unit: undefined, percentiles: false };
  const users = await countKeys({ ...all, dimensions: ['user'] }, source, split);
  const conversations = await countKeys({ ...all, dimensions: ['conversation'] }, source, split);
  if (users === undefined || conversations === undefined) return await source.distinct(query);
  return { users, conversations };
}

/** Undefined where the source has to count. */
async function countKeys(
  query: CheckedQuery,
  source: SummarySource,
  split: Split,
): Promise<number | undefined> {
  const sums = await split(query);
  if (sums === undefined) return undefined;
  const more = new Cells(query, { maxCells: MAX_CELLS });
  try {
    await gatherRest(query, sums, more, source);
  } catch (error) {
    if (error instanceof TooManyKeys) return undefined;
    throw error;
  }
  const isKnown = ([value]: Key): boolean => typeof value === 'string';
  const fresh = more.keys.filter((key) => isKnown(key) && !sums.kept.has(key));
  return sums.kept.known + fresh.length;
}

async function gatherBefore(
  query: CheckedQuery,
  named: NamedKeys,
  source: SummarySource,
  split: Split,
): Promise<{ readonly cells: ReadonlyMap<number, UsageNumbers>; readonly total: UsageTotal }> {
  const earlier = previousPeriod({ ...query, unit: undefined });
  const cells = await gatherNamed(earlier, named, source, await split(earlier));
  const { numbers } = await totalOf(earlier, cells, source, split);
  return {
    cells: new Map([...cells].map(({ index, tally }) => [index, numbersOf(tally)])),
    total: numbers,
  };
}

function merged(query: CheckedQuery, cells: Iterable<Cell>): Tally {
  const sum = newTally(query.percentiles);
  for (const { tally } of cells) addTally(sum, tally);
  return sum;
}

/** Unknown metrics sort last in either direction; equal ones keep the order of `named`. */
function byBucketThenMetric(query: CheckedQuery): (a: Cell, b: Cell) => number {
  const sign = query.ascending ? 1 : -1;
  return (a, b) => {
    if (a.bucket !== b.bucket) return (a.bucket ?? 0) - (b.bucket ?? 0);
    if (a.index === OTHER || b.index === OTHER)
      return Number(a.index === OTHER) - Number(b.index === OTHER);
    const [x, y] = [metricOf(a.tally.sums, query.orderBy), metricOf(b.tally.sums, query.orderBy)];
    if (x === y) return a.index - b.index;
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  };
}

function rowOf(
  query: CheckedQuery,
  named: NamedKeys,
  { index, bucket, tally }: Cell,
  total: number | null,
  before: ReadonlyMap<number, UsageNumbers> | undefined,
): UsageRow {
  const isOther = index === OTHER;
  const value = metricOf(tally.sums, query.orderBy);
  const previous = query.unit === undefined ? before?.get(index) : undefined;
  return {
    ...keysOf(query, isOther ? undefined : named.keys[index], bucket),
    ...numbersOf(tally),
    ...(isOther && { isOther: true }),
    ...(value !== null && total !== null && total > 0 && { share: value / total }),
    ...(previous && { previous }),
  };
}

function keysOf(
  query: CheckedQuery,
  key: Key | undefined,
  bucket: number | undefined,
): Omit<UsageKey, 'outcome'> & { readonly start?: string } {
  const keys: Record<string, string | null> = {};
  for (const group of query.groupBy) {
    if (group === 'hour' || group === 'day') {
      if (bucket === undefined) continue;
      const start = group === 'hour' ? bucket : query.zone.startOfDay(bucket);
      keys[group] =
        group === 'hour' ? hourLabel(start, query.zone.offsetMs(start)) : dayLabel(bucket);
      keys['start'] = new Date(start).toISOString();
    } else {
      keys[group] = key === undefined ? OTHER_NAME : (key[query.dimensions.indexOf(group)] ?? null);
    }
  }
  return keys;
}
