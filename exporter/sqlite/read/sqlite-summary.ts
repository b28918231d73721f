import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import { type Cells, OTHER } from '../../ledger/queries/cells.ts';
import { type Key } from '../../ledger/queries/key.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import { rankKeys } from '../../ledger/queries/ranking.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { metrics, type SumsTable } from '../../ledger/queries/sums-table.ts';
import type { Tally } from '../../ledger/queries/usage-sums.ts';
import { DayBlockReader } from '../day-block.ts';
import { binOfColumn, OPEN_DAYS } from '../summed-days.ts';
import { daySums } from './day-sums.ts';
import { missingCalls } from './missing-calls.ts';
import { splitAtHours } from './split-at-hours.ts';
import { type Sum, sumsWith } from '../sums.ts';
import { metricColumn, SumColumns } from './sum-columns.ts';
import {
  binsOf,
  bucketOf,
  callConditions,
  dayKindFor,
  isRolledUp,
  type LedgerDays,
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
  readonly #blocks = new DayBlockReader();
  #ledgerDays: LedgerDays | undefined;

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

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    if (this.#summedParts(query) !== undefined) return await this.#rankDays(query);
    const ties = query.dimensions.map(nameOf).map((name) => `${name} IS NULL, ${name}`);
    const direction = query.ascending ? 'ASC' : 'DESC';
    const order = ` ORDER BY metric IS NULL, metric ${direction}, ${ties.join(', ')} LIMIT ?`;
    return [...this.#metrics(query, sourceOf(query), order, [query.limit])].map(([key]) => key);
  }

  /** Keys of whole days are too many to be sorted by SQLite in the time of a view. */
  async #rankDays(query: CheckedQuery): Promise<readonly Key[]> {
    const whole = { ...query, unit: undefined };
    return await rankKeys(query, (add) => {
      for (const { table } of this.#days(whole)) {
        for (const [key, value] of metrics(table, query.orderBy)) add(key, value);
      }
      for (const source of this.#sources(whole)) {
        for (const [key, value] of this.#metrics(query, source)) add(key, value);
      }
      return Promise.resolve();
    });
  }

  *#metrics(
    query: CheckedQuery,
    { text, values }: Sql,
    order = '',
    more: readonly SQLInputValue[] = [],
  ): Generator<readonly [key: Key, value: number | null]> {
    const dimensions = query.dimensions.map(nameOf).join(', ');
    const statement = this.#statement(
      `SELECT ${dimensions}, CAST(sum(${metricColumn(query.orderBy)}) AS REAL) AS metric
       FROM (${text}) GROUP BY ${dimensions}${order}`,
    );
    for (const row of statement.iterate(...values, ...more)) {
      yield [keyOf(query, row), numberOf(row['metric']) ?? null];
    }
  }

  gather(query: CheckedQuery, cells: Cells): Promise<void> {
    if (cells.named !== undefined) this.#fillNamed(cells.named.keys);
    const groups = groupsOf(query, cells);
    const bucket = bucketOf(query);
    const sums = this.#sums();
    const columns = new SumColumns(sums);
    for (const source of this.#sources(query, sums)) {
      const from = `FROM (${source.text}) AS source`;
      this.#add(
        cells,
        columns.names,
        `SELECT ${bucket} AS bucket, ${columns.select}${groups.select} ${from} GROUP BY bucket${groups.names}`,
        source.values,
      );
    }
    for (const { table, day } of this.#days(query)) {
      cells.addTable(table, query.unit === undefined ? undefined : day);
    }
    if (query.percentiles) {
      this.#gatherBins(query, cells, 'duration_ms', 'duration');
      this.#gatherBins(query, cells, 'time_to_first_chunk_ms', 'firstChunk');
    }
    return Promise.resolve();
  }

  /** Adds rows of a bucket, sums, and a key or its place. */
  #add(
    cells: Cells,
    names: SumColumns['names'],
    text: string,
    values: readonly SQLInputValue[],
  ): void {
    const statement = this.#statement(text);
    statement.setReturnArrays(true);
    const hasPlaces = cells.named !== undefined;
    const keysAt = names.length + 1;
    const rows: Iterable<unknown> = statement.iterate(...values);
    for (const row of rows as Iterable<readonly SQLOutputValue[]>) {
      const bucket = numberOf(row[0]);
      const { sums } = hasPlaces
        ? cells.tallyAt(numberOf(row[keysAt]) ?? OTHER, bucket)
        : cells.tally(row.slice(keysAt).map(textOf), bucket);
      for (const [index, name] of names.entries()) {
        const value = row[index + 1];
        if (typeof value === 'number') sums[name] = (sums[name] ?? 0) + value;
      }
    }
  }

  distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const count = (dimension: 'user' | 'conversation'): number => {
      const asked = { ...query, dimensions: [dimension], unit: undefined };
      this.#database.exec(
        'CREATE TEMP TABLE IF NOT EXISTS counted (key TEXT PRIMARY KEY) WITHOUT ROWID; DELETE FROM counted',
      );
      const insert = this.#statement('INSERT OR IGNORE INTO counted VALUES (?)');
      for (const { table } of this.#days(asked)) {
        for (let row = 0; row < table.rows; row++) {
          const name = table.nameOf(row);
          if (name !== null) insert.run(name);
        }
      }
      for (const { text, values } of this.#sources(asked)) {
        const keys = `SELECT DISTINCT ${dimension} FROM (${text}) WHERE ${dimension} IS NOT NULL`;
        this.#statement(`INSERT OR IGNORE INTO counted ${keys}`).run(...values);
      }
      return numberOf(this.#statement('SELECT count(*) AS keys FROM counted').get()?.['keys']) ?? 0;
    };
    return Promise.resolve({ users: count('user'), conversations: count('conversation') });
  }

  missing(query: CheckedQuery): Promise<readonly TimeRange[]> {
    return Promise.resolve(missingCalls(this.#database, query, this.#daysOfLedger()));
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
    const summed = isRolledUp(query) ? summedParts(query, this.#daysOfLedger()) : undefined;
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
    for (const { fromMs, toMs } of ranges.flatMap((range) => this.#byDay(range))) {
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

  /** What is not in whole days, in pieces that are grouped one by one. */
  #sources(query: CheckedQuery, sums?: readonly Sum[]): readonly Sql[] {
    if (rollUpsFor(query).length > 0) return [sourceOf(query, sums)];
    const summed = this.#summedParts(query);
    return (summed?.rest ?? [query]).flatMap((range) =>
      this.#byDay({ ...query, ...range }).map((day) => sourceOf({ ...query, ...day }, sums)),
    );
  }

  /** With the units that calls have. */
  #sums(): readonly Sum[] {
    const rows = this.#statement('SELECT name FROM usage_unit').all();
    return sumsWith(new Set(rows.map(({ name }) => String(name))));
  }

  /** Whole days of users or conversations; each until the next. */
  *#days(query: CheckedQuery): Generator<{ readonly day: number; readonly table: SumsTable }> {
    const [kind, summed] = [dayKindFor(query), this.#summedParts(query)];
    if (kind === undefined || summed === undefined) return;
    const statement = this.#statement(
      `SELECT day, block FROM usage_day_block WHERE kind = ? AND day >= ? AND day < ?
         AND day IN (SELECT day FROM usage_summed_day) AND keep_going() ORDER BY day`,
    );
    for (const { day, block } of statement.iterate(kind, summed.first, summed.end)) {
      const table = daySums(query, this.#blocks.read(block as Uint8Array));
      yield { day: Number(day), table };
    }
  }

  #summedParts(query: CheckedQuery): SummedParts | undefined {
    if (dayKindFor(query) === undefined) return undefined;
    return summedParts(query, this.#daysOfLedger());
  }

  /** One moment of the file is read. */
  #daysOfLedger(): LedgerDays {
    const days = (sql: string): readonly number[] =>
      this.#statement(sql)
        .all()
        .map(({ day }) => Number(day));
    this.#ledgerDays ??= {
      summed: days('SELECT day FROM usage_summed_day ORDER BY day'),
      open: days(OPEN_DAYS),
    };
    return this.#ledgerDays;
  }

  /**
   * The part of the range that has calls, by the day: grouping sorts its calls, and a day of them fits
   * into memory where a year of them is sorted on the disk.
   */
  #byDay({ fromMs, toMs }: CheckedQuery): { readonly fromMs: number; readonly toMs: number }[] {
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
