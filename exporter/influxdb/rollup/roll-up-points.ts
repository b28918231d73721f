import { name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient, InfluxValue } from '../read/query-client.ts';
import { pieces, type TimeRange } from '../read/time-ranges.ts';
import { unpackTable } from './packed-table.ts';
import {
  DAYS_MEASUREMENT,
  HOUR_MS,
  HOURS_MEASUREMENT,
  MARKS_MEASUREMENT,
  ROLL_UP_VERSION,
  tableColumns,
  type TableName,
  tableText,
} from './roll-up-schema.ts';

/** What a roll-up says about itself. */
export interface RollUpState {
  /** Marks that it knows. */
  readonly marks: number;
  readonly calls: number;
}

export interface HourMarks {
  readonly count: number;
  /** Newest mark of each process, ms. */
  readonly newest: ReadonlyMap<string, number>;
}

/** Reads roll-ups and marks. */
export class RollUpPoints {
  readonly #client: InfluxQueryClient;
  readonly #signal: AbortSignal | undefined;

  constructor(client: InfluxQueryClient, signal: AbortSignal | undefined) {
    this.#client = client;
    this.#signal = signal;
  }

  async hours(range: TimeRange): Promise<ReadonlyMap<number, RollUpState>> {
    return await this.#states(HOURS_MEASUREMENT, range);
  }

  async days(range: TimeRange): Promise<ReadonlyMap<number, RollUpState>> {
    return await this.#states(DAYS_MEASUREMENT, range);
  }

  /** Marks by the start of their hour. */
  async marks(range: TimeRange): Promise<ReadonlyMap<number, HourMarks>> {
    const hours = new Map<number, { count: number; newest: Map<string, number> }>();
    for await (const [time, at, by] of this.#rows('at, marker', MARKS_MEASUREMENT, range)) {
      const hour = Math.floor(Number(time) / HOUR_MS) * HOUR_MS;
      const marks = hours.get(hour) ?? { count: 0, newest: new Map<string, number>() };
      hours.set(hour, marks);
      marks.count++;
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

  async #states(measurement: string, range: TimeRange): Promise<ReadonlyMap<number, RollUpState>> {
    const states = new Map<number, RollUpState>();
    const columns = 'version, marks, calls';
    for await (const [time, version, marks, calls] of this.#rows(columns, measurement, range)) {
      if (version !== ROLL_UP_VERSION) continue;
      states.set(Number(time), { marks: Number(marks), calls: Number(calls) });
    }
    return states;
  }

  async *#rows(
    columns: string,
    measurement: string,
    range: TimeRange,
  ): AsyncGenerator<readonly InfluxValue[]> {
    const version = await this.#client.version();
    for (const { fromMs, toMs } of pieces(range, version)) {
      const q = `SELECT ${columns} FROM ${name(measurement)} WHERE ${timeRange(fromMs, toMs)}`;
      const answer = this.#client.query(q, { epoch: 'ms', signal: this.#signal });
      for await (const { values } of answer) yield* values;
    }
  }
}
