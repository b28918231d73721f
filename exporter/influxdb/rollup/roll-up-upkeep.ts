import { diag } from '@opentelemetry/api';
import { TokenMeterError } from '../../../src/errors.ts';
import type { ResolvedInfluxOptions } from '../influx-options.ts';
import { InfluxQueryClient, READ_TIMEOUT_MS } from '../read/query-client.ts';
import { RollUpLease } from './lease.ts';
import { RollUpMaker } from './roll-up-maker.ts';
import { RollUpPoints, type RollUpState } from './roll-up-points.ts';
import { DAY_MS } from './roll-up-schema.ts';
import { RollUpWriter } from './roll-up-writer.ts';

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
  #open: { readonly client: InfluxQueryClient; readonly writer: RollUpWriter } | undefined;
  #lease: RollUpLease | undefined;
  #reachMs = FIRST_REACH_MS;

  constructor(
    target: ResolvedInfluxOptions,
    { now = Date.now, firstMs = FIRST_MS, intervalMs = INTERVAL_MS }: RollUpUpkeepOptions = {},
  ) {
    this.#target = target;
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
    this.#open?.client.close();
    this.#open?.writer.close();
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
        client: new InfluxQueryClient(
          { ...this.#target, timeoutMs: READ_TIMEOUT_MS },
          { holdsProcess: false },
        ),
        writer: new RollUpWriter(this.#target),
      };
      const { client, writer } = this.#open;
      this.#lease ??= new RollUpLease(client, writer, this.#now);
      if (!(await this.#lease.hold())) return true;
      const maker = new RollUpMaker(client, writer, this.#now);
      const now = this.#now();
      const { signal } = this.#ended;
      const pauseMs = PAUSE_MS;
      await maker.run({ fromMs: now - this.#reachMs, toMs: now, signal, pauseMs });
      for (const day of await this.#earlierDays(client, now - this.#reachMs)) {
        await maker.run({ fromMs: day, toMs: day + DAY_MS, signal, pauseMs });
      }
      this.#reachMs = REACH_MS;
      if (signal.aborted) await this.#lease.release();
    } catch (error) {
      if (this.#ended.signal.aborted) return false;
      const message = error instanceof Error ? error.message : String(error);
      const isRefused = error instanceof TokenMeterError && error.code === 'BACKEND_REFUSED';
      // Views read the calls instead: nobody needs to act.
      diag.info(`token-meter: no roll-ups are made in InfluxDB: ${message}`);
      return !isRefused;
    }
    return true;
  }

  /** Days before the reach of this round whose late calls, or whose units, no roll-up knows. */
  async #earlierDays(client: InfluxQueryClient, endMs: number): Promise<readonly number[]> {
    const points = new RollUpPoints(client, this.#ended.signal);
    const range = { fromMs: Math.max(0, endMs - MARKED_REACH_MS), toMs: endMs };
    // Nothing of this release writes such ones: after the first round there are no more.
    const outdated = this.#reachMs === FIRST_REACH_MS ? await points.outdatedHours(range) : [];
    const marks = await points.marks(range);
    const hours = marks.size === 0 ? new Map<number, RollUpState>() : await points.hours(range);
    const marked = [...marks]
      .filter(([hour, { count }]) => hours.has(hour) && hours.get(hour)?.marks !== count)
      .map(([hour]) => hour);
    return [...new Set([...outdated, ...marked].map((hour) => Math.floor(hour / DAY_MS) * DAY_MS))];
  }
}
