import type { Bill, BillLine } from '../../src/bill/bill.ts';
import { LedgerFigures } from '../../src/bill/ledger-figures.ts';
import { reconcile, type Reconciliation } from '../../src/bill/reconcile.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { usageRecord } from './usage-logs.ts';

const DAY_MS = 86_400_000;
const START = Date.parse('2026-10-01T00:00:00Z');

/** Days from 1 October 2026. */
export const DAYS: readonly string[] = Array.from({ length: 10 }, (_, index) => dayAt(index));

function dayAt(index: number): string {
  return new Date(START + index * DAY_MS).toISOString().slice(0, 10);
}

/** Dollars per million: input 1, cached input 0.1, output 10. */
export function costOf(input: number, cached: number, output: number): number {
  return ((input - cached) * 1 + cached * 0.1 + output * 10) / 1e6;
}

/** A call of a model at an hour of a day, with tokens that differ from call to call. */
export function callAt(day: number, hour: number, over: Partial<UsageRecord> = {}): UsageRecord {
  const inputTokens = 1000 + 37 * day + 11 * hour;
  const cacheReadTokens = 100 + 13 * ((day * 7 + hour) % 5);
  const outputTokens = 50 + 29 * ((day * 3 + hour * 5) % 11);
  return usageRecord(START + day * DAY_MS + hour * 3_600_000, {
    requestModel: 'm-1',
    inputTokens,
    cacheReadTokens,
    outputTokens,
    totalTokens: inputTokens + outputTokens,
    tokenSource: 'provider',
    costUsd: costOf(inputTokens, cacheReadTokens, outputTokens),
    ...over,
  });
}

/** Three calls on each of the ten days. */
export function tenDays(over: Partial<UsageRecord> = {}): readonly UsageRecord[] {
  return DAYS.flatMap((_, day) => [2, 9, 22].map((hour) => callAt(day, hour, over)));
}

/** The lines that a provider has of a call. */
export function linesOf(record: UsageRecord, over: Partial<BillLine> = {}): readonly BillLine[] {
  const of = { day: record.time.slice(0, 10), model: record.requestModel, ...over };
  const { costUsd, ...rest } = of;
  return [
    { ...rest, kind: 'calls', quantity: 1 },
    { ...rest, kind: 'input_tokens', quantity: record.inputTokens ?? 0 },
    { ...rest, kind: 'cache_read_tokens', quantity: record.cacheReadTokens ?? 0 },
    { ...rest, kind: 'output_tokens', quantity: record.outputTokens ?? 0 },
    { ...rest, costUsd: costUsd ?? record.costUsd ?? 0 },
  ];
}

export function billOf(lines: readonly BillLine[], over: Partial<Bill> = {}): Bill {
  return { source: 'test', lines, gives: ['usage', 'costs'], notes: [], ...over };
}

/** Reconciles the ten days. */
export function reconciled(bill: Bill, records: readonly UsageRecord[]): Reconciliation {
  const ledger = new LedgerFigures();
  for (const record of records) ledger.add(record);
  const range = { from: new Date(START), to: new Date(START + DAYS.length * DAY_MS) };
  return reconcile(bill, ledger, range, (_, __, quantities) => {
    const of = (kind: string): number => quantities.get(kind) ?? 0;
    return Math.round(
      costOf(of('input_tokens'), of('cache_read_tokens'), of('output_tokens')) * 1e9,
    );
  });
}

/** Codes with their subjects. */
export function namesOf({ findings }: Reconciliation): readonly string[] {
  return findings.map(({ code, subject }) => `${code} ${subject}`.trim());
}
