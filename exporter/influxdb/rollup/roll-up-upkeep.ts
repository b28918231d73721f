import { randomUUID } from 'node:crypto';
import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../../src/errors.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { READ_TIMEOUT_MS } from '../read/query-client.ts';
import { firstCall } from './kept-calls.ts';
import { RollUpLease } from './lease.ts';
import { LedgerClients } from './ledger-clients.ts';
import { RollUpMaker } from './roll-up-maker.ts';
import { moveRollUps } from './roll-up-move.ts';
import { RollUpPlace } from './roll-up-place.ts';
import { RollUpPoints } from './roll-up-points.ts';
import { type RollUpState, unknownErasures } from './roll-up-state.ts';
import { DAY_MS } from './roll-up-schema.ts';
import { RollUpWriter } from './roll-up-writer.ts';
import type { TimeRange } from '../read/time-ranges.ts';

const FIRST_MS = 60_000;
const INTERVAL_MS = 300_000;
/** After a start: what ended while no process ran. */
const FIRST_REACH_MS = 8 * DAY_MS;
const REACH_MS = 2 * DAY_MS;
/** Between two hours that are made: the application has other work. */
const PAUSE_MS = 100;
/** How far back late calls are looked for. */
const MARKED_REACH_MS = 400 * DAY_MS;

export interface RollUpUpkeepOptions {
  readonly now?: () => number;
  readonly firstMs?: number;
  readonly intervalMs?: number;
}

/**
 * Makes roll-ups of the hours that end while the application runs, in one of its processes. It never holds the
 * process, and what fails is tried again in the next round.
 */
export class RollUpUpkeep {
  readonly #target: ResolvedInfluxOptions;
  readonly #now: () => number;
  readonly #intervalMs: number;
  readonly #ended = new AbortController();
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | undefined;
  readonly #place: RollUpPlace;
  #open: { readonly clients: LedgerClients; readonly writer: RollUpWriter } | undefined;
  #lease: RollUpLease | undefined;
  readonly #owner = randomUUID();
  #reachMs = FIRST_REACH_MS;
  #warned: string | undefined;

  constructor(
    target: ResolvedInfluxOptions,
    { now = Date.now, firstMs = FIRST_MS, intervalMs = INTERVAL_MS }: RollUpUpkeepOptions = {},
  ) {
    this.#target = target;
    this.#place = new RollUpPlace(target);
    this.#now = now;
    this.#intervalMs = intervalMs;
    // Processes that are started together do not ask at once.
    this.#runIn(firstMs * (1 + Math.random()));
  }

  /** Ends the round under way; never rejects. */
  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#ended.abort(new Error('stopped'));
    await this.#round;
    this.#close();
  }

  #close(): void {
    this.#open?.clients.close();
    this.#open?.writer.close();
    this.#open = undefined;
    this.#lease = undefined;
  }

  #runIn(ms: number): void {
    if (this.#ended.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#round = this.#run().then((goesOn) => {
        this.#round = undefined;
        if (goesOn) this.#runIn(this.#intervalMs);
      });
    }, ms).unref();
  }

  /** False when there is nothing to be hoped for. */
  async #run(): Promise<boolean> {
    try {
      this.#open ??= {
        clients: new LedgerClients(
          { ...this.#target, timeoutMs: READ_TIMEOUT_MS },
          { holdsProcess: false },
        ),
        writer: new RollUpWriter(this.#place),
      };
      const { clients, writer } = this.#open;
      this.#lease ??= new RollUpLease(clients, writer, this.#now, { owner: this.#owner });
      if (!(await this.#lease.hold())) return true;
      const maker = new RollUpMaker(clients, writer, this.#now);
      const now = this.#now();
      const { signal } = this.#ended;
      const pauseMs = PAUSE_MS;
      const fromMs = await this.#begin(this.#open, now);
      await maker.run({ fromMs, toMs: now, signal, pauseMs });
      const keptFromMs = await maker.keptFrom(signal);
      for (const day of await this.#earlierDays(clients, { fromMs: keptFromMs, toMs: fromMs })) {
        await maker.run({ fromMs: day, toMs: day + DAY_MS, signal, pauseMs });
      }
      this.#warned = undefined;
      this.#reachMs = REACH_MS;
      if (signal.aborted) await this.#lease.release();
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      // A writer that gave up writes no more.
      this.#close();
      const message = error instanceof Error ? error.message : String(error);
      const isRefused = error instanceof TokenMeterError && error.code === 'BACKEND_REFUSED';
      if (this.#place.isSeparate) {
        // Calls go without their sums unless somebody acts.
        if (this.#warned !== message) diag.warn(warningOf(message, this.#place));
        this.#warned = message;
        return true;
      }
      // Views read the calls instead: nobody needs to act.
      diag.info(`token-meter: no roll-ups are made in InfluxDB: ${message}`);
      return !isRefused;
    }
    return true;
  }

  /** Where roll-ups may be missing: after a start everywhere, if calls go before their sums. */
  async #begin(
    { clients, writer }: { readonly clients: LedgerClients; readonly writer: RollUpWriter },
    now: number,
  ): Promise<number> {
    const reach = now - this.#reachMs;
    if (!this.#place.isSeparate || this.#reachMs !== FIRST_REACH_MS) return reach;
    const { signal } = this.#ended;
    await moveRollUps(this.#target, clients, writer, now, signal);
    return Math.min(reach, (await firstCall(clients.calls, now, signal)) ?? reach);
  }

  /** Days before the reach of this round whose late calls, or whose units, no roll-up knows. */
  async #earlierDays(
    clients: LedgerClients,
    { fromMs, toMs: endMs }: TimeRange,
  ): Promise<readonly number[]> {
    const points = new RollUpPoints(clients, this.#ended.signal);
    const isFirst = this.#reachMs === FIRST_REACH_MS;
    const range = { fromMs: Math.max(0, fromMs, endMs - MARKED_REACH_MS), toMs: endMs };
    // Nothing of this release writes such ones: after the first round there are no more.
    const outdated = isFirst ? await points.outdatedHours(range) : [];
    const reach = isFirst ? { ...range, fromMs: Math.max(0, endMs - MARKED_REACH_MS) } : range;
    const marks = await points.marks(reach);
    const hours = marks.size === 0 ? new Map<number, RollUpState>() : await points.hours(reach);
    // Of hours whose calls are gone, those that still have the name of an erased user.
    const isDue = (hour: number, state: RollUpState): boolean =>
      hour < fromMs
        ? unknownErasures(state, marks.get(hour)).length > 0
        : state.marks !== (marks.get(hour)?.length ?? 0);
    const marked = [...hours].filter(([hour, state]) => isDue(hour, state)).map(([hour]) => hour);
    return [...new Set([...outdated, ...marked].map((hour) => Math.floor(hour / DAY_MS) * DAY_MS))];
  }
}

const warningOf = (message: string, { target: { bucket } }: RollUpPlace): string =>
  `token-meter: no roll-ups are made in ${bucket} of InfluxDB: ${message}. Calls that expire meanwhile are in no sum`;
