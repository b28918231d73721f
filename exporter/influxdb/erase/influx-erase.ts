import { randomUUID } from 'node:crypto';
import { TokenMeterError } from '../../../src/errors.ts';
import { destinationFolder, formerFolder } from '../../delivery/destination-folder.ts';
import { lateWritesIn, noteErasure, untilLateWrites } from '../../delivery/erased-users.ts';
import { checkErasedUser, type EraseOptions, type EraseResult } from '../../ledger/erase.ts';
import {
  type InfluxAccess,
  type InfluxOptions,
  type ResolvedInfluxOptions,
  resolveInfluxOptions,
} from '../influx-options.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { forgetUser, markErasure, refreshRollUps } from '../rollup/influx-roll-up.ts';
import { HOUR_MS } from '../rollup/roll-up-schema.ts';
import { influxDestination } from '../write/influx-destination.ts';
import { DatabaseLedgers } from './database-ledgers.ts';
import { pointsOf, type UserPoints } from './user-points.ts';

export interface InfluxEraseOptions extends EraseOptions, InfluxAccess {
  /** Of the processes that write the ledger on this machine: what waits there is not delivered any more. */
  readonly spool?: InfluxOptions['spool'];
}

const MOST_LOOKS = 3;
/** While their marks are newer than 15 minutes, nobody else makes the sums again. */
const MARK_AGAIN_MS = 300_000;

/**
 * Deletes every call that a user has made until now, and takes the name out of sums whose calls are gone: series with
 * the user's tag as a whole, calls of `(other)` one by one, since no server deletes by a field. On 1.x in every
 * retention policy of the database, whose `DELETE` knows none. 1.x and 2.x only: 3.x deletes no records, which is
 * refused. Rejects with `INVALID_OPTION`, `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was deleted by then stays
 * deleted.
 */
export async function eraseInfluxUser(options: InfluxEraseOptions): Promise<EraseResult> {
  const { userId, dryRun = false, signal } = options;
  checkErasedUser('eraseInfluxUser', userId);
  const target = resolveInfluxOptions('eraseInfluxUser', options);
  const client = new InfluxQueryClient({ ...target, timeoutMs: READ_TIMEOUT_MS });
  let ledgers: DatabaseLedgers | undefined;
  try {
    const version = await client.version();
    if (version === '3') {
      throw new TokenMeterError(
        'BACKEND_REFUSED',
        'InfluxDB 3 cannot delete the records of one user: it deletes whole tables and databases, or by retention',
        { value: version, allowed: 'InfluxDB 1.x or 2.x' },
      );
    }
    const nowMs = Date.now();
    const note = async (buckets: readonly string[]): Promise<number> =>
      dryRun ? 0 : await noteIn(target, buckets, userId, nowMs, signal);
    // Before the server is asked: lines may wait because it does not have the database.
    const ownLateMs = await note([target.bucket]);
    ledgers = await DatabaseLedgers.of(client, target, signal);
    const beside = ledgers.names.filter((bucket) => bucket !== target.bucket);
    const lateMs = Math.max(ownLateMs, await note(beside));
    return await new Erasure(options, ledgers, nowMs).run(lateMs);
  } finally {
    ledgers?.close();
    client.close();
  }
}

