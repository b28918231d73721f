import { Cells, NamedKeys, OTHER } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { Key } from '../../ledger/queries/key.ts';
import { addSums, addTally, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { Plans } from './plans.ts';
import { remainder } from './remainder.ts';
import { rangesOfCalls, type RollUpPlan } from './roll-up-plan.ts';
import type { SumsReader } from './sums-reader.ts';

/** A question about nothing but these keys, and those that are made of their values. */
export function aboutKeys(query: CheckedQuery, keys: readonly Key[]): CheckedQuery {
  const filters = query.dimensions.map((dimension, place) => ({
    dimension,
    values: [...new Set(keys.map((key) => key[place] ?? null))],
  }));
  return { ...query, filters: [...query.filters, ...filters] };
}

/**
 * Adds the sums of named keys of a crowd, and of all others as what the total of the days has beside them: the server
 * finds a few keys by their places in the table, and reads the total from few sums. False, with nothing added, where
 * that does not tell the sums of the others.
 */
export async function addNamed(
  query: CheckedQuery,
  cells: Cells,
  { keys }: NamedKeys,
  plans: Plans,
  reader: SumsReader,
): Promise<boolean> {
  const plan = await plans.of(query, false);
  // Of open cells the two statements might see different calls.
  if (plan?.rollUp.unit !== 'day' || plan.open.length > 0) return false;
  const days = { ...query, ...plan.cells };
  const totals = { ...days, dimensions: [] };
  const totalPlan = await plans.of(totals, false);
  if (!isWhole(totalPlan, plan)) return false;
  const all = new Cells(totals, { maxCells: Infinity });
  const named = new Cells(query, { named: new NamedKeys(keys) });
  await reader.add(totals, all, totalPlan);
  await reader.add(aboutKeys(days, keys), named, plan);
  const rest: { readonly bucket: number | undefined; readonly sums: UsageSums }[] = [];
  for (const { bucket, tally } of all) {
    const parts = [...named].filter((cell) => cell.bucket === bucket && cell.index !== OTHER);
    const sums = remainder(
      tally.sums,
      parts.map((part) => part.tally),
    );
    if (sums === undefined) return false;
    rest.push({ bucket, sums });
  }
  const parts = rangesOfCalls(query, plan);
  if (parts.length > 0) await reader.add(query, cells, { parts });
  for (const { index, bucket, tally } of named) {
    if (index !== OTHER) addTally(cells.tallyAt(index, bucket), tally);
  }
  for (const { bucket, sums } of rest) {
    if (sums.calls > 0) addSums(cells.tallyAt(OTHER, bucket).sums, sums);
  }
  return true;
}

/** Whether another roll-up answers for just the cells of a plan. */
function isWhole(
  other: RollUpPlan | undefined,
  { rollUp, cells }: RollUpPlan,
): other is RollUpPlan {
  return (
    other !== undefined &&
    other.rollUp !== rollUp &&
    other.open.length === 0 &&
    other.cells.fromMs === cells.fromMs &&
    other.cells.toMs === cells.toMs
  );
}
