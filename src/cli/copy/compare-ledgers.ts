import type { UsageReader, UsageRow } from 'otel-token-meter/exporter';
import { unitName, USAGE_UNITS } from '../../domain/billed-usage.ts';

const SUMS = [
  'calls',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costUsd',
] as const;

const NAMES: readonly string[] = [...SUMS, ...USAGE_UNITS.map(unitName)];

/** A sum of one day that differs. */
export interface LedgerDifference {
  readonly day: string;
  /** `inputTokens` and the like, or a unit: `generated_images`. */
  readonly sum: string;
  /** Absent: no call has a value. */
  readonly from?: number;
  readonly to?: number;
}

/** Compares the sums of each day (UTC). Costs are compared in whole nano-dollars, as they are stored. */
export async function compareLedgers(
  from: UsageReader,
  to: UsageReader,
  range: { readonly from: Date; readonly to: Date },
): Promise<readonly LedgerDifference[]> {
  const query = { ...range, groupBy: ['day'] } as const;
  const [source, target] = await Promise.all([from.summary(query), to.summary(query)]);
  const days = [...new Set([...source.rows, ...target.rows].map(({ day = '' }) => day))].toSorted();
  const sumsOf = (rows: readonly UsageRow[]): ReadonlyMap<string, Sums> =>
    new Map(rows.map((row) => [row.day ?? '', sumsOfRow(row)]));
  const [before, after] = [sumsOf(source.rows), sumsOf(target.rows)];
  return days.flatMap((day) =>
    NAMES.flatMap((sum) => {
      const [x, y] = [before.get(day)?.get(sum), after.get(day)?.get(sum)];
      if (x === y || isSameSpan(sum, x, y)) return [];
      return [{ day, sum, ...(x !== undefined && { from: x }), ...(y !== undefined && { to: y }) }];
    }),
  );
}

/** Whether the target lacks no more than so many calls of these days, and what belongs to them. */
export function lacksOnly(differences: readonly LedgerDifference[], calls: number): boolean {
  const ofCalls = differences.filter(({ sum }) => sum === 'calls');
  const days = new Set(ofCalls.map(({ day }) => day));
  const lacking = ofCalls.reduce((sum, { from = 0, to = 0 }) => sum + from - to, 0);
  return (
    lacking <= calls &&
    differences.every(({ day, from = 0, to = 0 }) => days.has(day) && from >= to)
  );
}

/** Sums of fractions depend on the order of their additions. */
function isSameSpan(sum: string, x = Number.NaN, y = Number.NaN): boolean {
  return sum.endsWith('_seconds') && Math.abs(x - y) < 1e-5;
}

type Sums = ReadonlyMap<string, number | undefined>;

function sumsOfRow(row: UsageRow): Sums {
  return new Map([
    ...SUMS.map((sum) => [sum, row[sum]] as const),
    ...USAGE_UNITS.map((unit) => [unitName(unit), row.units?.[unit]] as const),
  ]);
}
