import type { UsageReader } from 'otel-token-meter/exporter';
import { allRecords } from '../all-records.ts';
import { type FocusAccount, FOCUS_COLUMNS, focusCells } from '../../bill/focus/columns.ts';
import { Charges, type FocusTotals } from '../../bill/focus/charges.ts';
import type { Prices } from '../../prices/prices.ts';

export interface FocusExport {
  readonly reader: UsageReader;
  readonly prices: Prices;
  readonly from: Date;
  readonly to: Date;
  readonly account: FocusAccount;
  readonly tags: readonly string[];
  readonly write: (text: string) => Promise<void>;
  readonly onProgress: (calls: number) => void;
}

/** Calls between two words of progress. */
const SHOWN_EVERY = 1000;
const ROWS_AT_ONCE = 1000;

/** Writes the calls of a range as FOCUS 1.2. */
export async function writeFocus(options: FocusExport): Promise<FocusTotals> {
  const { reader, prices, from, to, account, tags, write, onProgress } = options;
  const { csvLine } = await import('otel-token-meter/exporter');
  const charges = new Charges(prices, tags);
  for await (const record of allRecords(reader, { from, to })) {
    charges.add(record);
    if (charges.totals.calls % SHOWN_EVERY === 0) onProgress(charges.totals.calls);
  }
  await write(csvLine(FOCUS_COLUMNS));
  const rows = charges.sorted();
  for (let start = 0; start < rows.length; start += ROWS_AT_ONCE) {
    const some = rows.slice(start, start + ROWS_AT_ONCE);
    await write(some.map((charge) => csvLine(focusCells(charge, account))).join(''));
  }
  return charges.totals;
}
