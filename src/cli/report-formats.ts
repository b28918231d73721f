import type { UsageNumbers, UsageRow, UsageSummary } from 'otel-token-meter/exporter';
import type { CurrencyRate } from '../prices/currency.ts';
import type { PriceSource } from '../prices/prices.ts';
import { shownPriceSource, shownRate } from './price-options.ts';
import {
  shownCount,
  shownDuration,
  shownName,
  shownPartial,
  shownShare,
  shownSum,
} from './shown-number.ts';
import { textTable } from './text-table.ts';

export interface UnpricedModel {
  readonly provider: string;
  readonly model: string;
  readonly calls: number;
}

/** A row or the total, as far as its cells need it. */
type Numbers = UsageNumbers & Partial<Pick<UsageRow, 'share' | 'previous' | 'start'>>;

type Column = readonly [
  title: string,
  show: (numbers: Numbers, currency: CurrencyRate | undefined) => string,
];

const COLUMNS: readonly Column[] = [
  ['calls', ({ calls }) => shownCount(calls)],
  ['input', ({ inputTokens }) => shownCount(inputTokens)],
  ['cached', ({ cacheReadTokens }) => shownCount(cacheReadTokens)],
  ['output', ({ outputTokens }) => shownCount(outputTokens)],
  ['total', ({ totalTokens }) => shownCount(totalTokens)],
  ['share', ({ share }) => shownShare(share)],
  ['cost', (numbers, currency) => shownSum(numbers, currency)],
  ['errors', ({ errors }) => shownCount(errors)],
  ['mean', ({ durationMs, calls }) => shownDuration(calls === 0 ? undefined : durationMs / calls)],
];
const PERCENTILES: readonly Column[] = [
  ['p50', ({ durationP50Ms }) => shownDuration(durationP50Ms)],
  ['p95', ({ durationP95Ms }) => shownDuration(durationP95Ms)],
];
const CHANGE: Column = [
  'change',
  // Hours and days are not compared: the previous period has different ones.
  ({ calls, totalTokens, previous, start }) =>
    start === undefined ? changeOf(totalTokens ?? calls, previous) : '-',
];

export function reportTable(
  { groupBy, rows, total, previous }: UsageSummary,
  {
    percentiles,
    currency,
  }: { readonly percentiles: boolean; readonly currency?: CurrencyRate | undefined },
): string {
  const columns = [
    ...COLUMNS,
    ...(percentiles ? PERCENTILES : []),
    ...(previous === undefined ? [] : [CHANGE]),
  ];
  const cellsOf = (numbers: Numbers): string[] =>
    columns.map(([, show]) => show(numbers, currency));
  const head = [...groupBy, ...columns.map(([title]) => title)];
  const lines = rows.map((row) => [
    ...groupBy.map((group) => shownName(row[group])),
    ...cellsOf(row),
  ]);
  const sum = cellsOf(previous === undefined ? total : { ...total, previous });
  const label = groupBy.map((_, place) => (place === 0 ? 'TOTAL' : ''));
  return textTable(
    head,
    [...lines, [...label, ...sum]],
    columns.map(([title]) => title),
  );
}

/** `+12.3 %`, or `new` when the previous period has no calls. */
function changeOf(now: number, previous: UsageNumbers | undefined): string {
  const before = previous?.totalTokens ?? previous?.calls ?? 0;
  if (before === 0) return now === 0 ? '-' : 'new';
  const change = (now - before) / before;
  return `${change < 0 ? '' : '+'}${(change * 100).toFixed(1)} %`;
}

export interface ReportNotes {
  readonly source: string;
  readonly prices: PriceSource | undefined;
  readonly unpriced: readonly UnpricedModel[];
  readonly currency?: CurrencyRate | undefined;
}

/** Notes on the origin and quality of the numbers. */
export function reportNotes(
  answer: UsageSummary,
  { source, prices, unpriced, currency }: ReportNotes,
): string {
  const { from, to, total, missing = [] } = answer;
  const lines = [`${from} to ${to} in ${source}`];
  if (total.users !== undefined && total.conversations !== undefined) {
    lines.push(
      `${shownCount(total.users)} users, ${shownCount(total.conversations)} conversations`,
    );
  }
  if (total.calls === 0) lines.push('No calls were recorded in this range.');
  for (const part of missing) {
    lines.push(
      `Incomplete: calls from ${part.from} to ${part.to} are no longer kept, and sums do not answer this question`,
    );
  }
  if (total.estimatedShare !== undefined && total.estimatedShare > 0) {
    lines.push(`${shownShare(total.estimatedShare)} of the token counts are estimates`);
  }
  if (prices !== undefined) {
    lines.push(`Current list prices: ${shownPriceSource(prices)}; recorded calls keep their cost`);
    if (prices.problem !== undefined) lines.push(prices.problem);
  }
  if (currency !== undefined) lines.push(shownRate(currency));
  if (total.partialCostCalls > 0) {
    lines.push(`The cost is at least what is shown: ${shownPartial(total.partialCostCalls)}`);
  }
  if (unpriced.length > 0) {
    const names = unpriced.map(
      ({ provider, model, calls }) =>
        `${shownName(provider)}/${shownName(model)} (${shownCount(calls)})`,
    );
    lines.push(`Calls without a price, not included in the cost: ${names.join(', ')}`);
  }
  return lines.map((line) => `${line}\n`).join('');
}

const CSV_NUMBERS = [
  'calls',
  'errors',
  'aborted',
  'inputTokens',
  'outputTokens',
  'totalTokens',
  'cacheReadTokens',
  'cacheWriteTokens',
  'reasoningTokens',
  'costUsd',
  'unpricedCalls',
  'partialCostCalls',
  'estimatedShare',
  'durationMs',
  'durationP50Ms',
  'durationP95Ms',
  'durationP99Ms',
  'timeToFirstChunkMs',
  'outputTokensPerSecond',
  'blocked',
] as const satisfies readonly (keyof UsageNumbers)[];

/** Rows without the total, which a consumer would add twice; without groups only the total. */
export async function reportCsv(
  { groupBy, rows, total }: UsageSummary,
  currency?: CurrencyRate,
): Promise<string> {
  const { csvLine, usageJson } = await import('otel-token-meter/exporter');
  const names = Object.keys(usageJson(Object.fromEntries(CSV_NUMBERS.map((name) => [name, 0]))));
  const cells = (numbers: UsageNumbers): Cell[] => [
    ...CSV_NUMBERS.map((name) => numbers[name]),
    ...(currency ? currencyCells(numbers.costUsd, currency) : []),
  ];
  const lines =
    groupBy.length === 0
      ? [cells(total)]
      : rows.map((row) => [...groupBy.map((group) => row[group]), ...cells(row)]);
  const head = [...groupBy, ...names, ...(currency ? CURRENCY_COLUMNS : [])];
  return [head, ...lines].map(csvLine).join('');
}

type Cell = string | number | null | undefined;

const CURRENCY_COLUMNS = ['cost', 'currency', 'usd_per_unit', 'rate_date'];

/** The cost in the display currency, with the rate that it was converted at. */
function currencyCells(
  costUsd: number | undefined,
  { code, usdPerUnit, date }: CurrencyRate,
): Cell[] {
  const cost = costUsd === undefined ? undefined : Math.round((costUsd / usdPerUnit) * 1e9) / 1e9;
  return [cost, code, usdPerUnit, date];
}