/** As `noteErasure`, in the folder of each bucket. */
async function noteIn(
  target: ResolvedInfluxOptions,
  buckets: readonly string[],
  userId: string,
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<number> {
  const { spool } = target;
  if (spool === false) return 0;
  const folders = buckets.flatMap((bucket) => {
    const destination = influxDestination({ ...target, bucket });
    return [destinationFolder(destination, spool), formerFolder(destination, spool) ?? []].flat();
  });
  let lateMs = 0;
  for (const folder of folders) {
    lateMs = Math.max(lateMs, await noteErasure(folder, userId, nowMs, signal));
  }
  return lateMs;
}

/** In one of the ledgers. */
interface Found {
  readonly target: ResolvedInfluxOptions;
  readonly series: readonly UserPoints[];
  /** Starts of the hours in which there are any. */
  readonly hours: ReadonlySet<number>;
}

class Erasure {
  readonly #options: InfluxEraseOptions;
  readonly #ledgers: DatabaseLedgers;
  /** What comes in while it runs is newer, and stays. */
  readonly #endMs: number;
  /** Of its marks: another maker of this process waits until it is done, too. */
  readonly #marker = randomUUID().slice(0, 8);
  #markedMs = -Infinity;
  /** Calls that can only be deleted with those of others. */
  readonly #inseparable = new Set<string>();
  #found = 0;
  #erased = 0;

  constructor(options: InfluxEraseOptions, ledgers: DatabaseLedgers, nowMs: number) {
    this.#options = options;
    this.#ledgers = ledgers;
    this.#endMs = nowMs + 1;
  }

  /** `lateMs`: until when a write that had no answer may still be stored. */
  async run(lateMs: number): Promise<EraseResult> {
    const { dryRun = false, signal } = this.#options;
    const points = await this.#look();
    this.#found = callsIn(points);
    if (dryRun) return { found: this.#found, erased: 0, mayRemain: [] };
    await this.#forget();
    await this.#deleteAll(points);
    const wereLate = await untilLateWrites(lateMs, signal);
    if (wereLate) await this.#deleteAll(await this.#look());
    // Retention may have come to sums whose calls were still to be deleted.
    if (this.#erased > 0) await this.#forget();
    const mayRemain = this.#remaining(wereLate);
    return { found: this.#found, erased: this.#erased, mayRemain };
  }

  async #deleteAll(points: readonly Found[]): Promise<void> {
    const { signal, onProgress } = this.#options;
    // A write that was under way may have been stored after the deletion.
    for (let look = 0; look < MOST_LOOKS && this.#isLeft(points); look++) {
      const before = this.#erased;
      // A deletion reaches all ledgers.
      await this.#mark(points);
      for (const each of points.flatMap(({ series }) => series)) {
        for await (const calls of this.#delete(each)) {
          this.#erased += calls;
          onProgress?.(this.#erased, Math.max(this.#found, this.#erased));
          if (this.#markedMs + MARK_AGAIN_MS <= Date.now()) await this.#mark(points);
        }
      }
      for (const { target, hours } of points) {
        await refreshRollUps(target, spanOf(hours), Date.now, signal, this.#marker);
      }
      points = await this.#look();
      const left = callsIn(points);
      const failed = Math.max(0, left - this.#inseparable.size);
      this.#erased = Math.max(before, this.#erased - failed);
      this.#found = Math.max(this.#found, this.#erased + left);
    }
  }

  async #forget(): Promise<void> {
    const { userId, signal } = this.#options;
    for (const { target } of this.#ledgers.all) await forgetUser(target, userId, Date.now, signal);
  }

  async #look(): Promise<readonly Found[]> {
    const { userId, signal } = this.#options;
    const found: Found[] = [];
    for (const { client, target } of this.#ledgers.all) {
      const series = await pointsOf(client, userId, this.#endMs, signal);
      if (series.length > 0) found.push({ target, series, hours: hoursOf(series) });
    }
    return found;
  }

  async #mark(points: readonly Found[]): Promise<void> {
    const { userId, signal } = this.#options;
    this.#markedMs = Date.now();
    for (const { target, hours } of points) {
      await markErasure(target, { hours, userId, by: this.#marker }, signal);
    }
  }

  #isLeft(points: readonly Found[]): boolean {
    return points.some(({ series }) =>
      series.some(({ tags, times }) =>
        times.some((time) => !this.#inseparable.has(keyOf(tags, time))),
      ),
    );
  }

  /** Yields the calls of each deletion. */
  async *#delete({ tags, isOwn, times, calls }: UserPoints): AsyncGenerator<number> {
    const { userId, signal } = this.#options;
    if (isOwn) {
      signal?.throwIfAborted();
      await this.#ledgers.delete(tags, times[0] ?? '', times.at(-1) ?? '');
      yield calls;
      return;
    }
    for (const time of times) {
      signal?.throwIfAborted();
      const owners = await this.#ledgers.owners(tags, time, signal);
      if (owners.some((owner) => owner !== userId)) {
        this.#inseparable.add(keyOf(tags, time));
        continue;
      }
      await this.#ledgers.delete(tags, time, time);
      yield 1;
    }
  }

  #remaining(wereLate: boolean): readonly string[] {
    const { size } = this.#inseparable;
    const { bucket } = this.#options;
    const inseparable = `${bucket}: ${size} at the nanosecond of a call of another user, which the server would delete as well`;
    return [...(size > 0 ? [inseparable] : []), ...(wereLate ? [lateWritesIn(bucket)] : [])];
  }
}

const keyOf = (tags: UserPoints['tags'], time: string): string => JSON.stringify([tags, time]);

const callsIn = (points: readonly Found[]): number =>
  points.reduce((sum, { series }) => series.reduce((all, { calls }) => all + calls, sum), 0);

const hoursOf = (series: readonly UserPoints[]): ReadonlySet<number> =>
  new Set(
    series.flatMap(({ times }) =>
      times.map((time) => Math.floor(Date.parse(time) / HOUR_MS) * HOUR_MS),
    ),
  );

const spanOf = (hours: ReadonlySet<number>): TimeRange => ({
  fromMs: Math.min(...hours),
  toMs: Math.max(...hours) + HOUR_MS,
});
