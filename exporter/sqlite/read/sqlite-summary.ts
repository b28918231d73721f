import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Cells, Key } from '../../ledger/queries/cells.ts';
import { OTHER } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery } from '../../ledger/queries/gather.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import type { Tally } from '../../ledger/queries/usage-sums.ts';
import { binOfColumn } from '../summed-days.ts';
import { splitAtHours } from './split-at-hours.ts';
import { metricColumn, SELECT_NUMBERS, SELECT_SUMS, SUM_NAMES } from './sum-columns.ts';
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
  type SummedParts,
} from './summary-sql.ts';

const DAY_MS = 86_400_000;

type Row = Readonly<Record<string, SQLOutputValue>>;

const textOf = (value: SQLOutputValue | undefined): string | null =>
  typeof value === 'string' ? value : null;

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

  /** Whole hours, whose calls seldom change, and what lies before and after them. */
  split(query: CheckedQuery): Promise<SplitQuery | undefined> {
    return Promise.resolve(
      splitAtHours(query, (first, end) => {
        const sum = 'SELECT total(revision) AS state FROM usage_hour_revision';
        const row = this.#statement(`${sum} WHERE hour >= ? AND hour < ?`).get(first, end);
        // A revision never gets smaller, so their sum tells all changes.
        return String(row?.['state']);
      }),
    );
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
    const bucket = bucketOf(query);
    for (const source of this.#sources(query)) {
      const from = `FROM (${source.text}) AS source`;
      this.#add(
        cells,
        `SELECT ${bucket} AS bucket, ${SELECT_SUMS}${groups.select} ${from} GROUP BY bucket${groups.names}`,
        source.values,
      );
    }
    const days = this.#daysOf(query);
    if (days !== undefined) {
      // To sort them for groups would take longer than to add up every row.
      const isGrouped = cells.named !== undefined;
      const by = isGrouped ? ` GROUP BY bucket${groups.names}` : '';
      const sums = isGrouped ? SELECT_SUMS : SELECT_NUMBERS;
      this.#add(
        cells,
        `SELECT ${bucket} AS bucket, ${sums}${groups.select} FROM (${days.text}) AS source${by}`,
        days.values,
      );
    }
    if (query.percentiles) {
      this.#gatherBins(query, cells, 'duration_ms', 'duration');
      this.#gatherBins(query, cells, 'time_to_first_chunk_ms', 'firstChunk');
    }
    return Promise.resolve();
  }

  /** Adds rows of a bucket, sums, and a key or its place. */
  #add(cells: Cells, text: string, values: readonly SQLInputValue[]): void {
    const statement = this.#statement(text);
    statement.setReturnArrays(true);
    const hasPlaces = cells.named !== undefined;
    const keysAt = SUM_NAMES.length + 1;
    const rows: Iterable<unknown> = statement.iterate(...values);
    for (const row of rows as Iterable<readonly SQLOutputValue[]>) {
      const bucket = numberOf(row[0]);
      const { sums } = hasPlaces
        ? cells.tallyAt(numberOf(row[keysAt]) ?? OTHER, bucket)
        : cells.tally(row.slice(keysAt).map(textOf), bucket);
      for (const [index, name] of SUM_NAMES.entries()) {
        const value = row[index + 1];
        if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
      }
    }
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
      const text = `SELECT ${bucketOf(query)} AS bucket${groups.select}, bins FROM (${source.text}) AS source`;
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
        `SELECT ${bucketOf(query)} AS bucket${groups.select},
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
    const [days, summed] = [this.#daysOf(query), this.#summedParts(query)];
    if (days === undefined || summed === undefined) return sourceOf(query);
    const parts = [days, ...summed.rest.map((range) => sourceOf({ ...query, ...range }))];
    return {
      text: parts.map(({ text }) => text).join(' UNION ALL '),
      values: parts.flatMap(({ values }) => values),
    };
  }

  /** The same without whole days of users or conversations, in pieces that are grouped one by one. */
  #sources(query: CheckedQuery): readonly Sql[] {
    if (rollUpsFor(query).length > 0) return [sourceOf(query)];
    const summed = this.#summedParts(query);
    return (summed?.rest ?? [query]).flatMap((range) =>
      this.#days({ ...query, ...range }).map((day) => sourceOf({ ...query, ...day })),
    );
  }

  /** Rows of whole days of users or conversations, each once. */
  #daysOf(query: CheckedQuery): Sql | undefined {
    const table = dayTableFor(query);
    const summed = this.#summedParts(query);
    return table && summed && daysOf(query, table, summed);
  }

  #summedParts(query: CheckedQuery): SummedParts | undefined {
    if (dayTableFor(query) === undefined) return undefined;
    return summedParts(query, this.#summedDays());
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
  if (query.dimensions.length === 0) {
    return { select: named === undefined ? '' : ', 0 AS place', names: '' };
  }
  if (named !== undefined) return { select: `, ${placeOf(query)} AS place`, names: ', place' };
  const names = query.dimensions.map(nameOf).join(', ');
  return { select: `, ${names}`, names: `, ${names}` };
}

function tallyOf(query: CheckedQuery, cells: Cells, row: Row): Tally {
  const bucket = numberOf(row['bucket']);
  if (cells.named !== undefined && query.dimensions.length > 0) {
    return cells.tallyAt(numberOf(row['place']) ?? OTHER, bucket);
  }
  return cells.tally(keyOf(query, row), bucket);
}

function keyOf(query: CheckedQuery, row: Row): Key {
  return query.dimensions.map((dimension) => textOf(row[dimension]));
}
