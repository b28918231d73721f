import { TokenMeterError } from '../../../src/errors.ts';
import { destinationFolder } from '../../delivery/destination-folder.ts';
import { noteErasure } from '../../delivery/erased-users.ts';
import { checkErasedUser, type EraseOptions, type EraseResult } from '../../ledger/erase.ts';
import { checkRecordsQuery } from '../../ledger/queries/checked-query.ts';
import { type InfluxAccess, type InfluxOptions, resolveInfluxOptions } from '../influx-options.ts';
import { BoundValues, conditions, LEDGER, name } from '../read/influxql.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { forgetUser, markHours, refreshRollUps } from '../rollup/influx-roll-up.ts';
import { HOUR_MS } from '../rollup/roll-up-schema.ts';
import { USAGE_FIELDS, USAGE_MEASUREMENT } from '../usage-schema.ts';
import { influxDestination } from '../write/influx-destination.ts';
import { PointDeleter } from './point-deleter.ts';

export interface InfluxEraseOptions extends EraseOptions, InfluxAccess {
  /** Of the processes that write the ledger on this machine: what waits there is not delivered any more. */
  readonly spool?: InfluxOptions['spool'];
}

const MOST_LOOKS = 3;

/** Points of one series, `tags`, that belong to the user. */
interface UserPoints {
  readonly tags: Readonly<Record<string, string>>;
  /** RFC 3339 with nanoseconds. */
  readonly times: readonly string[];
}

/**
 * Deletes every call of one user, and takes the name out of sums whose calls are gone: series with the user's tag as a whole, calls of `(other)` one by one, since no
 * server deletes by a field. 1.x and 2.x only: 3.x deletes no records, which is refused. Rejects with
 * `INVALID_OPTION`, `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was deleted by then stays deleted.
 */
export async function eraseInfluxUser(options: InfluxEraseOptions): Promise<EraseResult> {
  const { userId, dryRun = false, signal, onProgress } = options;
  checkErasedUser('eraseInfluxUser', userId);
  const target = resolveInfluxOptions('eraseInfluxUser', options);
  const client = new InfluxQueryClient({ ...target, timeoutMs: READ_TIMEOUT_MS });
  const deleter = new PointDeleter(client, target);
  try {
    const version = await client.version();
    if (version === '3') {
      throw new TokenMeterError(
        'BACKEND_REFUSED',
        'InfluxDB 3 cannot delete the records of one user: it deletes whole tables and databases, or by retention',
        { value: version, allowed: 'InfluxDB 1.x or 2.x' },
      );
    }
    if (!dryRun && target.spool !== false) {
      const folder = destinationFolder(influxDestination(target), target.spool);
      await noteErasure(folder, userId, Date.now(), signal);
    }
    let points = await pointsOf(client, userId, signal);
    let found = sumOfPoints(points);
    if (dryRun) return { found, erased: 0, mayRemain: [] };
    let erased = 0;
    await forgetUser(target, userId, Date.now, signal);
    // A write that was under way may have been stored after the deletion.
    for (let look = 0; look < MOST_LOOKS && points.length > 0; look++) {
      const hours = hoursOf(points);
      await markHours(target, hours, signal);
      for (const { tags, times } of points) {
        const isOwn = tags['user_id'] === userId;
        const ranges = isOwn ? [[times.at(0), times.at(-1)]] : times.map((time) => [time, time]);
        for (const [from = '', to = ''] of ranges) {
          signal?.throwIfAborted();
          await deleter.delete({ measurement: USAGE_MEASUREMENT, tags, from, to });
          erased += isOwn ? times.length : 1;
          onProgress?.(erased, found);
        }
      }
      await refreshRollUps(target, spanOf(hours), Date.now, signal);
      points = await pointsOf(client, userId, signal);
      const left = sumOfPoints(points);
      erased = Math.max(0, erased - left);
      if (look + 1 < MOST_LOOKS) found = Math.max(found, erased + left);
    }
    return { found: Math.max(found, erased), erased, mayRemain: [] };
  } finally {
    deleter.close();
    client.close();
  }
}

const sumOfPoints = (points: readonly UserPoints[]): number =>
  points.reduce((sum, { times }) => sum + times.length, 0);

async function pointsOf(
  client: InfluxQueryClient,
  userId: string,
  signal: AbortSignal | undefined,
): Promise<readonly UserPoints[]> {
  const { filters } = checkRecordsQuery({ filter: { user: userId } });
  const bound = new BoundValues();
  const where = conditions(filters, bound).replace(' AND ', '');
  const calls = name(USAGE_FIELDS.calls);
  const q = `SELECT ${calls} FROM ${LEDGER} WHERE ${where} GROUP BY *`;
  const series = new Map<string, { tags: Readonly<Record<string, string>>; times: string[] }>();
  for await (const { tags, columns, values } of client.query(q, { bound, signal })) {
    const place = columns.indexOf('time');
    const key = JSON.stringify(tags);
    const points = series.get(key) ?? { tags, times: [] };
    series.set(key, points);
    for (const row of values) points.times.push(String(row[place]));
  }
  return [...series.values()].map(({ tags, times }) => ({ tags, times: times.toSorted() }));
}

/** Starts of the hours that have calls of the user, oldest first. */
function hoursOf(points: readonly UserPoints[]): readonly number[] {
  const hours = points.flatMap(({ times }) =>
    times.map((time) => Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS),
  );
  return [...new Set(hours)].toSorted((a, b) => a - b);
}

const spanOf = (hours: readonly number[]): TimeRange => ({
  fromMs: hours[0] ?? 0,
  toMs: (hours.at(-1) ?? 0) + HOUR_MS,
});
