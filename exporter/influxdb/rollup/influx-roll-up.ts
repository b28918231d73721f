import {
  type InfluxAccess,
  type ResolvedInfluxOptions,
  resolveInfluxOptions,
} from '../influx-options.ts';
import type { RollUpOptions, RollUpResult } from '../../ledger/roll-up-run.ts';
import { READ_TIMEOUT_MS } from '../read/query-client.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { erasureDigest } from './erasure-notes.ts';
import { forgetUsers } from './forget-users.ts';
import { comparedHours, firstCall, storedKeptCalls } from './kept-calls.ts';
import { MARKER, markLine } from './late-marks.ts';
import { LedgerClients } from './ledger-clients.ts';
import { RollUpMaker } from './roll-up-maker.ts';
import { moveRollUps } from './roll-up-move.ts';
import { RollUpPlace } from './roll-up-place.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { DAY_MS } from './roll-up-schema.ts';
import { RollUpWriter } from './roll-up-writer.ts';

const WEEK_MS = 7 * DAY_MS;

export interface InfluxRollUpOptions extends RollUpOptions, InfluxAccess {
  /** @default Date.now */
  readonly now?: () => number;
}

/**
 * Makes the roll-ups that are missing, or no longer right, in InfluxDB. Rejects with `INVALID_OPTION`,
 * `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was made by then stays, and a second run goes on from there.
 */
export async function rollUpInfluxLedger(options: InfluxRollUpOptions): Promise<RollUpResult> {
  const { from, to, verify = false, signal, onProgress, now = Date.now } = options;
  const target = resolveInfluxOptions('rollUpInfluxLedger', { ...options, spool: false });
  return await withMaker(target, now, async (maker, clients) => {
    const toMs = Math.min(to?.getTime() ?? Infinity, now());
    const fromMs = from?.getTime() ?? (await firstCall(clients.calls, now(), signal));
    if (fromMs === undefined || fromMs >= toMs) return { hours: 0, made: 0, wrong: 0, open: 0 };
    return await maker.run({ fromMs, toMs, verify, signal, onProgress });
  });
}

/** Brings roll-ups of a range up to date after its calls were changed, where there are any. `by`: who marked them. */
export async function refreshRollUps(
  target: ResolvedInfluxOptions,
  { fromMs, toMs }: TimeRange,
  now: () => number,
  signal: AbortSignal | undefined,
  by: string = MARKER,
): Promise<void> {
  await withMaker(target, now, async (maker, clients) => {
    const states = await new RollUpPoints(clients, signal).hours({ fromMs, toMs });
    const hours = [...states.keys()].toSorted((a, b) => a - b);
    const [first, last] = [hours[0], hours.at(-1)];
    if (first === undefined || last === undefined) return;
    await maker.run({ fromMs: first, toMs: last + 1, by, signal });
  });
}

/**
 * Says that the calls of a user in these hours are about to be deleted: until they are made again, their calls are
 * read. For 15 minutes after its mark, nobody but `by` makes an hour again. Hours without a roll-up as well: one may be
 * on its way.
 */
export async function markErasure(
  target: ResolvedInfluxOptions,
  { hours, userId, by }: { hours: ReadonlySet<number>; userId: string; by: string },
  signal: AbortSignal | undefined,
): Promise<void> {
  if (hours.size === 0) return;
  await withMaker(target, Date.now, async (maker, { place }, writer) => {
    const keptFrom = await maker.keptFrom(signal);
    const kept = [...hours].filter((hour) => hour >= keptFrom);
    const now = Date.now();
    const digest = erasureDigest(by, userId);
    await writer.write(kept.map((hour) => markLine(place, hour, now, by, digest)));
  });
}

/** Takes the name of a user out of the sums whose calls are no longer kept. The tokens stay, as those of no user. */
export async function forgetUser(
  target: ResolvedInfluxOptions,
  userId: string,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await withMaker(target, now, async (maker, clients, writer) => {
    if (!clients.place.isSeparate) return;
    const keptFromMs = await maker.keptFrom(signal);
    const nowMs = now();
    const kept = await storedKeptCalls(clients, nowMs, signal);
    if (kept === undefined) return;
    const fromMs = Math.floor(kept.firstMs / DAY_MS) * DAY_MS;
    for (const range of slices({ fromMs, toMs: nowMs }, WEEK_MS)) {
      const { hours, marks, short } = await comparedHours(clients, range, signal);
      const isGone = ([hour]: readonly [number, unknown]): boolean =>
        hour < keptFromMs || short.has(hour);
      const gone = new Map([...hours].filter(isGone));
      if (gone.size === 0) continue;
      await forgetUsers({ clients, writer, range, hours: gone, marks, userId, nowMs, signal });
    }
  });
}

async function withMaker<T>(
  target: ResolvedInfluxOptions,
  now: () => number,
  use: (maker: RollUpMaker, clients: LedgerClients, writer: RollUpWriter) => Promise<T>,
): Promise<T> {
  const clients = new LedgerClients({ ...target, timeoutMs: READ_TIMEOUT_MS });
  const writer = new RollUpWriter(new RollUpPlace(target));
  // Neither sockets nor pauses of the writer hold a process, which this job is to do.
  const held = setInterval(() => {}, READ_TIMEOUT_MS);
  try {
    await moveRollUps(target, clients, writer, now());
    return await use(new RollUpMaker(clients, writer, now), clients, writer);
  } finally {
    clearInterval(held);
    writer.close();
    clients.close();
  }
}
