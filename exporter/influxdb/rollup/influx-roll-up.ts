import {
  type InfluxAccess,
  type ResolvedInfluxOptions,
  resolveInfluxOptions,
} from '../influx-options.ts';
import type { RollUpOptions, RollUpResult } from '../../ledger/roll-up-run.ts';
import { LEDGER, name } from '../read/influxql.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import type { TimeRange } from '../read/time-ranges.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';
import { MARKER, markLine } from './late-marks.ts';
import { RollUpMaker } from './roll-up-maker.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { DAY_MS } from './roll-up-schema.ts';
import { RollUpWriter } from './roll-up-writer.ts';

export interface InfluxRollUpOptions extends RollUpOptions, InfluxAccess {
  /** @default Date.now */
  readonly now?: () => number;
}

/** Where 3.x is asked for the first call: it answers no query over a longer time. */
const VERSION_3_REACH_MS = 90 * DAY_MS;

/**
 * Makes the roll-ups that are missing, or no longer right, in InfluxDB. Rejects with `INVALID_OPTION`,
 * `BACKEND_REFUSED` or `BACKEND_UNREACHABLE`; what was made by then stays, and a second run goes on from there.
 */
export async function rollUpInfluxLedger(options: InfluxRollUpOptions): Promise<RollUpResult> {
  const { from, to, verify = false, signal, onProgress, now = Date.now } = options;
  const target = resolveInfluxOptions('rollUpInfluxLedger', { ...options, spool: false });
  return await withMaker(target, now, async (maker, client) => {
    const toMs = Math.min(to?.getTime() ?? Infinity, now());
    const fromMs = from?.getTime() ?? (await firstCall(client, now(), signal));
    if (fromMs === undefined || fromMs >= toMs) return { hours: 0, made: 0, wrong: 0, open: 0 };
    return await maker.run({ fromMs, toMs, verify, signal, onProgress });
  });
}

/** Brings roll-ups of a range up to date after its calls were changed, where there are any. */
export async function refreshRollUps(
  target: ResolvedInfluxOptions,
  { fromMs, toMs }: TimeRange,
  now: () => number,
  signal: AbortSignal | undefined,
): Promise<void> {
  await withMaker(target, now, async (maker, client) => {
    const states = await new RollUpPoints(client, signal).hours({ fromMs, toMs });
    const hours = [...states.keys()].toSorted((a, b) => a - b);
    const [first, last] = [hours[0], hours.at(-1)];
    if (first === undefined || last === undefined) return;
    await maker.run({ fromMs: first, toMs: last + 1, signal });
  });
}

/** Says that calls of these hours are about to change: until they are made again, their calls are read. */
export async function markHours(
  target: ResolvedInfluxOptions,
  hours: readonly number[],
  signal: AbortSignal | undefined,
): Promise<void> {
  await withMaker(target, Date.now, async (_, client, writer) => {
    const [fromMs, last] = [Math.min(...hours), Math.max(...hours)];
    const states = await new RollUpPoints(client, signal).hours({ fromMs, toMs: last + 1 });
    if (states.size === 0) return;
    await writer.write(hours.map((hour) => markLine(hour, Date.now(), MARKER)));
  });
}

async function withMaker<T>(
  target: ResolvedInfluxOptions,
  now: () => number,
  use: (maker: RollUpMaker, client: InfluxQueryClient, writer: RollUpWriter) => Promise<T>,
): Promise<T> {
  const client = new InfluxQueryClient({ ...target, timeoutMs: READ_TIMEOUT_MS });
  const writer = new RollUpWriter(target);
  // Neither sockets nor pauses of the writer hold a process, which this job is to do.
  const held = setInterval(() => {}, READ_TIMEOUT_MS);
  try {
    return await use(new RollUpMaker(client, writer, now), client, writer);
  } finally {
    clearInterval(held);
    writer.close();
    client.close();
  }
}

async function firstCall(
  client: InfluxQueryClient,
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if ((await client.version()) === '3') return nowMs - VERSION_3_REACH_MS;
  const q = `SELECT first(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER}`;
  for await (const { values } of client.query(q, { epoch: 'ms', signal })) {
    return Number(values[0]?.[0]);
  }
  return undefined;
}
