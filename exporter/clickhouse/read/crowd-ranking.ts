import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { type Key, nameOfKey } from '../../ledger/queries/key.ts';
import { FirstKeys, type RankedKey } from '../../ledger/queries/ranking.ts';
import type { SharedWork } from '../../ledger/shared-work.ts';
import { BoundValues } from './bound-values.ts';
import { aboutKeys } from './named-sums.ts';
import type { Plans } from './plans.ts';
import { type CallParts, rangesOfCalls, type RollUpPlan } from './roll-up-plan.ts';
import { sourceOf } from './source-sql.ts';
import { keyColumn, keysOf, metricSum, placeOf } from './summary-sql.ts';
import type { SumsReader } from './sums-reader.ts';
import { keyAt } from './sums-statement.ts';

/** First keys of closed days, of which a question takes the first few together with the calls of today. */
const MIN_LISTED = 5000;
/** More keys that may be among the first take longer than to rank all. */
const MAX_DOUBTFUL = 2000;

const MAX_KEPT_VALUES = 20_000;

/** First keys of some days of a roll-up, which are as they were then. */
interface RankedDays {
  readonly list: readonly RankedKey[];
  /** What other keys have in these days, by name, as far as it was asked. */
  readonly others: Map<string | null, number | null>;
}

/** By what they are of. */
export type KeptRankings = SharedWork<RankedDays>;

/**
 * The first keys of a question by its metric. Of millions of conversations the server ranks those of whole days once
 * as long as the days are the same; what the other calls add decides between few of them.
 */
export async function rankKeys(
  query: CheckedQuery,
  plans: Plans,
  reader: SumsReader,
  kept: KeptRankings,
  signal: AbortSignal | undefined,
): Promise<readonly Key[]> {
  const plan = await plans.of({ ...query, unit: undefined }, false);
  const first = plan && (await firstByDays(query, plan, plans, reader, kept, signal));
  if (first !== undefined) return first;
  const ranked = await rankedBy(query, plan, reader, query.limit);
  return ranked.map(({ key }) => key);
}

/** Undefined where that does not decide. */
async function firstByDays(
  query: CheckedQuery,
  plan: RollUpPlan,
  plans: Plans,
  reader: SumsReader,
  kept: KeptRankings,
  signal: AbortSignal | undefined,
): Promise<readonly Key[] | undefined> {
  const { rollUp, cells, open } = plan;
  if (rollUp.unit !== 'day' || open.length > 0 || query.ascending) return undefined;
  const marks = await plans.marksOf(cells);
  if (marks === undefined) return undefined;
  const count = Math.max(MIN_LISTED, 2 * query.limit);
  const { dimensions, filters, orderBy } = query;
  const id = [rollUp.name, cells, marks.stateOf(rollUp.name), dimensions, filters, orderBy, count];
  const days = { ...query, ...cells };
  const { list, others } = await kept.run(
    JSON.stringify(id),
    async (stop) => ({
      list: await rankedBy(days, plan, reader, count, stop),
      others: new Map(),
    }),
    signal,
  );
  /** No key that is not listed has more in these days. */
  const bound = list.length < count ? 0 : (list.at(-1)?.value ?? 0);
  /** The last of the first ones has at least as much. */
  const least = list[query.limit - 1]?.value ?? null;
  if (least === null || bound < 0) return undefined;
  const parts = rangesOfCalls(query, plan);
  if (parts.length === 0) return list.slice(0, query.limit).map(({ key }) => key);
  const more = await addedBy(query, { parts }, { list, atLeast: least - bound }, reader);
  if (more === undefined) return undefined;
  const listed = new Map(list.map((ranked) => [nameOfKey(ranked.key), ranked]));
  const unknown = list.length < count ? [] : more.filter(({ key }) => !listed.has(nameOfKey(key)));
  const values = await valuesOf(unknown, others, days, plan, reader);
  const changed = new Map(
    more.map(({ key, value }): [string | null, RankedKey] => {
      const name = nameOfKey(key);
      const before = listed.get(name)?.value ?? values.get(name) ?? null;
      const sum = value === null ? before : (before ?? 0) + value;
      return [name, { key, value: sum }];
    }),
  );
  const first = new FirstKeys(query);
  for (const ranked of changed.values()) first.add(ranked);
  for (const ranked of list) if (!changed.has(nameOfKey(ranked.key))) first.add(ranked);
  return first.keys();
}

