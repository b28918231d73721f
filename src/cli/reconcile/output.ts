import { COST, type Bill, type BillSide } from '../../bill/bill.ts';
import type { Range } from '../../bill/comparison.ts';
import type { Coverage } from '../../bill/coverage.ts';
import type { Finding } from '../../bill/reasons/reason.ts';
import type { Reconciliation, ReconciledRow } from '../../bill/reconcile.ts';
import { shownCount, shownName, withoutControls } from '../shown-number.ts';
import { textTable } from '../text-table.ts';

export interface ReconciliationContext {
  readonly bill: Bill;
  readonly range: Range;
  /** Name of the ledger. */
  readonly ledger: string;
  readonly calls: number;
  readonly prices: string;
}

const NUMBERS = ['ledger', 'bill', 'gap'];

export function reconciliationText(
  { rows, findings, state, coverage, linesOutside, aliases }: Reconciliation,
  { bill, range, ledger, calls, prices }: ReconciliationContext,
  { all }: { readonly all: boolean },
): string {
  const days = `${day(range.from)} to ${day(new Date(range.to.getTime() - 1))} (UTC)`;
  const gaps = rows.filter((row) => row.state === 'gap');
  const roundings = rows.filter((row) => row.state === 'rounding').length;
  const shown = all ? rows : gaps;
  const lines = [
    `${bill.source}, beside ${ledger}, ${days}`,
    `Prices: ${prices}`,
    ...bill.notes.map(withoutControls),
    ...[...aliases].map(
      ([name, model]) => `${shownName(name)} of the bill is ${shownName(model)} of the ledger`,
    ),
    ...(linesOutside === 0
      ? []
      : [
          `${shownCount(linesOutside)} lines of the bill are outside these days and were left out.`,
        ]),
    ...(calls === 0 ? ['The ledger has no calls in this range.'] : []),
    '',
  ];
  const table =
    shown.length === 0
      ? ''
      : `${textTable(['day', 'model', 'kind', ...NUMBERS, 'reason'], shown.map(cells), NUMBERS)}\n`;
  const reasons = findings.flatMap((finding, index) => [
    `${index + 1}. ${finding.code}, ${shownName(finding.model)}, ${daysOf(finding)}${amount(finding)}`,
    `   ${withoutControls(finding.text)}`,
    ...(finding.alternatives.length === 0
      ? []
      : [`   The figures fit as well: ${withoutControls(finding.alternatives.join('; '))}.`]),
  ]);
  const sums = `${shownCount(rows.length - gaps.length)} of ${shownCount(rows.length)} figures are equal${
    roundings === 0 ? '' : `, ${shownCount(roundings)} of them but for roundings`
  }.`;
  return [
    ...lines,
    `${table}${reasons.map((line) => `${line}\n`).join('')}${reasons.length > 0 ? '\n' : ''}${coverageLines(coverage).join('')}${VERDICTS[state]}: ${
      state === 'not_compared' ? `${absentText(coverage)} ` : ''
    }${sums}`,
    '',
  ].join('\n');
}

const VERDICTS = { equal: 'EQUAL', gap: 'GAP', not_compared: 'NOT COMPARED' } as const;

/** `The bill has no usage and no costs.` */
export function absentText({ absent }: Coverage): string {
  const names = absent.map((side: BillSide) => `no ${side}`);
  return `The bill has ${names.join(' and ')} to compare.`;
}

function coverageLines({ compared, onlyInLedger, daysInPart }: Coverage): readonly string[] {
  return [
    ...(compared.length === 0 ? [] : [`Compared: ${compared.join(', ')}\n`]),
    ...(onlyInLedger.length === 0
      ? []
      : [`Not compared, since the bill does not give it: ${onlyInLedger.join(', ')}\n`]),
    ...(daysInPart === 0
      ? []
      : [
          `On ${shownCount(daysInPart)} days of models only costs were compared: charges do not show usage without a price\n`,
        ]),
  ];
}

function cells({
  day: on,
  model,
  kind,
  ledger,
  bill,
  gap,
  state,
  reasons,
}: ReconciledRow): string[] {
  const isCost = kind === COST;
  return [
    on,
    shownName(model),
    kind,
    figure(ledger, isCost),
    figure(bill, isCost),
    state === 'equal' ? '0' : signed(gap, isCost),
    state === 'gap' ? reasons.join(', ') || 'unexplained' : state,
  ];
}

function figure(value: number | undefined, isCost: boolean): string {
  if (value === undefined) return '-';
  return isCost ? value.toFixed(6) : value.toLocaleString('en-US', { maximumFractionDigits: 3 });
}

function signed(value: number, isCost: boolean): string {
  return `${value > 0 ? '+' : ''}${figure(value, isCost)}`;
}

function daysOf({ days }: Finding): string {
  const [first, last] = [days[0] ?? '', days.at(-1) ?? ''];
  if (days.length <= 1) return first;
  return `${shownCount(days.length)} days from ${first} to ${last}`;
}

function amount({ costUsd }: Finding): string {
  if (costUsd === undefined) return '';
  return `, ${costUsd < 0 ? '−' : '+'}$${Math.abs(costUsd).toFixed(2)}`;
}

function day(time: Date): string {
  return time.toISOString().slice(0, 10);
}

export function reconciliationJson(
  { rows, findings, state, coverage, linesOutside, aliases }: Reconciliation,
  { bill, range, ledger, calls, prices }: ReconciliationContext,
): string {
  const document = {
    equal: state === 'equal',
    state,
    compared: coverage.compared,
    not_compared: coverage.onlyInLedger,
    costs_only_days: coverage.daysInPart,
    bill_lacks: coverage.absent,
    lines_outside: linesOutside,
    source: bill.source,
    ledger,
    from: range.from.toISOString(),
    to: range.to.toISOString(),
    prices,
    calls_read: calls,
    notes: bill.notes,
    aliases: Object.fromEntries(aliases),
    findings: findings.map(({ code, model, days, subject, text, costUsd, alternatives }) => ({
      code,
      model,
      days,
      subject,
      text,
      ...(costUsd !== undefined && { cost_usd: costUsd }),
      alternatives,
    })),
    rows,
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

export async function reconciliationCsv({ rows }: Reconciliation): Promise<string> {
  const { csvLine } = await import('otel-token-meter/exporter');
  const head = ['day', 'model', 'kind', ...NUMBERS, 'state', 'reasons'];
  return [
    head,
    ...rows.map(({ day: on, model, kind, ledger, bill, gap, state, reasons }) => [
      on,
      model,
      kind,
      ledger,
      bill,
      gap,
      state,
      reasons.join(' '),
    ]),
  ]
    .map(csvLine)
    .join('');
}
