import { Readable } from 'node:stream';
import {
  CSV_BYTE_ORDER_MARK,
  csvLine,
  usageJson,
  type UsageMetric,
  type UsageQuery,
  type UsageReader,
  type UsageSummary,
} from 'otel-token-meter/exporter';
import type { z } from 'zod';
import { type UnitName, unitNames } from './usage-numbers.ts';
import { camel } from './usage-query.ts';
import {
  METRICS,
  type TableColumn,
  tableColumns,
  type tableParameters,
} from './usage-parameters.ts';

/** Values with a separate row; beyond them is one row of all others. */
const MAX_ROWS = 100_000;
/** How long all rows of a question are kept, at least: pages, searches and orders of one visit. */
const KEPT_MS = 10_000;
/** A question that took long is kept for a multiple of that time. */
const KEPT_FACTOR = 10;
/** What the rows of a question do not depend on. */
const OF_PAGE: ReadonlySet<string> = new Set([
  'sort',
  'order',
  'search',
  'offset',
  'limit',
  'quick',
]);
/** Questions whose rows are kept. */
const MAX_KEPT = 4;

type Row = UsageSummary['rows'][number];
type Parameters = z.output<typeof tableParameters>;

interface Kept {
  readonly summary: Promise<UsageSummary>;
  /** Its rows, by column and direction. */
  readonly orders: Map<string, readonly Row[]>;
  isRead: boolean;
  until: number;
}

/** One page of a table, and how many rows there are. */
export interface TablePage {
  readonly summary: UsageSummary;
  readonly rows: readonly Row[];
  /** Undefined: not counted yet. */
  readonly count: number | undefined;
}

export type SummaryReader = Pick<UsageReader, 'summary'>;

/**
 * Every value of a key with its sums, in pages. The ledger is asked once for all rows of a range; the
 * pages, orders and searches that follow are answered from memory, for the same reader alone.
 */
export class UsageTables {
  #kept = new WeakMap<SummaryReader, Map<string, Kept>>();

  /** After calls were deleted: nothing of them may be handed out. */
  forget(): void {
    this.#kept = new WeakMap();
  }

  /** `queryOf` makes the question for the ledger, at the time of asking. */
  async page(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<TablePage> {
    const { offset = 0, limit = 50, quick } = parameters;
    if (quick === 'true' && this.#known(reader, nameOfQuestion(parameters))?.isRead !== true) {
      // All rows are asked for next: the store has most of the work done by then.
      const first = await this.#firstPage(reader, parameters, queryOf);
      if (first !== undefined) return first;
    }
    const kept = this.#keptFor(reader, parameters, queryOf);
    const summary = await kept.summary;
    const rows = arranged(summary.rows, kept.orders, parameters);
    return { summary, rows: rows.slice(offset, offset + limit), count: rows.length };
  }

  /** All rows, as a file. */
  async csv(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<Readable> {
    const { group_by: key } = parameters;
    const kept = this.#keptFor(reader, parameters, queryOf);
    const { rows } = await kept.summary;
    const columns = tableColumns.filter((column) => column !== 'name');
    const units = unitNames.filter((name) => rows.some((row) => unitOf(row, name) !== undefined));
    const values = [
      ...columns.map(valuesOf),
      ...units.map((name) => (row: Row) => unitOf(row, name)),
    ];
    const lines = arranged(rows, kept.orders, parameters).map((row) =>
      csvLine([nameOf(row, key), ...values.map((valueIn) => valueIn(row))]),
    );
    const head = csvLine([key, ...columns, ...units]);
    return Readable.from([CSV_BYTE_ORDER_MARK + head, ...lines]);
  }

  /** What the ledger ranks by itself; undefined where it cannot. */
  async #firstPage(
    reader: SummaryReader,
    { sort = 'total_tokens', order = 'desc', search = '', offset = 0, limit = 50 }: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Promise<TablePage | undefined> {
    if (offset > 0 || search.trim() !== '' || !isRanked(sort)) return undefined;
    const query = await queryOf();
    const orderBy = camel(sort) as UsageMetric;
    const summary = await reader.summary({ ...query, compare: 'none', orderBy, order, limit });
    return { summary, rows: summary.rows.filter((row) => !row.isOther), count: undefined };
  }

  #keptFor(
    reader: SummaryReader,
    parameters: Parameters,
    queryOf: () => Promise<UsageQuery>,
  ): Kept {
    const name = nameOfQuestion(parameters);
    const began = performance.now();
    const known = this.#known(reader, name);
    if (known) return known;
    const kept = this.#kept.get(reader) ?? new Map<string, Kept>();
    this.#kept.set(reader, kept);
    const asked: Kept = {
      summary: this.#ask(reader, queryOf),
      orders: new Map(),
      isRead: false,
      until: Number.POSITIVE_INFINITY,
    };
    kept.set(name, asked);
    for (const oldest of [...kept.keys()].slice(0, -MAX_KEPT)) kept.delete(oldest);
    asked.summary.then(
      () => {
        asked.isRead = true;
        const tookMs = performance.now() - began;
        asked.until = performance.now() + Math.max(KEPT_MS, KEPT_FACTOR * tookMs);
      },
      () => kept.delete(name),
    );
    return asked;
  }

  #known(reader: SummaryReader, name: string): Kept | undefined {
    const kept = this.#kept.get(reader);
    const now = performance.now();
    for (const [each, { until }] of kept ?? []) if (until < now) kept?.delete(each);
    return kept?.get(name);
  }

