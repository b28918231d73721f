import type { DatabaseSync, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Cells, Key } from '../../ledger/queries/cells.ts';
import { OTHER } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { addSums, type Tally, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { UsageMetric } from '../../ledger/usage-query.ts';
import { SUMS } from '../roll-up.ts';
import { binOfColumn } from '../summed-days.ts';
import {
  binsOf,
  bucketOf,
  callConditions,
  dayTableFor,
  daysOf,
  isRolledUp,
  namedDimensions,
  nameOf,
  placeOf,
  rollUpsFor,
  type Sql,
  sourceOf,
  summedParts,
} from './summary-sql.ts';

const DAY_MS = 86_400_000;

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

const SUM_NAMES = [...SUMS.map(camel), 'errors', 'aborted', 'blocked'] as (keyof UsageSums)[];

/** As a double: exact up to 2^53, and beyond it no error, which an integer of that size would be. */
const SELECT_SUMS = [
  ...SUMS.map((name) => `CAST(sum(${name}) AS REAL) AS ${camel(name)}`),
  "CAST(sum(iif(outcome = 'error', calls, 0)) AS REAL) AS errors",
  "CAST(sum(iif(outcome = 'aborted', calls, 0)) AS REAL) AS aborted",
  "CAST(sum(iif(outcome = 'blocked', calls, 0)) AS REAL) AS blocked",
].join(', ');

function metricColumn(metric: UsageMetric): string {
  if (metric === 'errors') return "iif(outcome = 'error', calls, 0)";
  if (metric === 'costUsd') return 'cost_nanos';
  return metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

type Row = Readonly<Record<string, SQLOutputValue>>;

const numberOf = (value: SQLOutputValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Summaries of one ledger file. What could grow without bound stays inside SQLite. */
export class SqliteSummarySource implements SummarySource {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  #summed: ReadonlySet<number> | undefined;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  rank(query: CheckedQuery): Promise<readonly Key[]> {
    const source = this.#whole(query);
    const names = query.dimensions.map(nameOf);
    const dimensions = names.join(', ');
    const ties = names.map((name) => `${name} IS NULL, ${name}`).join(', ');
    const direction = query.ascending ? 'ASC' : 'DESC';
    const rows = this.#database
      .prepare(
        `SELECT ${dimensions}, sum(${metricColumn(query.orderBy)}) AS metric
         FROM (${source.text}) GROUP BY ${dimensions}
         ORDER BY metric IS NULL, metric ${direction}, ${ties} LIMIT ?`,
      )
      .all(...source.values, query.limit);
    return Promise.resolve(rows.map((row) => keyOf(query, row)));
  }

  gather(query: CheckedQuery, cells: Cells): Promise<void> {
    if (cells.named !== undefined) this.#fillNamed(cells.named.keys);
    const groups = groupsOf(query, cells);
    const [select, names] = [`${bucketOf(query)} AS bucket, ${groups.select}`, groups.names];
    for (const source of this.#sources(query)) {
      const text = `SELECT ${select}, ${SELECT_SUMS} FROM (${source.text}) AS source GROUP BY bucket${names}`;
      for (const row of this.#statement(text).iterate(...source.values)) {
        const sums: Partial<Record<keyof UsageSums, number>> = {};
        for (const name of SUM_NAMES) {
          const value = row[name];
          if (typeof value === 'number') sums[name] = value;
        }
        addSums(tallyOf(query, cells, row).sums, sums);
      }
    }
    if (query.percentiles) {
      this.#gatherBins(query, cells, 'duration_ms', 'duration');
      this.#gatherBins(query, cells, 'time_to_first_chunk_ms', 'firstChunk');
    }
    return Promise.resolve();
  }

  distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const count = (dimension: 'user' | 'conversation'): number => {
      const source = this.#whole({ ...query, dimensions: [dimension], unit: undefined });
      const text = `SELECT count(DISTINCT ${dimension}) AS keys FROM (${source.text})`;
      return numberOf(this.#statement(text).get(...source.values)?.['keys']) ?? 0;
    };
    return Promise.resolve({ users: count('user'), conversations: count('conversation') });
  }

  #gatherBins(
    query: CheckedQuery,
    cells: Cells,
    column: string,
    kind: 'duration' | 'firstChunk',
  ): void {
    const groups = groupsOf(query, cells);
    // A result of a batch took a time that nobody knows.
    const known = kind === 'duration' ? `${column} > 0` : `${column} IS NOT NULL`;
    const summed = isRolledUp(query) ? summedParts(query, this.#summedDays()) : undefined;
    if (summed !== undefined) {
      const source = binsOf(query, kind, summed);
      const text = `SELECT ${bucketOf(query)} AS bucket, ${groups.select}, bins FROM (${source.text}) AS source`;
      for (const row of this.#statement(text).iterate(...source.values)) {
        const { latencies } = tallyOf(query, cells, row);
        const bins = JSON.parse(String(row['bins'])) as readonly (readonly [number, number])[];
        for (const [bin, calls] of bins) latencies?.[kind].addBin(bin, calls);
      }
    }
    const ranges = summed?.rest.map((range) => ({ ...query, ...range })) ?? [query];
    for (const { fromMs, toMs } of ranges.flatMap((range) => this.#days(range))) {
      const { text, values } = callConditions(fromMs, toMs, query.filters);
      const statement = this.#statement(
        `SELECT ${bucketOf(query)} AS bucket, ${groups.select},
           ${binOfColumn(column)} AS bin, count(*) AS calls
         FROM (SELECT *, time_ns / 1000000 AS ms${namedDimensions(query)} FROM usage
               WHERE ${known} AND ${text}) AS source
         GROUP BY bucket${groups.names}, bin`,
      );
      for (const row of statement.iterate(...values)) {
        const { latencies } = tallyOf(query, cells, row);
        latencies?.[kind].addBin(Number(row['bin']), Number(row['calls']));
      }
    }
  }

  /** Everything that the query asks about, as one source. */
  #whole(query: CheckedQuery): Sql {
    const table = dayTableFor(query);
    const summed = table === undefined ? undefined : summedParts(query, this.#summedDays());
    if (table === undefined || summed === undefined) return sourceOf(query);
    const rest = summed.rest.map((range) => sourceOf({ ...query, ...range }));
    const parts = [daysOf(query, table, summed), ...rest];
    return {
      text: parts.map(({ text }) => text).join(' UNION ALL '),
      values: parts.flatMap(({ values }) => values),
    };
  }

  /** The same in pieces that are grouped one by one. */
  #sources(query: CheckedQuery): readonly Sql[] {
    if (rollUpsFor(query).length > 0) return [sourceOf(query)];
    const table = dayTableFor(query);
    const summed = table === undefined ? undefined : summedParts(query, this.#summedDays());
    const byDay = (range: CheckedQuery): readonly Sql[] =>
      this.#days(range).map((day) => sourceOf({ ...query, ...day }));
    if (table === undefined || summed === undefined) return byDay(query);
    const rest = summed.rest.flatMap((range) => byDay({ ...query, ...range }));
    return [daysOf(query, table, summed), ...rest];
  }

  /** Numbers of the days that are summed up; one moment of the file is read. */
  #summedDays(): ReadonlySet<number> {
    this.#summed ??= new Set(
      this.#statement('SELECT day FROM usage_summed_day')
        .all()
        .map(({ day }) => Number(day)),
    );
    return this.#summed;
  }

  /**
   * The part of the range that has calls, by the day: grouping sorts its calls, and a day of them fits
   * into memory where a year of them is sorted on the disk.
   */
  #days({ fromMs, toMs }: CheckedQuery): { readonly fromMs: number; readonly toMs: number }[] {
    const bound = (name: 'min' | 'max'): number | undefined =>
      numberOf(this.#statement(`SELECT ${name}(time_ns) / 1000000 AS ms FROM usage`).get()?.['ms']);
    const [first, last] = [bound('min'), bound('max')];
    if (first === undefined || last === undefined) return [];
    const days: { fromMs: number; toMs: number }[] = [];
    const end = Math.min(toMs, last + 1);
    for (let from = Math.max(fromMs, first); from < end; from += DAY_MS) {
      days.push({ fromMs: from, toMs: Math.min(from + DAY_MS, end) });
    }
    return days;
  }

  #statement(text: string): StatementSync {
    const known = this.#statements.get(text);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(text);
    this.#statements.set(text, statement);
    return statement;
  }

  #fillNamed(keys: readonly Key[]): void {
    this.#database.exec(
      `CREATE TEMP TABLE IF NOT EXISTS named (first, second, place INTEGER);
       CREATE INDEX IF NOT EXISTS temp.named_by_key ON named (first, second, place);
       DELETE FROM named`,
    );
    const insert = this.#database.prepare('INSERT INTO named VALUES (?, ?, ?)');
    for (const [place, [first = null, second = null]] of keys.entries()) {
      insert.run(first, second, place);
    }
  }
}

/** Every key by itself, or its place among the named ones. */
function groupsOf(query: CheckedQuery, { named }: Cells): { select: string; names: string } {
  if (query.dimensions.length === 0) return { select: '0 AS place', names: '' };
  if (named !== undefined) return { select: `${placeOf(query)} AS place`, names: ', place' };
  const names = query.dimensions.map(nameOf).join(', ');
  return { select: names, names: `, ${names}` };
}

function tallyOf(query: CheckedQuery, cells: Cells, row: Row): Tally {
  const bucket = numberOf(row['bucket']);
  if (cells.named !== undefined && query.dimensions.length > 0) {
    return cells.tallyAt(numberOf(row['place']) ?? OTHER, bucket);
  }
  return cells.tally(keyOf(query, row), bucket);
}

function keyOf(query: CheckedQuery, row: Row): Key {
  return query.dimensions.map((dimension) => {
    const value = row[dimension];
    return typeof value === 'string' ? value : null;
  });
}
