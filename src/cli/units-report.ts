import { BILLED_KINDS, billedUsageOf, type BilledField } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { kindName } from '../prices/kinds.ts';
import { shownCount, shownName } from './shown-number.ts';
import { textTable } from './text-table.ts';

/** What a model was used for beside tokens, in one unit. */
export interface UnitSum {
  readonly provider: string;
  readonly model: string;
  /** `generated_images`, `audio_input_seconds`, `input_characters`, `rerank_searches`, `pages` … */
  readonly unit: string;
  readonly amount: number;
  /** Calls that have any of it. */
  readonly calls: number;
}

const UNITS: readonly BilledField[] = BILLED_KINDS.map(({ field }) => field).filter(
  (field) => !field.endsWith('Tokens'),
);

/** Sums of all usage that is not counted in tokens, by model and unit. Calls without any are in none. */
export async function unitSums(
  records: AsyncIterable<
    Pick<UsageRecord, 'provider' | 'requestModel' | 'responseModel' | 'attributes'>
  >,
): Promise<readonly UnitSum[]> {
  const sums = new Map<string, { -readonly [Key in keyof UnitSum]: UnitSum[Key] }>();
  for await (const record of records) {
    const usage = billedUsageOf(record);
    const { provider, requestModel, responseModel } = record;
    const model = responseModel ?? requestModel;
    for (const field of UNITS) {
      const amount = usage[field];
      if (amount === undefined) continue;
      const key = JSON.stringify([provider, model, field]);
      const sum = sums.get(key) ?? { provider, model, unit: kindName(field), amount: 0, calls: 0 };
      // Seconds have fractions, whose sum would show those of binary numbers.
      sum.amount = Number((sum.amount + amount).toPrecision(15));
      sum.calls += 1;
      sums.set(key, sum);
    }
  }
  const names = new Intl.Collator('en');
  return [...sums.values()].toSorted(
    (a, b) =>
      names.compare(a.provider, b.provider) ||
      names.compare(a.model, b.model) ||
      names.compare(a.unit, b.unit),
  );
}

/** A section below the table of a report. */
export function unitsSection(sums: readonly UnitSum[]): string {
  if (sums.length === 0) return '\nBeside tokens nothing was used.\n';
  const amounts = new Intl.NumberFormat('en-US', { maximumFractionDigits: 3 });
  return `\nWhat was used beside tokens\n${textTable(
    ['provider', 'model', 'unit', 'amount', 'calls'],
    sums.map(({ provider, model, unit, amount, calls }) => [
      shownName(provider),
      shownName(model),
      unit,
      amounts.format(amount),
      shownCount(calls),
    ]),
    ['amount', 'calls'],
  )}`;
}

/** One line a sum. */
export async function unitsCsv(sums: readonly UnitSum[]): Promise<string> {
  const { csvLine } = await import('otel-token-meter/exporter');
  const rows = sums.map(({ provider, model, unit, amount, calls }) => [
    provider,
    model,
    unit,
    amount,
    calls,
  ]);
  return [['provider', 'model', 'unit', 'amount', 'calls'], ...rows].map(csvLine).join('');
}
