import { BoundValues, name, timeRange, UNIT_COLUMNS } from '../read/influxql.ts';
import type { InfluxValue } from '../read/query-client.ts';
import { pieces, type TimeRange } from '../read/time-ranges.ts';
import { USAGE_MEASUREMENT } from '../usage-schema.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { unpackTable } from './packed-table.ts';
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

/** What a roll-up says about itself. */
export interface RollUpState {
  /** Marks that it knows. */
  readonly marks: number;
  readonly calls: number;
  /** Calls that were noted as erased by the marks that it knows. */
  readonly erased: number;
  /** Another one when the roll-up was changed without its calls; 0: never. */
  readonly revision: number;
}

export interface HourMarks {
  readonly count: number;
  /** Calls whose erasure they note. */
  readonly erased: number;
  /** Newest mark of each process, ms. */
  readonly newest: ReadonlyMap<string, number>;
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

  /** Marks by the start of their hour. */
  async marks(range: TimeRange): Promise<ReadonlyMap<number, HourMarks>> {
    const hours = new Map<number, { count: number; erased: number; newest: Map<string, number> }>();
    const columns = 'at, marker, erased';
    for await (const [time, at, by, erased] of this.#rows(columns, MARKS_MEASUREMENT, range)) {
      const hour = Math.floor(Number(time) / HOUR_MS) * HOUR_MS;
      const marks = hours.get(hour) ?? { count: 0, erased: 0, newest: new Map<string, number>() };
      hours.set(hour, marks);
      marks.count++;
      marks.erased += Number(erased);
      const process = String(by);
      marks.newest.set(process, Math.max(marks.newest.get(process) ?? 0, Number(at)));
    }
    return hours;
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
    const columns = 'version, marks, calls, erased, revision';
    for await (const row of this.#rows(columns, measurement, range)) {
      const [time, version, ...numbers] = row;
      if (version !== ROLL_UP_VERSION && version !== VERSION_WITHOUT_UNITS) continue;
      if (version === VERSION_WITHOUT_UNITS) early.push(Number(time));
      const [marks = 0, calls = 0, erased = 0, revision = 0] = numbers.map(Number);
      const state = { marks, calls, erased, revision };
      valid.set(Number(time), state);
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
    for await (const _ of this.#rows(UNIT_COLUMNS, USAGE_MEASUREMENT, range, ' LIMIT 1')) {
      hasSome = true;
      break;
    }
    if (!hasSome) return [];
    const hours: number[] = [];
    const byHour = ' GROUP BY time(1h) fill(none)';
    const counts = `count(${UNIT_COLUMNS})`;
    for await (const [hour] of this.#rows(counts, USAGE_MEASUREMENT, range, byHour)) {
      hours.push(Number(hour));
    }
    return hours;
  }

  async *#rows(
    columns: string,
    measurement: string,
    range: TimeRange,
    clauses = '',
  ): AsyncGenerator<readonly InfluxValue[]> {
    const { calls, rollUps, place } = this.#clients;
    const isOfCalls = measurement === USAGE_MEASUREMENT;
    const client = isOfCalls ? calls : rollUps;
    const version = await client.version();
    for (const { fromMs, toMs } of pieces(range, version)) {
      const bound = new BoundValues();
      const where = timeRange(fromMs, toMs) + (isOfCalls ? '' : place.condition(bound));
      const q = `SELECT ${columns} FROM ${name(measurement)} WHERE ${where}${clauses}`;
      const answer = client.query(q, { bound, epoch: 'ms', signal: this.#signal });
      for await (const { values } of answer) yield* values;
    }
  }
}
