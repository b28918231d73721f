import { type Cells, TooManyKeys } from '../../ledger/queries/cells.ts';
import type { CheckedQuery } from '../../ledger/queries/checked-query.ts';
import type { SplitQuery, TimeRange } from '../../ledger/queries/gather.ts';
import { type Key } from '../../ledger/queries/key.ts';
import type { SummarySource } from '../../ledger/queries/summarise.ts';
import { TimeBuckets } from '../../ledger/queries/time-buckets.ts';
import { addCall } from '../../ledger/queries/usage-sums.ts';
import type { ClickHouseSession } from '../clickhouse-session.ts';
import type { BorderCalls } from './border-calls.ts';
import { wholeHours } from './cell-marks.ts';
import { type KeptRankings, rankKeys } from './crowd-ranking.ts';
import { countValues, type KeptCounts } from './distinct-values.ts';
import { keptHours } from './kept-hours.ts';
import { addNamed } from './named-sums.ts';
import { Plans, type SharedPlans } from './plans.ts';
import { rangesOfCalls } from './roll-up-plan.ts';
import { isCrowd, MAX_CROWD, SumsReader } from './sums-reader.ts';

/** The hours at a border of a range have few. */
const SHORT_MS = 7_200_000;

/** What questions of one reader look up once for all of them. */
export interface SharedFacts extends SharedPlans {
  readonly calls: BorderCalls;
  readonly rankings: KeptRankings;
  readonly counts: KeptCounts;
}

/**
 * Summaries of one ledger. What could grow without bound stays on the server. Sums come from roll-ups as far as those
 * are made from all calls, and from the calls beyond.
 */
export class ClickHouseSummarySource implements SummarySource {
  readonly #shared: SharedFacts;
  readonly #signal: AbortSignal | undefined;
  readonly #plans: Plans;
  readonly #reader: SumsReader;

  constructor(session: ClickHouseSession, shared: SharedFacts, signal: AbortSignal | undefined) {
    this.#shared = shared;
    this.#signal = signal;
    this.#plans = new Plans(session, shared, signal);
    this.#reader = new SumsReader(session, signal);
  }

  async split(query: CheckedQuery): Promise<SplitQuery | undefined> {
    const hours = wholeHours(query);
    const marks = hours && (await this.#plans.marksOf(hours));
    return marks && keptHours(query, marks);
  }

  async rank(query: CheckedQuery): Promise<readonly Key[]> {
    return await rankKeys(query, this.#plans, this.#reader, this.#shared.rankings, this.#signal);
  }

  async gather(
    query: CheckedQuery,
    cells: Cells,
    signal: AbortSignal | undefined = this.#signal,
  ): Promise<void> {
    // A crowd is only read to be kept, or where it is small.
    const isShort = query.toMs - query.fromMs <= SHORT_MS;
    if (isCrowd(query, cells) && cells.maxCells < MAX_CROWD && !isShort) {
      throw new TooManyKeys();
    }
    const { named } = cells;
    const isNamed = named !== undefined && query.dimensions.length > 0 && !query.percentiles;
    if (isNamed && (await addNamed(query, cells, named, this.#plans, this.#reader))) return;
    const plan = await this.#plans.of(query, false);
    const sketchPlan = query.percentiles ? await this.#plans.of(query, true) : undefined;
    // Of users and conversations the server keeps sums without sketches.
    const isTwo = query.percentiles && plan?.rollUp !== sketchPlan?.rollUp;
    const asked = !query.percentiles || isTwo ? 'sums' : 'both';
    await this.#reader.add(query, cells, plan, asked, signal);
    if (isTwo) await this.#reader.add(query, cells, sketchPlan, 'sketches', signal);
  }

  async gatherRest(query: CheckedQuery, parts: readonly TimeRange[], cells: Cells): Promise<void> {
    if (parts.length === 0) return;
    const calls = await this.#shared.calls.in(parts, query, this.#signal);
    if (calls === undefined) {
      const asked = query.percentiles ? 'both' : 'sums';
      await this.#reader.add(query, cells, { parts }, asked);
      return;
    }
    const buckets = new TimeBuckets(query);
    for (const { key, ms, sums } of calls) addCall(cells.tally(key, buckets.at(ms)), sums);
  }

  async distinct(query: CheckedQuery): Promise<{ users: number; conversations: number }> {
    const from = { plans: this.#plans, reader: this.#reader, kept: this.#shared.counts };
    const [users, conversations] = await Promise.all([
      countValues(query, 'user', from, this.#signal),
      countValues(query, 'conversation', from, this.#signal),
    ]);
    return { users, conversations };
  }

  async missing(query: CheckedQuery): Promise<readonly TimeRange[]> {
    const expired = await this.#plans.expired();
    if (expired === undefined || query.fromMs >= expired.toMs) return [];
    const plans = [await this.#plans.of(query, false)];
    if (query.percentiles) plans.push(await this.#plans.of(query, true));
    return plans
      .flatMap((plan) => [...rangesOfCalls(query, plan), ...(plan?.stale ?? [])])
      .map(({ fromMs, toMs }) => ({
        fromMs: Math.max(fromMs, expired.fromMs),
        toMs: Math.min(toMs, expired.toMs),
      }))
      .filter(({ fromMs, toMs }) => fromMs < toMs);
  }
}
