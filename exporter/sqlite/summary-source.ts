import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import type { Cells, Key } from '../queries/cells.ts';
import { OTHER } from '../queries/cells.ts';
import type { CheckedQuery } from '../queries/checked-query.ts';
import type { SummarySource } from '../queries/summarise.ts';
import { addSums, type UsageSums } from '../queries/usage-sums.ts';
import type { UsageMetric } from '../usage-reader.ts';
import { SUMS } from './roll-up.ts';
import { binOfColumn, bucketOf, callConditions, indexOf, sourceOf } from './summary-sql.ts';

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

/** As a double: exact up to 2^53, and beyond it no error, which an integer of that size would be. */
const SELECT_SUMS = [
  ...SUMS.map((name) => `CAST(sum(${name}) AS REAL) AS ${camel(name)}`),
  "CAST(sum(iif(outcome = 'error', calls, 0)) AS REAL) AS errors",
  "CAST(sum(iif(outcome = 'aborted', calls, 0)) AS REAL) AS aborted",
].join(', ');

function metricColumn(metric: UsageMetric): string {
  if (metric === 'errors') return "iif(outcome = 'error', calls, 0)";
  if (metric === 'costUsd') return 'cost_nanos';
  return metric.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const numberOf = (value: SQLOutputValue | undefined): number | undefined =>
  typeof value === 'number' ? value : undefined;

/** Summaries of one ledger file. What could grow without bound stays inside SQLite. */
export class SqliteSummarySource implements SummarySource {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  rank(query: CheckedQuery): Promise<readonly Key[]> {
    const source = sourceOf(query);
    const dimensions = query.dimensions.join(', ');
    const ties = query.dimensions.map((name) => `${name} IS NULL, ${name}`).join(', ');
    const direction = query.ascending ? 'ASC' : 'DESC';
    const rows = this.#database
      .prepare(
        `SELECT ${dimensions}, sum(${metricColumn(query.orderBy)}) AS metric
         FROM (${source.text}) GROUP BY ${dimensions}
         ORDER BY metric IS NULL, metric ${direction}, ${ties} LIMIT ?`,
      )
      .all(...source.values, query.limit);
    const text = (value: SQLOutputValue | undefined): string | null =>
      typeof value === 'string' ? value : null;
    return Promise.resolve(
      rows.map((row) => query.dimensions.map((dimension) => text(row[dimension]))),
    );
  }

  gather(query: CheckedQuery, cells: Cells): Promise<void> {
    this.#fillNamed(cells.named.keys);
    const source = sourceOf(query);
    const rows = this.#database
      .prepare(
        `SELECT ${bucketOf(query)} AS bucket, ${indexOf(query)} AS place, ${SELECT_SUMS}
         FROM (${source.text}) AS source GROUP BY 1, 2`,
      )
      .iterate(...source.values);
    for (const row of rows) {
      const { bucket, place, ...sums } = row;
      const tally = cells.tally(numberOf(place) ?? OTHER, numberOf(bucket));
      addSums(tally.sums, sums as Partial<UsageSums>);
    }
    if (query.percentiles) {
      this.#gatherBins(query, cells, 'duration_ms', 'duration');
      this.#gatherBins(query, cells, 'time_to_first_chunk_ms', 'firstChunk');
    }
    return Promise.resolve();
  }

  distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const { text, values } = callConditions(query.fromMs, query.toMs, query.filters);
    const row = this.#database
      .prepare(
        `SELECT count(DISTINCT user) AS users, count(DISTINCT conversation) AS conversations
         FROM usage WHERE ${text}`,
      )
      .get(...values);
    return Promise.resolve({
      users: numberOf(row?.['users']) ?? 0,
      conversations: numberOf(row?.['conversations']) ?? 0,
    });
  }

  #gatherBins(
    query: CheckedQuery,
    cells: Cells,
    column: string,
    kind: 'duration' | 'firstChunk',
  ): void {
    const { text, values } = callConditions(query.fromMs, query.toMs, query.filters);
    const rows = this.#database
      .prepare(
        `SELECT ${bucketOf(query)} AS bucket, ${indexOf(query)} AS place,
           ${binOfColumn(column)} AS bin, count(*) AS calls
         FROM (SELECT *, time_ns / 1000000 AS ms FROM usage
               WHERE ${column} IS NOT NULL AND ${text}) AS source
         GROUP BY 1, 2, 3`,
      )
      .iterate(...values);
    for (const { bucket, place, bin, calls } of rows) {
      const tally = cells.tally(numberOf(place) ?? OTHER, numberOf(bucket));
      tally.latencies?.[kind].addBin(Number(bin), Number(calls));
    }
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
