import { Cells, type NamedKeys } from './cells.ts';
import type { CheckedQuery } from './checked-query.ts';
import { KeptCells } from './kept-cells.ts';
import { KeptSums } from './kept-sums.ts';
import type { SumsCache } from './sums-cache.ts';

export interface TimeRange {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A query in two: what seldom changes, and the rest. */
export interface SplitQuery {
  readonly kept: readonly TimeRange[];
  readonly rest: readonly TimeRange[];
  /** Another one whenever a call of `kept` was added, changed or removed. */
  readonly state: string;
}

/** Where calls are summed up. */
export interface CallSource {
  /** Adds every call of the query to its cell. Rejects with `TooManyKeys` thrown by a cell. */
  gather(query: CheckedQuery, cells: Cells, signal?: AbortSignal): Promise<void>;
  /** The same for what a split leaves of the query's range, where it takes less than one after the other. */
  gatherRest?(query: CheckedQuery, rest: readonly TimeRange[], cells: Cells): Promise<void>;
  /** Undefined where no sums are kept from one question to the next. */
  split?(query: CheckedQuery): Promise<SplitQuery | undefined>;
}

/** Sums of a query, of which a part may be shared with other questions. */
export interface SplitSums {
  readonly kept: KeptSums;
  readonly rest: readonly TimeRange[];
}

/** Cells of kept sums: a hundred to two hundred bytes each. */
const MAX_KEPT_CELLS = 200_000;
/** A sketch has several hundred numbers. */
const MAX_KEPT_SKETCHES = 2000;

/** Undefined where the source has to sum up everything. */
export async function splitSums(
  query: CheckedQuery,
  source: CallSource,
  cache: SumsCache,
  signal: AbortSignal | undefined,
): Promise<SplitSums | undefined> {
  const split = await source.split?.(query);
  if (split === undefined) return undefined;
  const maxCells = query.percentiles ? MAX_KEPT_SKETCHES : MAX_KEPT_CELLS;
  const make = async (stop: AbortSignal): Promise<KeptSums> => {
    const cells = new KeptCells(query, { maxCells });
    for (const range of split.kept) await source.gather({ ...query, ...range }, cells, stop);
    return new KeptSums(cells);
  };
  const kept = await cache.get(keyOf(query, split), make, signal);
  return kept && { kept, rest: split.rest };
}

/** Adds the calls of the query that no kept sums have. */
export async function gatherRest(
  query: CheckedQuery,
  split: SplitSums | undefined,
  cells: Cells,
  source: CallSource,
): Promise<void> {
  if (split === undefined) return await source.gather(query, cells);
  if (source.gatherRest !== undefined) return await source.gatherRest(query, split.rest, cells);
  for (const range of split.rest) await source.gather({ ...query, ...range }, cells);
}

/** Adds all calls of the query to cells of named keys. */
export async function gatherNamed(
  query: CheckedQuery,
  named: NamedKeys,
  source: CallSource,
  split: SplitSums | undefined,
): Promise<Cells> {
  const cells = new Cells(query, { named });
  split?.kept.addTo(cells);
  await gatherRest(query, split, cells, source);
  return cells;
}

/** What the sums depend on: neither order nor limit. */
function keyOf(
  { dimensions, filters, unit, zone, percentiles }: CheckedQuery,
  { kept, state }: SplitQuery,
): string {
  return JSON.stringify([
    dimensions,
    filters,
    unit,
    unit && zone.name,
    percentiles,
    kept.map(({ fromMs, toMs }) => [fromMs, toMs]),
    state,
  ]);
}
