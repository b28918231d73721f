import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SharedWork } from '../../ledger/shared-work.ts';
import { BoundValues } from './bound-values.ts';
import type { Plans } from './plans.ts';
import { type CallParts, rangesOfCalls, type RollUpPlan } from './roll-up-plan.ts';
import { sourceOf } from './source-sql.ts';
import type { SumsReader } from './sums-reader.ts';

/** How many values some days have, by what they are of; the days are as they were then. */
export type KeptCounts = SharedWork<number>;

/** Values whose places in a table are looked up; of more the whole column is read. */
const SETTINGS = { use_index_for_in_with_subqueries_max_values: '1000' };

/** How many users or conversations the calls have. Those of whole days are counted once as long as they are the same. */
export async function countValues(
  query: CheckedQuery,
  dimension: 'user' | 'conversation',
  { plans, reader, kept }: { plans: Plans; reader: SumsReader; kept: KeptCounts },
  signal: AbortSignal | undefined,
): Promise<number> {
  const asked = { ...query, dimensions: [dimension], unit: undefined };
  const plan = await plans.of(asked, false);
  const marks = plan && (await plans.marksOf(plan.cells));
  if (plan?.rollUp.unit !== 'day' || plan.open.length > 0 || marks === undefined) {
    return await countedIn(asked, plan, dimension, reader);
  }
  const { rollUp, cells } = plan;
  const days = { ...asked, ...cells };
  const id = [rollUp.name, cells, marks.stateOf(rollUp.name), dimension, query.filters];
  const count = async (stop: AbortSignal): Promise<number> =>
    await countedIn(days, plan, dimension, reader, stop);
  const parts = rangesOfCalls(asked, plan);
  const inDays = await kept.run(JSON.stringify(id), count, signal);
  if (parts.length === 0) return inDays;
  const bound = new BoundValues();
  const calls = `SELECT DISTINCT ${dimension} FROM (${sourceOf(asked, { parts }, bound)}) WHERE ${dimension} != ''`;
  const text = `SELECT (SELECT count() FROM (${calls})) AS all,
      (SELECT uniqExactIf(${dimension}, calls > 0) FROM (${sourceOf(days, plan, bound)})
        WHERE ${dimension} IN (${calls})) AS known`;
  const answer = await reader.ask({ text, values: bound.values }, signal, SETTINGS);
  return inDays + Number(answer['all']?.[0]) - Number(answer['known']?.[0]);
}

async function countedIn(
  query: CheckedQuery,
  plan: RollUpPlan | CallParts | undefined,
  dimension: string,
  reader: SumsReader,
  signal?: AbortSignal,
): Promise<number> {
  const bound = new BoundValues();
  const text = `SELECT uniqExactIf(${dimension}, ${dimension} != '' AND calls > 0) AS amount
    FROM (${sourceOf(query, plan, bound)})`;
  const answer = await reader.ask({ text, values: bound.values }, signal);
  return Number(answer['amount']?.[0]);
}
