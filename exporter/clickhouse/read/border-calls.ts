import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import { dimensionOfKey } from '../../ledger/queries/dimension-key.ts';
import type { TimeRange } from '../../ledger/queries/gather.ts';
import type { Key } from '../../ledger/queries/key.ts';
import type { UsageSums } from '../../ledger/queries/usage-sums.ts';
import { SharedWork } from '../../ledger/shared-work.ts';
import type { ClickHouseSession, Row } from '../clickhouse-session.ts';
import { CALL_SUMS, SUM_COLUMNS } from '../schema/call-sums.ts';
import { BoundValues } from './bound-values.ts';
import { CALLS, columnOf, KEYS, timeCondition } from './ledger-sql.ts';
import { camel, sumsOf } from './sums-sql.ts';

const HOUR_MS = 3_600_000;
/** More calls take longer to be sent than the server takes to sum them up. */
const MAX_CALLS = 5000;
const MAX_CROWDED = 1000;

interface Call {
  readonly ms: number;
  readonly row: Row;
  readonly sums: UsageSums;
}

export interface BorderCall {
  readonly key: Key;
  readonly ms: number;
  readonly sums: UsageSums;
}

/**
 * The calls of the hours that no kept sums answer for, read once for all questions about them: a statement over few
 * calls costs the server what its many columns take to be parsed and planned.
 */
export class BorderCalls {
  readonly #session: ClickHouseSession;
  /** Undefined: too many. */
  readonly #reads: SharedWork<readonly Call[] | undefined>;
  /** Hours that together have too many calls, which seldom become fewer. */
  readonly #crowded = new Set<string>();

  constructor(session: ClickHouseSession, keepMs: number) {
    this.#session = session;
    this.#reads = new SharedWork({ keepMs });
  }

  /** The calls of these parts of the query's range; undefined where the server has to sum them up. */
  async in(
    parts: readonly TimeRange[],
    query: CheckedQuery,
    signal: AbortSignal | undefined,
  ): Promise<Iterable<BorderCall> | undefined> {
    const hours = joinedHours(parts);
    const key = hours.map(({ fromMs, toMs }) => `${fromMs}-${toMs}`).join();
    if (this.#crowded.has(key)) return undefined;
    const calls = await this.#reads.run(key, async (stop) => await this.#read(hours, stop), signal);
    if (calls !== undefined) return wanted(calls, parts, query);
    if (this.#crowded.size >= MAX_CROWDED) this.#crowded.clear();
    this.#crowded.add(key);
    return undefined;
  }

  async #read(
    hours: readonly TimeRange[],
    signal: AbortSignal,
  ): Promise<readonly Call[] | undefined> {
    const bound = new BoundValues();
    const times = hours.map(({ fromMs, toMs }) => `(${timeCondition(fromMs, toMs, bound)})`);
    const sums = SUM_COLUMNS.map((column) => `${CALL_SUMS[column]} AS ${camel(column)}`);
    const text = `SELECT toUnixTimestamp64Milli(time) AS ms, ${KEYS.join(', ')}, ${sums.join(', ')}, units
      FROM ${CALLS} WHERE ${times.join(' OR ')} LIMIT ${MAX_CALLS + 1}`;
    const rows = await this.#session.rows({ text, values: bound.values }, { signal });
    if (rows.length > MAX_CALLS) return undefined;
    return rows.map((row) => {
      const { ms, outcome } = row;
      const sums = sumsOf((name) => row[name]);
      sums.errors = Number(outcome === 'error');
      sums.aborted = Number(outcome === 'aborted');
      sums.blocked = Number(outcome === 'blocked');
      return { ms: Number(ms), row, sums };
    });
  }
}

/** Whole hours in order, those that touch one another as one. */
function joinedHours(parts: readonly TimeRange[]): readonly TimeRange[] {
  const hours: { fromMs: number; toMs: number }[] = [];
  for (const part of parts) {
    const fromMs = Math.floor(part.fromMs / HOUR_MS) * HOUR_MS;
    const toMs = Math.ceil(part.toMs / HOUR_MS) * HOUR_MS;
    const last = hours.at(-1);
    if (last !== undefined && fromMs <= last.toMs) last.toMs = Math.max(last.toMs, toMs);
    else hours.push({ fromMs, toMs });
  }
  return hours;
}

function* wanted(
  calls: readonly Call[],
  parts: readonly TimeRange[],
  { dimensions, filters }: CheckedQuery,
): Generator<BorderCall> {
  const values = dimensions.map(valueOf);
  const conditions = filters.map((filter) => ({
    value: valueOf(filter.dimension),
    allowed: new Set(filter.values),
  }));
  for (const { ms, row, sums } of calls) {
    if (!parts.some(({ fromMs, toMs }) => ms >= fromMs && ms < toMs)) continue;
    if (!conditions.every(({ value, allowed }) => allowed.has(value(row)))) continue;
    yield { key: values.map((value) => value(row)), ms, sums };
  }
}

function valueOf(dimension: string): (row: Row) => string | null {
  const name = dimensionOfKey(dimension);
  const orNull = (value: unknown): string | null =>
    typeof value === 'string' && value !== '' ? value : null;
  if (name === undefined) {
    const column = columnOf(dimension);
    return (row) => orNull(row[column]);
  }
  return (row) => orNull((row['dimensions'] as Readonly<Record<string, unknown>>)[name]);
}
