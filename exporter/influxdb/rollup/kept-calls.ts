import { conditions, BoundValues, LEDGER, name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { newestFirst, slices, type TimeRange } from '../read/time-ranges.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { type HourMarks, RollUpPoints, type RollUpState } from './roll-up-points.ts';
import {
  DAY_MS,
  HOUR_MS,
  HOURS_MEASUREMENT,
  KEPT_MEASUREMENT,
  SETTLE_MS,
} from './roll-up-schema.ts';

const WEEK_MS = 7 * DAY_MS;
/** How far back 3.x is asked, which answers piece by piece: for calls, */
const VERSION_3_REACH_MS = 90 * DAY_MS;
/** and for what was kept when an application ran last. */
const VERSION_3_KEPT_REACH_MS = 400 * DAY_MS;

/** What retention has left of a ledger whose roll-ups stay longer than its calls. */
export interface KeptCalls {
  /** Start of the first hour that was ever summed up. */
  readonly firstMs: number;
  /** Start of the first hour whose calls are kept, 0 while all are. Earlier roll-ups could only be made again of nothing. */
  readonly fromMs: number;
}

export interface StoredKeptCalls extends KeptCalls {
  /** When it was written last. */
  readonly writtenMs: number;
}

/** What the roll-ups say; undefined where none were made. */
export async function storedKeptCalls(
  { rollUps, place }: Pick<LedgerClients, 'rollUps' | 'place'>,
  nowMs: number,
  signal?: AbortSignal,
): Promise<StoredKeptCalls | undefined> {
  const version = await rollUps.version();
  const fromMs = version === '3' ? nowMs - VERSION_3_KEPT_REACH_MS : 0;
  const reach = { fromMs, toMs: nowMs + DAY_MS };
  for (const piece of version === '3' ? newestFirst(reach, version, nowMs) : [reach]) {
    const bound = new BoundValues();
    const where = timeRange(piece.fromMs, piece.toMs) + place.condition(bound);
    // Points are only ever added: what was gone once cannot come back.
    const q = `SELECT min("first"), max("kept"), max("at") FROM ${name(KEPT_MEASUREMENT)} WHERE ${where}`;
    for await (const { values } of rollUps.query(q, { bound, epoch: 'ms', signal })) {
      const [, first, kept, at] = values[0] ?? [];
      if (typeof first !== 'number') continue;
      return { firstMs: first, fromMs: Number(kept), writtenMs: Number(at) };
    }
  }
  return undefined;
}

/**
 * The same by what the server has now. Retention removes the oldest calls first: an hour whose roll-up has calls, and
 * the server none in it and before, is gone. Undefined where no roll-up is.
 */
export async function presentKeptCalls(
  clients: LedgerClients,
  nowMs: number,
  signal?: AbortSignal,
): Promise<KeptCalls | undefined> {
  const stored = await storedKeptCalls(clients, nowMs, signal);
  const points = new RollUpPoints(clients, signal);
  const firstMs = stored?.firstMs ?? (await firstRollUp(clients, nowMs, signal));
  if (firstMs === undefined) return undefined;
  const isCutAnywhere = (await clients.calls.version()) === '3';
  let fromMs = stored?.fromMs ?? 0;
  // Mostly the first day has calls.
  for (
    let widthMs = DAY_MS, at = startOfDay(Math.max(fromMs, firstMs));
    at < nowMs;
    widthMs = WEEK_MS
  ) {
    const range = { fromMs: at, toMs: at + widthMs };
    at = range.toMs;
    const [hours, marks, counts] = await Promise.all([
      points.hours(range),
      points.marks(range),
      callsByHour(clients.calls, range, signal),
    ]);
    const starts = [...new Set([...hours.keys(), ...counts.keys()])].toSorted((a, b) => a - b);
    for (const start of starts.filter((hour) => hour >= fromMs)) {
      const calls = counts.get(start) ?? 0;
      const mayBeCut = isCutAnywhere || fromMs > 0;
      const what = remainsOf(hours.get(start), marks.get(start), calls, { mayBeCut, nowMs });
      if (what === 'gone') fromMs = start + HOUR_MS;
      if (what === 'kept') return { firstMs, fromMs };
    }
  }
  return { firstMs, fromMs };
}

function remainsOf(
  state: RollUpState | undefined,
  marks: HourMarks | undefined,
  calls: number,
  { mayBeCut, nowMs }: { readonly mayBeCut: boolean; readonly nowMs: number },
): 'kept' | 'gone' | 'nothing' {
  const before = state?.calls ?? 0;
  if (calls >= before) return calls === 0 ? 'nothing' : 'kept';
  // Retention may end within the hour.
  if (calls > 0 && !mayBeCut) return 'kept';
  // Somebody who deletes calls marks their hours, and makes them again at once.
  const isSettled = [...(marks?.newest.values() ?? [])].every((at) => at + SETTLE_MS <= nowMs);
  return isSettled ? 'gone' : 'kept';
}

/** Calls by the start of their hour, where there are any. */
export async function callsByHour(
  client: InfluxQueryClient,
  range: TimeRange,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<number, number>> {
  const counts = new Map<number, number>();
  const isShort = (await client.version()) === '3';
  for (const piece of slices(range, isShort ? DAY_MS : WEEK_MS)) {
    const where = timeRange(piece.fromMs, piece.toMs) + conditions([], new BoundValues());
    const q = `SELECT count(${name(USAGE_FIELDS.calls)}) FROM ${LEDGER} WHERE ${where} GROUP BY time(1h) fill(none)`;
    for await (const { values } of client.query(q, { epoch: 'ms', signal })) {
      for (const [time, calls] of values) {
        if (Number(calls) > 0) counts.set(Number(time), Number(calls));
      }
    }
  }
  return counts;
}

/** When the first call was; 3.x is asked only as far back as it answers. */
export async function firstCall(
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

async function firstRollUp(
  clients: LedgerClients,
  nowMs: number,
  signal: AbortSignal | undefined,
): Promise<number | undefined> {
  if ((await clients.rollUps.version()) === '3') {
    const range = { fromMs: startOfDay(nowMs - VERSION_3_REACH_MS), toMs: nowMs };
    const hours = [...(await new RollUpPoints(clients, signal).hours(range))];
    const withCalls = hours.filter(([, { calls }]) => calls > 0).map(([start]) => start);
    return withCalls.length === 0 ? undefined : Math.min(...withCalls);
  }
  const bound = new BoundValues();
  const q = `SELECT first(calls) FROM ${name(HOURS_MEASUREMENT)} WHERE calls > 0${clients.place.condition(bound)}`;
  for await (const { values } of clients.rollUps.query(q, { bound, epoch: 'ms', signal })) {
    return Number(values[0]?.[0]);
  }
  return undefined;
}

const startOfDay = (ms: number): number => Math.floor(ms / DAY_MS) * DAY_MS;