async function rankedBy(
  query: CheckedQuery,
  plan: RollUpPlan | undefined,
  reader: SumsReader,
  count: number,
  signal?: AbortSignal,
): Promise<readonly RankedKey[]> {
  const bound = new BoundValues();
  const keys = query.dimensions.map((_, place) => keyColumn(place));
  const ties = keys.map((key) => `${key} = '', ${key}`).join(', ');
  const direction = query.ascending ? 'ASC' : 'DESC';
  // The empty rows that mark made cells are no calls.
  const text = `SELECT ${metricSum(query.orderBy)} AS metric${keysOf(query)}
    FROM (${sourceOf(query, plan, bound)}) AS source GROUP BY ${keys.join(', ')}
    HAVING sum(source.calls) > 0
    ORDER BY isNull(metric), metric ${direction}, ${ties} LIMIT ${count}`;
  const answer = await reader.ask({ text, values: bound.values }, signal);
  const metrics = answer['metric'] ?? [];
  return metrics.map((value, row) => ({
    key: keyAt(query, answer, row),
    value: typeof value === 'number' ? value : null,
  }));
}

/** What calls add to listed keys, and to others by which they may come among the first; undefined for too many. */
async function addedBy(
  query: CheckedQuery,
  calls: CallParts,
  { list, atLeast }: { readonly list: readonly RankedKey[]; readonly atLeast: number },
  reader: SumsReader,
): Promise<readonly RankedKey[] | undefined> {
  const bound = new BoundValues();
  const keys = query.dimensions.map((_, place) => keyColumn(place));
  const place = placeOf(
    query,
    list.map(({ key }) => key),
    bound,
  );
  const limit = list.length + MAX_DOUBTFUL;
  const text = `SELECT ${metricSum(query.orderBy)} AS metric, any(${place}) AS place${keysOf(query)}
    FROM (${sourceOf(query, calls, bound)}) AS source GROUP BY ${keys.join(', ')}
    HAVING place >= 0 OR metric >= ${atLeast} OR metric < 0 LIMIT ${limit + 1}`;
  const answer = await reader.ask({ text, values: bound.values });
  const metrics = answer['metric'] ?? [];
  // With less than nothing, a listed key might fall behind one that is not.
  if (metrics.length > limit || metrics.some((value) => Number(value) < 0)) return undefined;
  return metrics.map((value, row) => ({
    key: keyAt(query, answer, row),
    value: typeof value === 'number' ? value : null,
  }));
}

/** What each of a few keys has in the days of a plan, by name. */
async function valuesOf(
  ranked: readonly RankedKey[],
  kept: Map<string | null, number | null>,
  days: CheckedQuery,
  plan: RollUpPlan,
  reader: SumsReader,
): Promise<ReadonlyMap<string | null, number | null>> {
  const values = new Map(kept);
  const keys = ranked.map(({ key }) => key).filter((key) => !kept.has(nameOfKey(key)));
  if (keys.length === 0) return values;
  for (const key of keys) values.set(nameOfKey(key), null);
  // Keys of two values are more: of each value with each.
  const found = await rankedBy(aboutKeys(days, keys), plan, reader, MAX_DOUBTFUL ** 2);
  for (const { key, value } of found) {
    const name = nameOfKey(key);
    if (values.has(name)) values.set(name, value);
  }
  if (values.size > MAX_KEPT_VALUES) kept.clear();
  else for (const [name, value] of values) kept.set(name, value);
  return values;
}
