import { setTimeout as sleep } from 'node:timers/promises';
import type { Dimension } from '../../ledger/queries/checked-query.ts';
import type { RollUpProgress, RollUpResult } from '../../ledger/roll-up-run.ts';
import { isDimensionKey } from '../../ledger/queries/dimension-key.ts';
import type { StoredTable } from '../../ledger/queries/usage-table.ts';
import { slices, type TimeRange } from '../read/time-ranges.ts';
import { callsByHour } from './calls-by-hour.ts';
import {
  type KeptCalls,
  presentKeptCalls,
  shortHours,
  type StoredKeptCalls,
  storedKeptCalls,
} from './kept-calls.ts';
import { forgetUsers } from './forget-users.ts';
import type { LedgerClients } from './ledger-clients.ts';
import { type PackedTables, rollUpLine, RollUpTables } from './hour-tables.ts';
import { MARKER, markLine } from './late-marks.ts';
import { packTable } from './packed-table.ts';
import { RollUpPoints } from './roll-up-points.ts';
import {
  erasuresIn,
  type Mark,
  type Marks,
  type RollUpState,
  unknownErasures,
} from './roll-up-state.ts';
import {
  DAY_MS,
  DAYS_MEASUREMENT,
  HOUR_MS,
  HOURS_MEASUREMENT,
  KEPT_MEASUREMENT,
  SETTLE_MS,
  TABLES,
} from './roll-up-schema.ts';
import type { RollUpWriter } from './roll-up-writer.ts';
import { sumUpHours } from './sum-up-hours.ts';

export interface RollUpRun {
  readonly fromMs: number;
  readonly toMs: number;
  /** Sums up every hour again and compares. @default false */
  readonly verify?: boolean;
  /** Whose marks it need not wait for. @default those of this process */
  readonly by?: string;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: RollUpProgress) => void) | undefined;
  /** Between two hours that are made. @default 0 */
  readonly pauseMs?: number;
}

const WEEK_MS = 7 * DAY_MS;

/** Makes the roll-ups that are missing, marked or wrong. What was made before an abort stays. */
export class RollUpMaker {
  readonly #clients: LedgerClients;
  readonly #writer: RollUpWriter;
  readonly #now: () => number;
  /** Undefined where roll-ups end with their calls, and before the first one. */
  #kept: KeptCalls | undefined;

  constructor(clients: LedgerClients, writer: RollUpWriter, now: () => number) {
    this.#clients = clients;
    this.#writer = writer;
    this.#now = now;
  }

