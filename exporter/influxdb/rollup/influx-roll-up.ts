import {
  type InfluxAccess,
  type ResolvedInfluxOptions,
  resolveInfluxOptions,
} from '../influx-options.ts';
import type { RollUpOptions, RollUpResult } from '../../ledger/roll-up-run.ts';
import { READ_TIMEOUT_MS } from '../read/query-client.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { forgetInRollUps } from './forget-user.ts';
import { firstCall } from './kept-calls.ts';
import { MARKER, markLine } from './late-marks.ts';
import { LedgerClients } from './ledger-clients.ts';
import { RollUpMaker } from './roll-up-maker.ts';
import { moveRollUps } from './roll-up-move.ts';
import { RollUpPlace } from './roll-up-place.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { RollUpWriter } from './roll-up-writer.ts';

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
 * Says that calls of these hours are about to be deleted, so many of each: until they are made again, their calls are
 * read. For 15 minutes after its mark, nobody but `by` makes an hour again.
 */
export async function markHours(
  target: ResolvedInfluxOptions,
  erased: ReadonlyMap<number, number>,
  by: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (erased.size === 0) return;
  await withMaker(target, Date.now, async (maker, clients, writer) => {
    const [fromMs, last] = [Math.min(...erased.keys()), Math.max(...erased.keys())];
    const states = await new RollUpPoints(clients, signal).hours({ fromMs, toMs: last + 1 });
    if (states.size === 0) return;
    const keptFrom = await maker.keptFrom(signal);
    const kept = [...erased].filter(([hour]) => hour >= keptFrom);
    const now = Date.now();
    await writer.write(kept.map(([hour, calls]) => markLine(clients.place, hour, now, by, calls)));
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
    await forgetInRollUps({ clients, writer, userId, keptFromMs, nowMs: now(), signal });
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
