import { SumsCache } from '../../ledger/queries/sums-cache.ts';
import { SharedWork } from '../../ledger/shared-work.ts';
import { RollUpCache } from '../rollup/roll-up-cache.ts';
import { RollUpPoints } from '../rollup/roll-up-points.ts';
import { ValidRollUps } from '../rollup/roll-up-plan.ts';
import { DAY_MS } from '../rollup/roll-up-schema.ts';
import type { InfluxQueryClient } from './query-client.ts';
import { SharedCalls } from './shared-calls.ts';
import type { TimeRange } from './time-ranges.ts';

/** What questions of one reader read once for all of them. */
export class SharedReads {
  readonly sums: SumsCache = new SumsCache();
  readonly tables: RollUpCache = new RollUpCache();
  readonly calls: SharedCalls;
  readonly #client: InfluxQueryClient;
  readonly #valid: SharedWork<ValidRollUps>;

  /** `keepMs`: how long what was read counts as the present. */
  constructor(client: InfluxQueryClient, keepMs: number) {
    this.#client = client;
    this.calls = new SharedCalls(client, keepMs);
    this.#valid = new SharedWork({ keepMs });
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
      await ValidRollUps.load(new RollUpPoints(this.#client, stop), days);
    return await this.#valid.run(`${days.fromMs}-${days.toMs}`, load, signal);
  }
}
