import type { UsageReader, UsageRow } from 'otel-token-meter/exporter';

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

/** A sum of one day that differs. */
export interface LedgerDifference {
  readonly day: string;
  readonly sum: (typeof SUMS)[number];
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
  const rowsOf = (rows: readonly UsageRow[]): ReadonlyMap<string, UsageRow> =>
    new Map(rows.map((row) => [row.day ?? '', row]));
  const [before, after] = [rowsOf(source.rows), rowsOf(target.rows)];
  return days.flatMap((day) =>
    SUMS.flatMap((sum) => {
      const [x, y] = [before.get(day)?.[sum], after.get(day)?.[sum]];
      if (x === y) return [];
      return [{ day, sum, ...(x !== undefined && { from: x }), ...(y !== undefined && { to: y }) }];
    }),
  );
}
