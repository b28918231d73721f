import { BoundValues, name, timeRange, UNIT_COLUMNS } from '../read/influxql.ts';
import type { InfluxQueryClient, InfluxValue } from '../read/query-client.ts';
import { pieces, type TimeRange } from '../read/time-ranges.ts';
import { USAGE_MEASUREMENT } from '../usage-schema.ts';
import type { StoredTable } from '../../ledger/queries/usage-table.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { IS_WITH_CALLS } from './roll-up-place.ts';
import { unpackTable } from './packed-table.ts';
import type { Mark, Marks, RollUpState } from './roll-up-state.ts';
import {
  DAY_MS,
  DAYS_MEASUREMENT,
  HOUR_MS,
  HOURS_MEASUREMENT,
  MARKS_MEASUREMENT,
  ROLL_UP_VERSION,
  tableColumns,
  type TableName,
  tableText,
  VERSION_WITHOUT_UNITS,
} from './roll-up-schema.ts';

/** The version, and what `stateOf` reads. */
const STATE_COLUMNS = 'version, marks, calls, erasures, revision';

function stateOf(values: readonly InfluxValue[]): RollUpState {
  const [marks = 0, calls = 0, erasures = 0, revision = 0] = values.map(Number);
  return { marks, calls, erasures, revision };
}

interface States {
  readonly valid: ReadonlyMap<number, RollUpState>;
  /** Starts of those that lack units of their calls. */
  readonly outdated: readonly number[];
}

/** Reads roll-ups and marks. */
export class RollUpPoints {
  readonly #clients: LedgerClients;
  readonly #signal: AbortSignal | undefined;

  constructor(clients: LedgerClients, signal: AbortSignal | undefined) {
    this.#clients = clients;
    this.#signal = signal;
  }

  async hours(range: TimeRange): Promise<ReadonlyMap<number, RollUpState>> {
    return (await this.#states(HOURS_MEASUREMENT, range, HOUR_MS)).valid;
  }

  async days(range: TimeRange): Promise<ReadonlyMap<number, RollUpState>> {
    return (await this.#states(DAYS_MEASUREMENT, range, DAY_MS)).valid;
  }

  /** Hours of an earlier version whose calls have units. */
  async outdatedHours(range: TimeRange): Promise<readonly number[]> {
    return (await this.#states(HOURS_MEASUREMENT, range, HOUR_MS)).outdated;
  }

  /** Also those of processes that keep roll-ups with the calls, before they are moved. */
  async marks(range: TimeRange): Promise<Marks> {
    const { calls, place } = this.#clients;
    const columns = 'at, marker, erases';
    const rows = new Map<string, readonly InfluxValue[]>();
    const add = (row: readonly InfluxValue[]): unknown => rows.set(row.join('/'), row);
    // Those first, since they go once they were moved.
    if (place.isSeparate) {
      for await (const row of this.#from(calls, columns, MARKS_MEASUREMENT, range, IS_WITH_CALLS)) {
        add(row);
      }
    }
    for await (const row of this.#rows(columns, MARKS_MEASUREMENT, range)) add(row);
    const hours = new Map<number, Mark[]>();
    for (const [time, at, by, erases] of rows.values()) {
      const hour = Math.floor(Number(time) / HOUR_MS) * HOUR_MS;
      const marks = hours.get(hour) ?? [];
      hours.set(hour, marks);
      marks.push({
        marker: String(by),
        atMs: Number(at),
        erases: typeof erases === 'string' ? erases : undefined,
      });
    }
    return hours;
  }

  /** Hours with their tables of users, each as one state of its roll-up. */
  async *users(
    range: TimeRange,
  ): AsyncGenerator<readonly [start: number, state: RollUpState, table: StoredTable | undefined]> {
    const columns = `${STATE_COLUMNS}, ${tableColumns('users')}`;
    for await (const [time, , ...values] of this.#rows(columns, HOURS_MEASUREMENT, range)) {
      const text = tableText(values.slice(4));
      const table = text === undefined ? undefined : unpackTable<StoredTable>(text);
      yield [Number(time), stateOf(values), table];
    }
  }

  /** Tables of the hours or days that begin in the range; those that were left out are undefined. */
  async *tables(
    unit: 'hour' | 'day',
    range: TimeRange,
    names: readonly TableName[],
  ): AsyncGenerator<readonly [time: number, tables: readonly unknown[]]> {
    const measurement = unit === 'hour' ? HOURS_MEASUREMENT : DAYS_MEASUREMENT;
    const columns = names.map(tableColumns);
    const width = (columns[0] ?? '').split(', ').length;
    for await (const [time, ...values] of this.#rows(columns.join(', '), measurement, range)) {
      const tables = names.map((_, index) => {
        const text = tableText(values.slice(index * width, (index + 1) * width));
        return text === undefined ? undefined : unpackTable(text);
      });
      yield [Number(time), tables];
    }
  }

  async #states(measurement: string, range: TimeRange, widthMs: number): Promise<States> {
    const valid = new Map<number, RollUpState>();
    const early: number[] = [];
    for await (const row of this.#rows(STATE_COLUMNS, measurement, range)) {
      const [time, version, ...numbers] = row;
      if (version !== ROLL_UP_VERSION && version !== VERSION_WITHOUT_UNITS) continue;
      if (version === VERSION_WITHOUT_UNITS) early.push(Number(time));
      valid.set(Number(time), stateOf(numbers));
    }
    if (early.length === 0) return { valid, outdated: [] };
    const first = early.reduce((a, b) => Math.min(a, b));
    const last = early.reduce((a, b) => Math.max(a, b));
    const hours = await this.#hoursWithUnits({ fromMs: first, toMs: last + widthMs });
    const withUnits = new Set(hours.map((hour) => Math.floor(hour / widthMs) * widthMs));
    const outdated = early.filter((start) => withUnits.has(start));
    for (const start of outdated) valid.delete(start);
    return { valid, outdated };
  }

  async #hoursWithUnits(range: TimeRange): Promise<readonly number[]> {
    // Asked first: 3.x refuses to count where the ledger has no such field.
    let hasSome = false;
    const { calls } = this.#clients;
    for await (const _ of this.#from(calls, UNIT_COLUMNS, USAGE_MEASUREMENT, range, ' LIMIT 1')) {
      hasSome = true;
      break;
    }
    if (!hasSome) return [];
    const hours: number[] = [];
    const byHour = ' GROUP BY time(1h) fill(none)';
    const counts = `count(${UNIT_COLUMNS})`;
    for await (const [hour] of this.#from(calls, counts, USAGE_MEASUREMENT, range, byHour)) {
      hours.push(Number(hour));
    }
    return hours;
  }

  async *#rows(
    columns: string,
    measurement: string,
    range: TimeRange,
  ): AsyncGenerator<readonly InfluxValue[]> {
    const { rollUps, place } = this.#clients;
    const bound = new BoundValues();
    const condition = place.condition(bound);
    yield* this.#from(rollUps, columns, measurement, range, condition, bound);
  }

  async *#from(
    client: InfluxQueryClient,
    columns: string,
    measurement: string,
    range: TimeRange,
    clauses: string,
    bound: BoundValues = new BoundValues(),
  ): AsyncGenerator<readonly InfluxValue[]> {
    const version = await client.version();
    for (const { fromMs, toMs } of pieces(range, version)) {
      const where = timeRange(fromMs, toMs);
      const q = `SELECT ${columns} FROM ${name(measurement)} WHERE ${where}${clauses}`;
      const answer = client.query(q, { bound, epoch: 'ms', signal: this.#signal });
      for await (const { values } of answer) yield* values;
    }
  }
}
