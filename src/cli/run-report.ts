import type { UsageNumbers, UsageRun } from 'otel-token-meter/exporter';
import type { CurrencyRate } from '../prices/currency.ts';
import {
  shownCount,
  shownDuration,
  shownName,
  shownPartial,
  shownShare,
  shownSum,
} from './shown-number.ts';
import { textTable } from './text-table.ts';

type Part = Pick<UsageRun, 'total' | 'elapsedMs' | 'models' | 'steps'>;

const NUMBERS = ['calls', 'input', 'output', 'total', 'cost', 'errors', 'time'];

/** The tree of a run: steps with all calls inside, and under each the models that it called itself. */
export function runTable(run: UsageRun, currency: CurrencyRate | undefined): string {
  const cellsOf = (numbers: UsageNumbers, elapsedMs: number | undefined): string[] => [
    shownCount(numbers.calls),
    shownCount(numbers.inputTokens),
    shownCount(numbers.outputTokens),
    shownCount(numbers.totalTokens),
    shownSum(numbers, currency),
    shownCount(numbers.errors),
    shownDuration(elapsedMs),
  ];
  const rowsOf = ({ models, steps }: Part, depth: number): string[][] => {
    const indent = '  '.repeat(depth);
    return [
      ...models.map(({ provider, model, ...numbers }) => [
        `${indent}${shownName(provider)}/${shownName(model)}`,
        ...cellsOf(numbers, undefined),
      ]),
      ...steps.flatMap((step) => [
        [`${indent}${step.kind} ${shownName(step.name)}`, ...cellsOf(step.total, step.elapsedMs)],
        ...rowsOf(step, depth + 1),
      ]),
    ];
  };
  const rows = [...rowsOf(run, 0), ['TOTAL', ...cellsOf(run.total, run.elapsedMs)]];
  return textTable(['step', ...NUMBERS], rows, NUMBERS);
}

/** What the numbers leave out. */
export function runNotes({ id, start, end, total, truncated, ...run }: UsageRun): string {
  const lines = [`Run ${shownName(id)}: ${start} to ${end}`];
  if (truncated) lines.push('The run has more calls; only the newest ones are counted.');
  if (run.foldedCalls !== undefined) {
    lines.push(`${shownCount(run.foldedCalls)} calls are counted in the step around their own.`);
  }
  if (total.estimatedShare !== undefined && total.estimatedShare > 0) {
    lines.push(`${shownShare(total.estimatedShare)} of the token counts are estimates`);
  }
  if (total.partialCostCalls > 0) {
    lines.push(`The cost is at least what is shown: ${shownPartial(total.partialCostCalls)}`);
  }
  if (total.unpricedCalls > 0) {
    lines.push(
      `Calls without a price, not included in the cost: ${shownCount(total.unpricedCalls)}`,
    );
  }
  return lines.map((line) => `${line}\n`).join('');
}
