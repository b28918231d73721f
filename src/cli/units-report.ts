import type { UsageQuery, UsageReader } from 'otel-token-meter/exporter';
import { unitName, USAGE_UNITS } from '../domain/billed-usage.ts';
import { shownName } from './shown-number.ts';
import { textTable } from './text-table.ts';

/** What a model was used for beside tokens, in one unit. */
export interface UnitSum {
  readonly provider: string;
  readonly model: string;
  /** `generated_images`, `audio_input_seconds`, `input_characters`, `rerank_searches`, `pages` … */
  readonly unit: string;
  readonly amount: number;
}

/** The most that a reader names. */
const MAX_MODELS = 100_000;

/** Sums of all usage that is not counted in tokens, by model and unit. */
export async function unitSums(
  reader: UsageReader,
  query: Pick<UsageQuery, 'from' | 'to' | 'filter'>,
): Promise<readonly UnitSum[]> {
  const { rows } = await reader.summary({
    ...query,
    groupBy: ['provider', 'model'],
    limit: MAX_MODELS,
  });
  const sums = rows.flatMap(({ provider = '', model = '', units = {} }) =>
    USAGE_UNITS.flatMap((unit) => {
      const amount = units[unit];
      return amount === undefined ? [] : [{ provider, model, unit: unitName(unit), amount }];
    }),
  );
  const names = new Intl.Collator('en');
  return sums.toSorted(
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
    ['provider', 'model', 'unit', 'amount'],
    sums.map(({ provider, model, unit, amount }) => [
      shownName(provider),
      shownName(model),
      unit,
      amounts.format(amount),
    ]),
    ['amount'],
  )}`;
}

/** One line a sum. */
export async function unitsCsv(sums: readonly UnitSum[]): Promise<string> {
  const { csvLine } = await import('otel-token-meter/exporter');
  const rows = sums.map(({ provider, model, unit, amount }) => [provider, model, unit, amount]);
  return [['provider', 'model', 'unit', 'amount'], ...rows].map(csvLine).join('');
}
