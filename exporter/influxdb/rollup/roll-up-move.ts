import { TokenMeterError } from '../../../src/errors.ts';
import { PointDeleter } from '../erase/point-deleter.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { BoundValues, name, timeRange } from '../read/influxql.ts';
import type { InfluxValue } from '../read/query-client.ts';
import { nineDigits } from '../read/stored-point.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { nanoseconds } from '../write/lines/usage-line.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { IS_WITH_CALLS, LEDGER_TAG } from './roll-up-place.ts';
import {
  DAY_MS,
  DAYS_MEASUREMENT,
  HOURS_MEASUREMENT,
  LEASE_MEASUREMENT,
  MARKS_MEASUREMENT,
} from './roll-up-schema.ts';
import type { RollUpWriter } from './roll-up-writer.ts';

/** Marks first: a roll-up without its marks would be right again. */
const MOVED = [MARKS_MEASUREMENT, HOURS_MEASUREMENT, DAYS_MEASUREMENT] as const;
/** Where 3.x is asked for points: it answers no query over a longer time. */
const VERSION_3_REACH_MS = 90 * DAY_MS;

/**
 * Moves roll-ups that were made with the calls to a separate bucket. What is there already stays, so it goes on
 * after a crash, and later runs move marks that a process without the setting has written since.
 */
export async function moveRollUps(
  target: ResolvedInfluxOptions,
  clients: LedgerClients,
  writer: RollUpWriter,
  nowMs: number,
  signal?: AbortSignal,
): Promise<void> {
  if (!clients.place.isSeparate) return;
  const version = await clients.calls.version();
  let isAnyMoved = false;
  for (const measurement of MOVED) {
    const range = await rangeOf(clients, measurement, version === '3', nowMs, signal);
    if (range === undefined) continue;
    isAnyMoved = true;
    for (const day of slices(range, DAY_MS)) {
      const old = new Map<string, string>();
      for await (const { time, fields } of points(clients, 'calls', measurement, day, signal)) {
        old.set(time, fields);
      }
      if (old.size === 0) continue;
      for await (const { time } of points(clients, 'rollUps', measurement, day, signal)) {
        old.delete(time);
      }
      const series = clients.place.series(measurement);
      await writer.write([...old].map(([time, fields]) => `${series} ${fields} ${time}\n`));
    }
  }
  // 3.x deletes no points: there they stay, unread.
  if (!isAnyMoved || version === '3') return;
  const deleter = new PointDeleter(clients.calls, target);
  try {
    for (const measurement of [...MOVED, LEASE_MEASUREMENT]) {
      // 1.x deletes from all retention policies of a database.
      await deleter.delete({ measurement, withoutTag: LEDGER_TAG });
    }
  } catch (error) {
    // They expire with the calls.
    if (!(error instanceof TokenMeterError) || error.code !== 'BACKEND_REFUSED') throw error;
  } finally {
    deleter.close();
  }
}

async function rangeOf(
  { calls }: LedgerClients,
  measurement: (typeof MOVED)[number],
  isVersion3: boolean,
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<TimeRange | undefined> {
  const toMs = nowMs + DAY_MS;
  if (isVersion3) return { fromMs: nowMs - VERSION_3_REACH_MS, toMs };
  const field = measurement === MARKS_MEASUREMENT ? 'at' : 'version';
  const q = `SELECT first(${name(field)}) FROM ${name(measurement)} WHERE time >= 0${IS_WITH_CALLS}`;
  for await (const { values } of calls.query(q, { epoch: 'ms', signal })) {
    return { fromMs: Math.floor(Number(values[0]?.[0]) / DAY_MS) * DAY_MS, toMs };
  }
  return undefined;
}

interface Point {
  /** Nanoseconds. */
  readonly time: string;
  readonly fields: string;
}

async function* points(
  { calls, rollUps, place }: LedgerClients,
  where: 'calls' | 'rollUps',
  measurement: string,
  { fromMs, toMs }: TimeRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Point> {
  const bound = new BoundValues();
  const isOld = where === 'calls';
  const condition = timeRange(fromMs, toMs) + (isOld ? IS_WITH_CALLS : place.condition(bound));
  const columns = isOld ? '*' : name(measurement === MARKS_MEASUREMENT ? 'at' : 'version');
  const q = `SELECT ${columns} FROM ${name(measurement)} WHERE ${condition}`;
  const client = isOld ? calls : rollUps;
  for await (const series of client.query(q, { bound, signal })) {
    const at = series.columns.indexOf('time');
    for (const row of series.values) {
      const fields = series.columns.flatMap((column, index) => {
        const value = row[index] ?? null;
        const isField = index !== at && column !== LEDGER_TAG && value !== null;
        return isField ? [`${column}=${fieldText(value)}`] : [];
      });
      yield { time: nanoseconds(nineDigits(String(row[at]))), fields: fields.join(',') };
    }
  }
}

/** Numbers of roll-ups are whole; their texts have no quotes. */
const fieldText = (value: InfluxValue): string =>
  typeof value === 'number' ? `${value}i` : `"${String(value)}"`;
