import { BoundValues, LEDGER, name, timeRange } from '../read/influxql.ts';
import type { InfluxQueryClient } from '../read/query-client.ts';
import { newestFirst, type TimeRange } from '../read/time-ranges.ts';
import { USAGE_FIELDS } from '../usage-schema.ts';
import { callsByHour } from './calls-by-hour.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { callsOfErased, erasedBy } from './erasure-notes.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { type Marks, type RollUpState, unknownErasures } from './roll-up-state.ts';
import { DAY_MS, HOUR_MS, HOURS_MEASUREMENT, KEPT_MEASUREMENT } from './roll-up-schema.ts';

const WEEK_MS = 7 * DAY_MS;
/** Hours with calls, one after the other, that retention has not reached if none of them lacks any. */
const WHOLE_HOURS = 24;
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
 * The same by what the server has now. Retention removes the oldest calls first, so everything up to the last hour that
 * lacks calls of its roll-up is gone, and the hours after it up to the next call: had they any, nobody knows. Calls that
 * came late into such hours do not end the search: only a run of hours that lack nothing does. Undefined where no
 * roll-up is.
 */
export async function presentKeptCalls(
  clients: LedgerClients,
  nowMs: number,
  signal?: AbortSignal,
): Promise<KeptCalls | undefined> {
  const stored = await storedKeptCalls(clients, nowMs, signal);
  const firstMs = stored?.firstMs ?? (await firstRollUp(clients, nowMs, signal));
  if (firstMs === undefined) return undefined;
  let fromMs = stored?.fromMs ?? 0;
  let firstKeptMs: number | undefined;
  let whole = 0;
  const keptCalls = (): KeptCalls => ({
    firstMs,
    fromMs: fromMs === 0 ? 0 : (firstKeptMs ?? fromMs),
  });
  for (
    let widthMs = DAY_MS, at = startOfDay(Math.max(fromMs, firstMs));
    at < nowMs;
    widthMs = WEEK_MS
  ) {
    const range = { fromMs: at, toMs: at + widthMs };
    at = range.toMs;
    const { hours, counts, short } = await comparedHours(clients, range, signal);
    const starts = new Set([...hours.keys(), ...counts.keys()].filter((hour) => hour >= fromMs));
    for (const start of [...starts].toSorted((a, b) => a - b)) {
      const calls = hours.get(start)?.calls ?? 0;
      if (short.has(start)) {
        fromMs = start + HOUR_MS;
        firstKeptMs = undefined;
        whole = 0;
        continue;
      }
      if (calls > 0 || counts.has(start)) firstKeptMs ??= start;
      if (calls > 0 && ++whole === WHOLE_HOURS) return keptCalls();
    }
  }
  return keptCalls();
}

/** Roll-ups of a range, and those of which the server has no longer all calls. */
export async function comparedHours(
  clients: LedgerClients,
  range: TimeRange,
  signal?: AbortSignal,
): Promise<{
  readonly hours: ReadonlyMap<number, RollUpState>;
  readonly counts: ReadonlyMap<number, number>;
  readonly marks: Marks;
  readonly short: ReadonlySet<number>;
}> {
  const points = new RollUpPoints(clients, signal);
  // In this order: calls only come after their roll-up, and only go after their mark.
  const hours = await points.hours(range);
  const counts = await callsByHour(clients.calls, range, signal);
  const marks = await points.marks(range);
  return { hours, counts, marks, short: await shortHours(points, hours, counts, marks) };
}

/**
 * Hours with fewer calls than their roll-up, which are gone: a roll-up of them would be made of less. Calls of those
 * whose erasure the roll-up does not know may be deleted. `marks` are read after `counts`.
 */
export async function shortHours(
  points: RollUpPoints,
  hours: ReadonlyMap<number, RollUpState>,
  counts: ReadonlyMap<number, number>,
  marks: Marks,
): Promise<ReadonlySet<number>> {
  const fewer = [...hours].filter(([hour, { calls }]) => (counts.get(hour) ?? 0) < calls);
  const short = new Set(fewer.map(([hour]) => hour));
  const noted = new Map(
    fewer
      .map(([hour, state]) => [hour, unknownErasures(state, marks.get(hour))] as const)
      .filter(([, notes]) => notes.length > 0),
  );
  if (noted.size === 0) return short;
  const starts = [...noted.keys()];
  const fromMs = starts.reduce((a, b) => Math.min(a, b));
  const toMs = starts.reduce((a, b) => Math.max(a, b)) + HOUR_MS;
  for await (const [hour, state, table] of points.users({ fromMs, toMs })) {
    const notes = noted.get(hour);
    const known = hours.get(hour);
    if (notes === undefined || known === undefined) continue;
    const erased = table === undefined ? 0 : callsOfErased(table, erasedBy(notes));
    // One that was made meanwhile is of what the erasure has left.
    const isSame = state.calls === known.calls && state.marks === known.marks;
    if (!isSame || (counts.get(hour) ?? 0) >= known.calls - erased) short.delete(hour);
  }
  return short;
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
