import { setTimeout as sleep } from 'node:timers/promises';
import { checkQuery, type Dimension } from '../../ledger/queries/checked-query.ts';
import type { RollUpProgress, RollUpResult } from '../../ledger/roll-up-run.ts';
import { dimensionKey } from '../../ledger/queries/dimension-key.ts';
import { CallScan } from '../read/call-scan.ts';
import { BoundValues, conditions, LEDGER, name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { tagNamesOf } from '../read/tag-names.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { type PackedTables, rollUpLine, RollUpTables } from './hour-tables.ts';
import { MARKER, markLine } from './late-marks.ts';
import { packTable } from './packed-table.ts';
import { type HourMarks, RollUpPoints, type RollUpState } from './roll-up-points.ts';
import {
  DAY_MS,
  DAYS_MEASUREMENT,
  HOUR_MS,
  HOURS_MEASUREMENT,
  SETTLE_MS,
  TABLES,
} from './roll-up-schema.ts';
import type { RollUpWriter } from './roll-up-writer.ts';
import { dimensionOfTag, USAGE_FIELDS } from '../usage-schema.ts';

export interface RollUpRun {
  readonly fromMs: number;
  readonly toMs: number;
  /** Sums up every hour again and compares. @default false */
  readonly verify?: boolean;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RollUpProgress) => void) | undefined;
  /** Between two hours that are made. @default 0 */
  readonly pauseMs?: number;
}

const WEEK_MS = 7 * DAY_MS;
const NO_MARKS: HourMarks = { count: 0, newest: new Map() };

/** Makes the roll-ups that are missing, marked or wrong. What was made before an abort stays. */
export class RollUpMaker {
  readonly #client: InfluxQueryClient;
  readonly #writer: RollUpWriter;
  readonly #now: () => number;

  constructor(client: InfluxQueryClient, writer: RollUpWriter, now: () => number) {
    this.#client = client;
    this.#writer = writer;
    this.#now = now;
  }