  /** Start of the first hour whose calls are kept, as far as that matters to its roll-up; writes down what is new. */
  async keptFrom(signal: AbortSignal | undefined): Promise<number> {
    if (!this.#clients.place.isSeparate) return -Infinity;
    const now = this.#now();
    this.#kept = await presentKeptCalls(this.#clients, now, signal);
    await this.#writeKept(await storedKeptCalls(this.#clients, now, signal));
    return this.#kept?.fromMs ?? -Infinity;
  }

  async run({
    fromMs,
    toMs,
    verify = false,
    by = MARKER,
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
    await this.keptFrom(signal);
    for (const week of slices(range, WEEK_MS)) {
      const piece = await this.#piece(week, signal);
      for (let day = week.fromMs; day < week.toMs; day += DAY_MS) {
        signal?.throwIfAborted();
        const toDo = await this.#day(day, piece, { verify, by, signal, result, pauseMs });
        await this.#writer.write(toDo);
        done = Math.min(hours, done + 24);
        onProgress?.({ done, hours, made: result.made });
      }
    }
    return result;
  }

  async #piece(range: TimeRange, signal: AbortSignal | undefined): Promise<Piece> {
    const points = new RollUpPoints(this.#clients, signal);
    const whole = { fromMs: range.fromMs, toMs: Math.ceil(range.toMs / DAY_MS) * DAY_MS };
    // Marks first: what comes after them makes their number wrong, and the hour is made again.
    const marks = await points.marks(whole);
    const [hours, days] = await Promise.all([points.hours(whole), points.days(whole)]);
    const counts = await callsByHour(this.#clients.calls, whole, signal);
    let short: ReadonlySet<number> = new Set<number>();
    if (this.#clients.place.isSeparate) {
      const first = Math.min(...counts.keys());
      if (first < (this.#kept?.firstMs ?? Infinity)) {
        this.#kept = { firstMs: first, fromMs: this.#kept?.fromMs ?? 0 };
        await this.#writeKept(undefined);
      }
      // Asked after the counts: what those lack because of retention is known now.
      if ([...hours].some(([hour, { calls }]) => (counts.get(hour) ?? 0) < calls)) {
        await this.keptFrom(signal);
        short = await shortHours(points, hours, counts, await points.marks(whole));
      }
    }
    return { points, marks, hours, days, counts, short };
  }

  /** Lines for what is to be made of a day. */
  async #day(
    day: number,
    { points, marks, hours, days, counts, short }: Piece,
    { verify, by, signal, result, pauseMs }: Task,
  ): Promise<readonly string[]> {
    const starts = Array.from({ length: 24 }, (_, hour) => day + hour * HOUR_MS);
    // No roll-up is replaced by one of fewer calls, wherever retention may be.
    const isKept = (start: number): boolean =>
      start >= (this.#kept?.fromMs ?? -Infinity) && !short.has(start);
    const isChanged = (start: number): boolean => {
      const state = hours.get(start);
      return state !== undefined && state.marks !== (marks.get(start)?.length ?? 0);
    };
    const noted = new Map(
      [...hours].filter(
        ([start, state]) =>
          start >= day &&
          start < day + DAY_MS &&
          !isKept(start) &&
          unknownErasures(state, marks.get(start)).length > 0,
      ),
    );
    // Calls that the bucket no longer keeps leave their sums; those that somebody deleted left a mark.
    const hasWork = starts.some(
      (start) => isKept(start) && (counts.has(start) || isChanged(start)),
    );
    // Sums of nothing, where sums stay: a day without any will be one whose calls were never summed up.
    const isBare =
      day > (this.#kept?.firstMs ?? Infinity) && starts.some((hour) => !hours.has(hour));
    if (!hasWork && noted.size === 0 && !(isBare && starts.some(isKept))) return [];
    const now = this.#now();
    if (noted.size > 0) {
      const forgetting = { clients: this.#clients, writer: this.#writer, nowMs: now, signal };
      await forgetUsers({ ...forgetting, range: dayRange(day), hours: noted, marks });
    }
    const isSettled = ({ marker, atMs }: Mark): boolean =>
      marker === by || marker === MARKER || atMs + SETTLE_MS <= now;
    /** Marks that a roll-up of now knows. Calls of others may still be on their way, or on the way out. */
    const knownMarks = (start: number): readonly Mark[] => {
      const all = marks.get(start) ?? [];
      return isKept(start) ? all.filter(isSettled) : all;
    };
    const closed = starts.filter((start) => {
      if (!isKept(start)) return true;
      const all = marks.get(start) ?? [];
      // What an erasure leaves is summed up at once, and once more later: nothing is to keep the name.
      const isErased = all.some(({ marker, erases }) => marker === by && erases !== undefined);
      return (isErased || all.every(isSettled)) && start + HOUR_MS + SETTLE_MS <= now;
    });
    result.hours += closed.filter(isKept).length;
    result.open += starts.filter((start) => start < now).length - closed.length;
    const isCurrent = (start: number): boolean =>
      hours.get(start)?.marks === (marks.get(start)?.length ?? 0);
    const toSumUp = closed.filter(
      (start) =>
        isKept(start) &&
        (verify || !isCurrent(start) || hours.get(start)?.calls !== (counts.get(start) ?? 0)),
    );
    const sums = await sumUpHours(this.#clients.calls, toSumUp, signal);
    const stored = new Map<number, readonly unknown[]>();
    if (toSumUp.some(isCurrent)) {
      for await (const [start, tables] of points.tables('hour', dayRange(day), TABLES)) {
        stored.set(start, tables);
      }
    }
    const lines: string[] = [];
    const known = { marks: 0, calls: 0, erasures: 0 };
    for (const start of closed) {
      const seen = knownMarks(start);
      const erasures = erasuresIn(seen).length;
      let count = seen.length;
      const tables = sums.get(start);
      known.calls += tables?.calls ?? hours.get(start)?.calls ?? 0;
      if (tables !== undefined) {
        // Retention came in between: the next run knows.
        if (this.#kept !== undefined && tables.calls < (counts.get(start) ?? 0)) return [];
        const packed = tables.packed();
        const isWrong = isCurrent(start) && !isSame(stored.get(start), packed);
        if (isWrong) {
          result.wrong++;
          // Readers must not take it for right while its day is still the old one.
          await this.#writer.write([markLine(this.#clients.place, start, now, MARKER)]);
          count++;
        }
        if (!isCurrent(start) || isWrong) {
          const state = { marks: count, calls: tables.calls, erasures };
          lines.push(rollUpLine(this.#series(HOURS_MEASUREMENT), start, state, packed));
          result.made++;
        }
        if (pauseMs > 0 && tables.calls > 0) await sleep(pauseMs, undefined, { ref: false });
      }
      known.marks += count;
    }
    if (closed.length < 24) return lines;
    const state = days.get(day);
    if (lines.length + noted.size === 0 && state?.marks === known.marks && !verify) return [];
    // The hours first: the day is made of what is stored.
    await this.#writer.write(lines);
    const parts: (readonly unknown[])[] = [];
    for await (const [, hour] of points.tables('hour', dayRange(day), TABLES)) parts.push(hour);
    // Hours whose calls were gone before they were summed up.
    if (parts.length < starts.length) return [];
    const tables = new RollUpTables(dimensionsOf(parts));
    if (!parts.every((hour) => tables.addHour(hour))) return [];
    const packed = tables.packed();
    if (verify && state?.marks === known.marks) {
      for await (const [, old] of points.tables('day', dayRange(day), TABLES)) {
        if (isSame(old, packed)) return [];
      }
    }
    return [rollUpLine(this.#series(DAYS_MEASUREMENT), day, known, packed)];
  }

  readonly #series = (measurement: string): string => this.#clients.place.series(measurement);

  /** At the time of now, each day: it does not expire before any roll-up, and 3.x finds it without a long search. */
  async #writeKept(stored: StoredKeptCalls | undefined): Promise<void> {
    const kept = this.#kept;
    if (kept === undefined) return;
    const now = this.#now();
    const isSame = stored?.firstMs === kept.firstMs && stored.fromMs === kept.fromMs;
    if (isSame && stored.writtenMs + DAY_MS > now) return;
    const fields = `first=${kept.firstMs}i,kept=${kept.fromMs}i,at=${now}i`;
    const line = `${this.#series(KEPT_MEASUREMENT)} ${fields} ${BigInt(now) * 1_000_000n}\n`;
    await this.#writer.write([line]);
  }
}

interface Piece {
  readonly points: RollUpPoints;
  readonly marks: Marks;
  readonly hours: ReadonlyMap<number, RollUpState>;
  readonly days: ReadonlyMap<number, RollUpState>;
  readonly counts: ReadonlyMap<number, number>;
  /** Hours that lack calls of their roll-ups. */
  readonly short: ReadonlySet<number>;
}

interface Task {
  readonly pauseMs: number;
  readonly verify: boolean;
  readonly by: string;
  readonly signal: AbortSignal | undefined;
  readonly result: { hours: number; made: number; wrong: number; open: number };
}

const dayRange = (day: number): TimeRange => ({ fromMs: day, toMs: day + DAY_MS });

/** Those of the configuration that tables have. */
function dimensionsOf(parts: readonly (readonly unknown[])[]): readonly Dimension[] {
  const names = parts.flatMap(([cells]) => (cells as StoredTable | undefined)?.names ?? []);
  return [...new Set(names)].filter(isDimensionKey).toSorted();
}

function isSame(stored: readonly unknown[] | undefined, packed: PackedTables): boolean {
  if (stored === undefined) return false;
  return TABLES.every((table, index) => packTable(stored[index]) === packed[table]);
}
