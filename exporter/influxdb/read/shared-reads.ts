import { SumsCache } from '../../ledger/queries/sums-cache.ts';
import { SharedWork } from '../../ledger/shared-work.ts';
import { callsByHour } from '../rollup/calls-by-hour.ts';
import { type KeptCalls, presentKeptCalls } from '../rollup/kept-calls.ts';
import type { LedgerClients } from '../rollup/ledger-clients.ts';
import { RollUpCache } from '../rollup/roll-up-cache.ts';
import { RollUpPoints } from '../rollup/roll-up-points.ts';
import { ValidRollUps } from '../rollup/roll-up-plan.ts';
import { DAY_MS } from '../rollup/roll-up-schema.ts';
import { SharedCalls } from './shared-calls.ts';
import type { TimeRange } from './time-ranges.ts';

/** Retention removes hours or days at a time. */
const KEPT_CALLS_TIMES = 60;

/** What questions of one reader read once for all of them. */
export class SharedReads {
  readonly sums: SumsCache = new SumsCache();
  readonly tables: RollUpCache = new RollUpCache();
  readonly calls: SharedCalls;
  /** Roll-ups without a table, which was too large to be stored. */
  readonly leftOut: Set<string> = new Set();
  readonly #clients: LedgerClients;
  readonly #now: () => number;
  readonly #valid: SharedWork<ValidRollUps>;
  readonly #kept: SharedWork<KeptCalls | undefined>;

  /** `keepMs`: how long what was read counts as the present. */
  constructor(clients: LedgerClients, now: () => number, keepMs: number) {
    this.#clients = clients;
    this.#now = now;
    this.calls = new SharedCalls(clients.calls, keepMs);
    this.#valid = new SharedWork({ keepMs });
    this.#kept = new SharedWork({ keepMs: keepMs * KEPT_CALLS_TIMES });
  }

  /** Roll-ups that count in the days of the range. */
  async validIn(
    { fromMs, toMs }: TimeRange,
    signal: AbortSignal | undefined,
  ): Promise<ValidRollUps> {
    const days = {
      fromMs: Math.floor(fromMs / DAY_MS) * DAY_MS,
      toMs: Math.ceil(toMs / DAY_MS) * DAY_MS,
    };
    const load = async (stop: AbortSignal): Promise<ValidRollUps> =>
      await ValidRollUps.load(
        new RollUpPoints(this.#clients, stop),
        days,
        await this.#keptCalls(stop),
        async (range) => await callsByHour(this.#clients.calls, range, stop),
      );
    return await this.#valid.run(`${days.fromMs}-${days.toMs}`, load, signal);
  }

  async #keptCalls(signal: AbortSignal): Promise<KeptCalls | undefined> {
    if (!this.#clients.place.isSeparate) return undefined;
    const find = async (stop: AbortSignal): Promise<KeptCalls | undefined> =>
      await presentKeptCalls(this.#clients, this.#now(), stop);
    return await this.#kept.run('', find, signal);
  }
}
