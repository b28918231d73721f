import { Readable } from 'node:stream';
import {
  CSV_BYTE_ORDER_MARK,
  csvLine,
  usageJson,
  type UsageQuery,
  type UsageReader,
  type UsageSummary,
} from 'otel-token-meter/exporter';
import type { z } from 'zod';
import { type TableColumn, tableColumns, type tableParameters } from './usage-schemas.ts';

/** Values with a separate row; beyond them is one row of all others. */
const MAX_ROWS = 100_000;
/** How long all rows of a question are kept, at least: pages, searches and orders of one visit. */
const KEPT_MS = 10_000;
/** A question that took long is kept for a multiple of that time. */
const KEPT_FACTOR = 10;
/** Questions whose rows are kept. */
const MAX_KEPT = 4;

type Row = UsageSummary['rows'][number];
type Parameters = z.output<typeof tableParameters>;

interface Kept {
  readonly summary: Promise<UsageSummary>;
  until: number;
}

/** One page of a table, and how many rows there are. */
export interface TablePage {
  readonly summary: UsageSummary;
  readonly rows: readonly Row[];
  readonly count: number;
}

export type SummaryReader = Pick<UsageReader, 'summary'>;

/**
 * Every value of a key with its sums, in pages. The ledger is asked once for all rows of a range; the
 * pages, orders and searches that follow are answered from memory, for the same reader alone.
 */
export class UsageTables {
  readonly #kept = new WeakMap<SummaryReader, Map<string, Kept>>();

  /** `queryOf` makes the question for the ledger, at the time of asking. */
  async page(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<TablePage> {
    const { offset = 0, limit = 50 } = parameters;
    const summary = await this.#summary(reader, parameters, queryOf);
    const rows = arranged(summary.rows, parameters);
    return { summary, rows: rows.slice(offset, offset + limit), count: rows.length };
  }

  /** All rows, as a file. */
  async csv(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<Readable> {
    const { group_by: key } = parameters;
    const { rows } = await this.#summary(reader, parameters, queryOf);
    const columns = tableColumns.filter((column) => column !== 'name');
    const lines = arranged(rows, parameters).map((row) =>
      csvLine([nameOf(row, key), ...columns.map((column) => valueOf(row, column))]),
    );
    return Readable.from([CSV_BYTE_ORDER_MARK + csvLine([key, ...columns]), ...lines]);
  }

  async #summary(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<UsageSummary> {
    const { sort: _, order: __, search: ___, offset: ____, limit: _____, ...question } = parameters;
    const kept = this.#kept.get(reader) ?? new Map<string, Kept>();
    this.#kept.set(reader, kept);
    const name = JSON.stringify(question);
    const began = performance.now();
    for (const [each, { until }] of kept) if (until < began) kept.delete(each);
    const known = kept.get(name);
    if (known) return await known.summary;
    const asked = { summary: this.#ask(reader, queryOf), until: Number.POSITIVE_INFINITY };
    kept.set(name, asked);
    for (const oldest of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(oldest);
    try {
      return await asked.summary;
    } catch (error) {
      kept.delete(name);
      throw error;
    } finally {
      const tookMs = performance.now() - began;
      asked.until = performance.now() + Math.max(KEPT_MS, KEPT_FACTOR * tookMs);
    }
  }

  /** Not ended with one request: others may wait for the same answer. */
  async #ask(reader: SummaryReader, queryOf: () => Promise<UsageQuery>): Promise<UsageSummary> {
    const { signal: _, ...query } = await queryOf();
    return await reader.summary({ ...query, limit: MAX_ROWS });
  }
}

/** Rows whose name has the text, in the order that is asked for; unknown values come last. */
function arranged(
  rows: readonly Row[],
  { group_by: key, search = '', sort = 'total_tokens', order = 'desc' }: Parameters,
): readonly Row[] {
  const wanted = search.trim().toLowerCase();
  const found =
    wanted === ''
      ? rows
      : rows.filter((row) => !row.isOther && nameOf(row, key).toLowerCase().includes(wanted));
  const sign = order === 'asc' ? 1 : -1;
  const collator = new Intl.Collator('en');
  return found.toSorted((a, b) => {
    if (a.isOther || b.isOther) return Number(a.isOther ?? 0) - Number(b.isOther ?? 0);
    if (sort === 'name') return sign * collator.compare(nameOf(a, key), nameOf(b, key));
    const [x, y] = [valueOf(a, sort), valueOf(b, sort)];
    if (x === undefined || y === undefined) {
      return Number(x === undefined) - Number(y === undefined);
    }
    return sign * (x - y);
  });
}

function nameOf(row: Row, key: Parameters['group_by']): string {
  return row[key] ?? '';
}

function valueOf(row: Row, column: Exclude<TableColumn, 'name'>): number | undefined {
  return column === 'mean_duration_ms'
    ? row.durationMs / row.calls
    : (row[camel(column)] as number | undefined);
}

function camel(name: string): keyof Row {
  return name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase()) as keyof Row;
}

/** As the API answers it. */
export function tableJson({ summary, rows, count }: TablePage): object {
  const { from, to, groupBy, total } = summary;
  return usageJson({ from, to, groupBy, count, rows, total });
}