  async run({
    fromMs,
    toMs,
    verify = false,
    signal,
    onProgress,
    pauseMs = 0,
  }: RollUpRun): Promise<RollUpResult> {
    const result = { hours: 0, made: 0, wrong: 0, open: 0 };
    const range = {
      fromMs: Math.floor(fromMs / DAY_MS) * DAY_MS,
      toMs: Math.min(toMs, this.#now()),
    };
    const hours = Math.max(0, Math.ceil((range.toMs - range.fromMs) / HOUR_MS));
    let done = 0;
    for (const week of slices(range, WEEK_MS)) {
      const piece = await this.#piece(week, signal);
      for (let day = week.fromMs; day < week.toMs; day += DAY_MS) {
        signal?.throwIfAborted();
        const toDo = await this.#day(day, piece, { verify, signal, result, pauseMs });
        await this.#writer.write(toDo);
        done = Math.min(hours, done + 24);
        onProgress?.({ done, hours, made: result.made });
      }
    }
    return result;
  }

  async #piece(range: TimeRange, signal: AbortSignal | undefined): Promise<Piece> {
    const points = new RollUpPoints(this.#client, signal);
    const whole = { fromMs: range.fromMs, toMs: Math.ceil(range.toMs / DAY_MS) * DAY_MS };
    // Marks first: what comes after them makes their number wrong, and the hour is made again.
    const marks = await points.marks(whole);
    const [hours, days, counts] = await Promise.all([
      points.hours(whole),
      points.days(whole),
      this.#counts(whole, signal),
    ]);
    return { points, marks, hours, days, counts };
  }

  /** Calls by the start of their hour, where there are any. */
  async #counts(
    { fromMs, toMs }: TimeRange,
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, number>> {
    const counts = new Map<number, number>();
    const isShort = (await this.#client.version()) === '3';
    for (const piece of slices({ fromMs, toMs }, isShort ? DAY_MS : WEEK_MS)) {
      const where = timeRange(piece.fromMs, piece.toMs) + conditions([], new BoundValues());
      const q = `SELECT count(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER} WHERE ${where} GROUP BY time(1h) fill(none)`;
      for await (const { values } of this.#client.query(q, { epoch: 'ms', signal })) {
        for (const [time, calls] of values) {
          if (Number(calls) > 0) counts.set(Number(time), Number(calls));
        }
      }
    }
    return counts;
  }

  /** Lines for what is to be made of a day. */
  async #day(
    day: number,
    { points, marks, hours, days, counts }: Piece,
    { verify, signal, result, pauseMs }: Task,
  ): Promise<readonly string[]> {
    const starts = Array.from({ length: 24 }, (_, hour) => day + hour * HOUR_MS);
    const isChanged = (start: number): boolean => {
      const state = hours.get(start);
      return state !== undefined && state.marks !== (marks.get(start)?.count ?? 0);
    };
    // Calls that the bucket no longer keeps leave their sums; those that somebody deleted left a mark.
    if (!starts.some((start) => counts.has(start) || isChanged(start))) return [];
    const now = this.#now();
    const closed = starts.filter((start) => {
      const { newest } = marks.get(start) ?? NO_MARKS;
      const isSettled = [...newest].every(([by, at]) => by === MARKER || at + SETTLE_MS <= now);
      return isSettled && start + HOUR_MS + SETTLE_MS <= now;
    });
    result.hours += closed.length;
    result.open += starts.filter((start) => start < now).length - closed.length;
    const isCurrent = (start: number): boolean =>
      hours.get(start)?.marks === (marks.get(start)?.count ?? 0);
    const toSumUp = closed.filter(
      (start) =>
        verify || !isCurrent(start) || hours.get(start)?.calls !== (counts.get(start) ?? 0),
    );
    const sums = await this.#sumUp(toSumUp, signal);
    const stored = new Map<number, readonly unknown[]>();
    if (toSumUp.some(isCurrent)) {
      for await (const [start, tables] of points.tables('hour', dayRange(day), TABLES)) {
        stored.set(start, tables);
      }
    }
    const lines: string[] = [];
    const known = { marks: 0, calls: 0 };
    for (const start of closed) {
      let { count } = marks.get(start) ?? NO_MARKS;
      const tables = sums.get(start);
      known.calls += tables?.calls ?? hours.get(start)?.calls ?? 0;
      if (tables !== undefined) {
        const packed = tables.packed();
        const isWrong = isCurrent(start) && !isSame(stored.get(start), packed);
        if (isWrong) {
          result.wrong++;
          // Readers must not take it for right while its day is still the old one.
          await this.#writer.write([markLine(start, now, MARKER)]);
          count++;
        }
        if (!isCurrent(start) || isWrong) {
          const state = { marks: count, calls: tables.calls };
          lines.push(rollUpLine(HOURS_MEASUREMENT, start, state, packed));
          result.made++;
        }
        if (pauseMs > 0) await sleep(pauseMs, undefined, { ref: false });
      }
      known.marks += count;
    }
    if (closed.length < 24) return lines;
    const state = days.get(day);
    if (lines.length === 0 && state?.marks === known.marks && !verify) return [];
    // The hours first: the day is made of what is stored.
    await this.#writer.write(lines);
    const tables = new RollUpTables(await this.#dimensions(dayRange(day), signal));
    for await (const [, hour] of points.tables('hour', dayRange(day), TABLES)) {
      if (!tables.addHour(hour)) return [];
    }
    const packed = tables.packed();
    if (verify && state?.marks === known.marks) {
      for await (const [, old] of points.tables('day', dayRange(day), TABLES)) {
        if (isSame(old, packed)) return [];
      }
    }
    return [rollUpLine(DAYS_MEASUREMENT, day, known, packed)];
  }

  /** Those that calls of the range have. */
  async #dimensions(
    { fromMs, toMs }: TimeRange,
    signal: AbortSignal | undefined,
  ): Promise<readonly Dimension[]> {
    const where = timeRange(fromMs, toMs);
    const tags = await tagNamesOf(this.#client, where, new BoundValues(), signal);
    const names = tags.map(dimensionOfTag).filter((name) => name !== undefined);
    return names.toSorted().map(dimensionKey);
  }

  /** Tables of the given hours of one day. A query opens every series of its range, so it asks for all at once. */
  async #sumUp(
    starts: readonly number[],
    signal: AbortSignal | undefined,
  ): Promise<ReadonlyMap<number, RollUpTables>> {
    const [first, last] = [starts[0], starts.at(-1)];
    if (first === undefined || last === undefined) return new Map();
    const own = await this.#dimensions({ fromMs: first, toMs: last + HOUR_MS }, signal);
    const sums = new Map(starts.map((start) => [start, new RollUpTables(own)]));
    const [from, to] = [new Date(first), new Date(last + HOUR_MS)];
    const query = {
      ...(await checkQuery({ from, to })),
      dimensions: new RollUpTables(own).dimensions,
    };
    const scan = new CallScan(query);
    const bound = new BoundValues();
    const q = scan.statement(query.fromMs, query.toMs, bound);
    for await (const series of this.#client.query(q, { bound, epoch: 'ms', signal })) {
      for (const call of scan.calls(series)) {
        sums.get(Math.floor(call.timeMs / HOUR_MS) * HOUR_MS)?.addCall(call);
      }
    }
    return sums;
  }
}

interface Piece {
  readonly points: RollUpPoints;
  readonly marks: ReadonlyMap<number, HourMarks>;
  readonly hours: ReadonlyMap<number, RollUpState>;
  readonly days: ReadonlyMap<number, RollUpState>;
  readonly counts: ReadonlyMap<number, number>;
}

interface Task {
  readonly pauseMs: number;
  readonly verify: boolean;
  readonly signal: AbortSignal | undefined;
  readonly result: { hours: number; made: number; wrong: number; open: number };
}

const dayRange = (day: number): TimeRange => ({ fromMs: day, toMs: day + DAY_MS });

function isSame(stored: readonly unknown[] | undefined, packed: PackedTables): boolean {
  if (stored === undefined) return false;
  return TABLES.every((table, index) => packTable(stored[index]) === packed[table]);
}