  /** Not ended with one request: others may wait for the same answer. */
  async #ask(reader: SummaryReader, queryOf: () => Promise<UsageQuery>): Promise<UsageSummary> {
    const { signal: _, ...query } = await queryOf();
    return await reader.summary({ ...query, limit: MAX_ROWS });
  }
}

/** The part of a request that its rows depend on. */
function nameOfQuestion(parameters: Parameters): string {
  return JSON.stringify(
    Object.entries(parameters).filter(([parameter]) => !OF_PAGE.has(parameter)),
  );
}

function isRanked(sort: TableColumn): boolean {
  return (METRICS as readonly string[]).includes(sort);
}

/** Rows whose name has the text, in the order that is asked for. */
function arranged(
  rows: readonly Row[],
  orders: Kept['orders'],
  { group_by: key, search = '', sort = 'total_tokens', order = 'desc' }: Parameters,
): readonly Row[] {
  const name = `${sort} ${order}`;
  const ordered = orders.get(name) ?? inOrder(rows, key, sort, order);
  orders.set(name, ordered);
  const wanted = search.trim().toLowerCase();
  if (wanted === '') return ordered;
  return ordered.filter((row) => !row.isOther && nameOf(row, key).toLowerCase().includes(wanted));
}

/**
 * Unknown values come last, and after them the row of all others. Equal ones are in the order of their keys, as in
 * answers of a store. Places are sorted, by columns of numbers and texts: rows themselves take three times as long.
 */
function inOrder(
  rows: readonly Row[],
  key: Parameters['group_by'],
  sort: TableColumn,
  order: 'asc' | 'desc',
): readonly Row[] {
  const sign = order === 'asc' ? 1 : -1;
  const names = rows.map((row) => row[key]);
  const last = Uint8Array.from(rows, (row) => (row.isOther === true ? 1 : 0));
  const byKey = (a: number, b: number): number => keyOrder(names[a], names[b]);
  const places = Uint32Array.from(rows.keys());
  if (sort === 'name') {
    // Letters with their accents beside those without; a collation takes five times as long.
    const texts = names.map((name) => (name ?? '').normalize('NFD').toLowerCase());
    places.sort((a, b) => {
      if (last[a] !== last[b]) return last[a]! - last[b]!;
      return texts[a] === texts[b] ? byKey(a, b) : sign * (texts[a]! < texts[b]! ? -1 : 1);
    });
  } else {
    const valueOf = valuesOf(sort);
    const values = Float64Array.from(rows, (row) => valueOf(row) ?? Number.NaN);
    places.sort((a, b) => {
      if (last[a] !== last[b]) return last[a]! - last[b]!;
      const [x, y] = [values[a]!, values[b]!];
      if (x === y) return byKey(a, b);
      return Number.isNaN(x - y) ? nanOrder(x, y) || byKey(a, b) : sign * (x - y);
    });
  }
  return Array.from(places, (place) => rows[place]!);
}

/** Calls without a key come after those with one. */
function keyOrder(a: string | null | undefined, b: string | null | undefined): number {
  if (a === b) return 0;
  if (typeof a !== 'string' || typeof b !== 'string') return typeof a === 'string' ? -1 : 1;
  return a < b ? -1 : 1;
}

const nanOrder = (x: number, y: number): number =>
  Number(Number.isNaN(x)) - Number(Number.isNaN(y));

function nameOf(row: Row, key: Parameters['group_by']): string {
  return row[key] ?? '';
}

function valuesOf(column: Exclude<TableColumn, 'name'>): (row: Row) => number | undefined {
  if (column === 'mean_duration_ms') return (row) => row.durationMs / row.calls;
  const member = camel(column) as keyof Row;
  return (row) => row[member] as number | undefined;
}

function unitOf(row: Row, name: UnitName): number | undefined {
  return row.units?.[camel(name) as keyof NonNullable<Row['units']>];
}

/** As the API answers it. */
export function tableJson({ summary, rows, count }: TablePage): object {
  const { from, to, groupBy, total, missing } = summary;
  return usageJson({ from, to, groupBy, count, rows, total, ...(missing && { missing }) });
}
