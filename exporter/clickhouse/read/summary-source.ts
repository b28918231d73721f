import { type Cells, type Key, OTHER, TooManyKeys } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { addSums, type Tally, type UsageSums } from '../../ledger/queries/usage-sums.ts';
import type { ClickHouseSession, Row } from '../clickhouse-session.ts';
import { binOfColumn } from '../schema/roll-ups.ts';
import { BoundValues } from './bound-values.ts';
import { CALLS, filterConditions, timeCondition } from './ledger-sql.ts';
import { bucketOf, keyColumn, keysOf, metricSum, placeOf } from './summary-sql.ts';
import { CALL_SUMS, SUM_COLUMNS } from '../schema/call-sums.ts';
import { SUMS } from './sums-sql.ts';

/** Dimensions with more values than a summary holds are ranked by the server first. */
const CROWDED: ReadonlySet<string> = new Set(['user', 'conversation']);
const SETTINGS = {
  use_skip_indexes_if_final: 1,
  do_not_merge_across_partitions_select_final: 1,
} as const;

/** Summaries of one ledger. What could grow without bound stays on the server. */
export class ClickHouseSummarySource implements SummarySource {
  readonly #session: ClickHouseSession;
  readonly #signal: AbortSignal | undefined;

  constructor(session: ClickHouseSession, signal: AbortSignal | undefined) {
    this.#session = session;
    this.#signal = signal;
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    const bound = new BoundValues();
    const keys = query.dimensions.map((_, place) => keyColumn(place));
    const ties = keys.map((key) => `${key} = '', ${key}`).join(', ');
    const direction = query.ascending ? 'ASC' : 'DESC';
    const rows = await this.#rows(
      `SELECT ${metricSum(query.orderBy)} AS metric${keysOf(query)}
       FROM (${callsOf(query, bound)}) AS source GROUP BY ${keys.join(', ')}
       ORDER BY isNull(metric), metric ${direction}, ${ties} LIMIT ${query.limit}`,
      bound,
    );
    return rows.map((row) => keyOf(query, row));
  }

  async gather(query: CheckedQuery, cells: Cells): Promise<void> {
    if (cells.named === undefined && query.dimensions.some((name) => CROWDED.has(name))) {
      throw new TooManyKeys();
    }
    const bound = new BoundValues();
    const groups = groupsOf(query, cells, bound);
    const sums = SUMS.map(([name, expression]) => `${expression} AS ${name}`).join(', ');
    const rows = await this.#rows(
      `SELECT ${groups.select}, ${sums} FROM (${callsOf(query, bound)}) AS source${groups.by}`,
      bound,
    );
    for (const row of rows) addSums(tallyOf(query, cells, row).sums, sumsOf(row));
    if (!query.percentiles) return;
    await this.#gatherBins(query, cells, 'duration_ms', 'duration');
    await this.#gatherBins(query, cells, 'time_to_first_chunk_ms', 'firstChunk');
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const bound = new BoundValues();
    const [row = {}] = await this.#rows(
      `SELECT uniqExactIf(user, user != '') AS users,
         uniqExactIf(conversation, conversation != '') AS conversations
       FROM ${CALLS} WHERE ${conditions(query, bound)}`,
      bound,
    );
    return { users: Number(row['users']), conversations: Number(row['conversations']) };
  }

  async #gatherBins(
    query: CheckedQuery,
    cells: Cells,
    column: string,
    kind: 'duration' | 'firstChunk',
  ): Promise<void> {
    const bound = new BoundValues();
    const groups = groupsOf(query, cells, bound);
    // A result of a batch took a time that nobody knows.
    const known = kind === 'duration' ? `${column} > 0` : `isNotNull(${column})`;
    const by = groups.by === '' ? ' GROUP BY bin' : `${groups.by}, bin`;
    const rows = await this.#rows(
      `SELECT ${groups.select}, ${binOfColumn(`assumeNotNull(source.${column})`)} AS bin, count() AS amount
       FROM (SELECT *, toUnixTimestamp64Milli(time) AS ms FROM ${CALLS}
             WHERE ${conditions(query, bound)} AND ${known}) AS source${by}`,
      bound,
    );
    for (const row of rows) {
      const { latencies } = tallyOf(query, cells, row);
      latencies?.[kind].addBin(Number(row['bin']), Number(row['amount']));
    }
  }

  async #rows(text: string, { values }: BoundValues): Promise<readonly Row[]> {
    return await this.#session.rows({ text, values }, { signal: this.#signal, settings: SETTINGS });
  }
}

const conditions = ({ fromMs, toMs, filters }: CheckedQuery, bound: BoundValues): string =>
  timeCondition(fromMs, toMs, bound) + filterConditions(filters, bound);

/** The calls as rows of `ms`, dimensions and sums. */
function callsOf(query: CheckedQuery, bound: BoundValues): string {
  const sums = SUM_COLUMNS.map((name) => `${CALL_SUMS[name]} AS sum_${name}`).join(', ');
  return `SELECT ms, service, provider, model, outcome, user, conversation, team, dimensions,
      ${SUM_COLUMNS.map((name) => `sum_${name} AS ${name}`).join(', ')}
    FROM (SELECT toUnixTimestamp64Milli(time) AS ms, service, provider, model, outcome, user, conversation,
      team, dimensions, ${sums} FROM ${CALLS} WHERE ${conditions(query, bound)})`;
}

/** Every key by itself, or its place among the named ones. */
function groupsOf(
  query: CheckedQuery,
  { named }: Cells,
  bound: BoundValues,
): { readonly select: string; readonly by: string } {
  const bucket = `${bucketOf(query)} AS bucket`;
  const time = query.unit === undefined ? [] : ['bucket'];
  const by = (columns: readonly string[]): string => {
    const all = [...time, ...columns];
    return all.length === 0 ? '' : ` GROUP BY ${all.join(', ')}`;
  };
  if (query.dimensions.length === 0) return { select: bucket, by: by([]) };
  if (named !== undefined) {
    return {
      select: `${bucket}, ${placeOf(query, named.keys, bound)} AS place`,
      by: by(['place']),
    };
  }
  return {
    select: bucket + keysOf(query),
    by: by(query.dimensions.map((_, place) => keyColumn(place))),
  };
}

function tallyOf(query: CheckedQuery, cells: Cells, row: Row): Tally {
  const { bucket } = row;
  const at = typeof bucket === 'number' ? bucket : undefined;
  if (cells.named !== undefined && query.dimensions.length > 0) {
    return cells.tallyAt(typeof row['place'] === 'number' ? row['place'] : OTHER, at);
  }
  return cells.tally(keyOf(query, row), at);
}

function keyOf(query: CheckedQuery, row: Row): Key {
  return query.dimensions.map((_, place) => {
    const value = row[keyColumn(place)];
    return typeof value === 'string' && value !== '' ? value : null;
  });
}

function sumsOf(row: Row): Partial<UsageSums> {
  const sums: Partial<Record<keyof UsageSums, number>> = {};
  for (const [name] of SUMS) {
    const value = row[name];
    if (typeof value === 'number') sums[name] = value;
  }
  return sums;
}
