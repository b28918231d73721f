import { hasUsage } from '../domain/billed-usage.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { advisedCall } from '../prices/advised-call.ts';
import type { CallCost, PricedCall } from '../prices/priced-call.ts';
import { quantitiesOf } from './quantities.ts';
import { addCost, addQuantity, addSums, at, emptySums, type Sums } from './sums.ts';

/** Sums of recorded calls, with what may explain a difference. */
export interface LedgerSums extends Sums {
  /** Calls with tokens that have no cost. */
  unpricedCalls: number;
  /** Calls of which a part has no price, and the names of these parts. */
  partialCalls: number;
  readonly missing: Set<string>;
  /** Tokens of calls whose counts are estimates. */
  estimatedTokens: number;
  /** Cost of the calls of each service, nano-dollars. */
  readonly services: Map<string, number>;
}

const HOUR_MS = 3_600_000;

/** The ledger by hour and model, so that days of any time zone with whole hours can be made. */
export class LedgerFigures {
  readonly #priceOf: (call: PricedCall) => CallCost | undefined;
  readonly #hours = new Map<number, Map<string, LedgerSums>>();
  #calls = 0;

  /** @param priceOf for calls of which an advisor's part is billed as that of another model */
  constructor(priceOf: (call: PricedCall) => CallCost | undefined = () => undefined) {
    this.#priceOf = priceOf;
  }

  get calls(): number {
    return this.#calls;
  }

  add(record: UsageRecord): void {
    this.#calls += 1;
    const { own, advisor } = advisedCall(record) ?? {};
    if (own === undefined || advisor === undefined) {
      this.#add(record);
      return;
    }
    // The bill has the tokens of each model under its name.
    const advice = this.#priceOf(advisor)?.costUsd ?? 0;
    const { costUsd } = record;
    const rest = costUsd === undefined ? {} : { costUsd: Math.max(0, costUsd - advice) };
    this.#add({ ...record, ...own, ...rest } as UsageRecord);
    const { requestModel, ...counts } = advisor;
    const { responseModel: _answered, costMissing: _missing, ...call } = record;
    this.#add({
      ...call,
      ...counts,
      requestModel,
      attributes: advisor.attributes ?? {},
      ...(costUsd !== undefined && { costUsd: Math.min(costUsd, advice) }),
      isPartOfCall: true,
    });
  }

  #add(record: UsageRecord & { readonly isPartOfCall?: true }): void {
    // Nanoseconds are more digits than `Date` is certain to read.
    const hour = Math.floor(Date.parse(`${record.time.slice(0, 19)}Z`) / HOUR_MS);
    const models = at(this.#hours, hour, () => new Map<string, LedgerSums>());
    const sums = at(models, record.responseModel ?? record.requestModel, emptyLedgerSums);
    for (const [kind, amount] of quantitiesOf(record)) {
      if (kind !== 'calls' || record.isPartOfCall !== true) addQuantity(sums, kind, amount);
    }
    const tokens = (record.inputTokens ?? 0) + (record.outputTokens ?? 0);
    if (record.tokenSource === 'estimated') sums.estimatedTokens += tokens;
    if (record.costUsd === undefined) {
      if (hasUsage(record)) sums.unpricedCalls += 1;
      return;
    }
    const nano = Math.round(record.costUsd * 1e9);
    addCost(sums, nano);
    sums.services.set(record.service, (sums.services.get(record.service) ?? 0) + nano);
    if (record.costMissing === undefined) return;
    sums.partialCalls += 1;
    for (const name of record.costMissing) sums.missing.add(name);
  }

  /**
   * Sums by bucket and model.
   *
   * @param bucketOf name of the day or month that a time (UTC) is in
   * @param offsetHours hours that the days are ahead of UTC
   */
  sums(
    bucketOf: (time: Date) => string | undefined,
    offsetHours = 0,
  ): ReadonlyMap<string, ReadonlyMap<string, LedgerSums>> {
    const buckets = new Map<string, Map<string, LedgerSums>>();
    for (const [hour, models] of this.#hours) {
      const bucket = bucketOf(new Date((hour + offsetHours) * HOUR_MS));
      if (bucket === undefined) continue;
      const into = at(buckets, bucket, () => new Map<string, LedgerSums>());
      for (const [model, sums] of models) addLedgerSums(at(into, model, emptyLedgerSums), sums);
    }
    return buckets;
  }
}

export function emptyLedgerSums(): LedgerSums {
  return {
    ...emptySums(),
    unpricedCalls: 0,
    partialCalls: 0,
    missing: new Set(),
    estimatedTokens: 0,
    services: new Map(),
  };
}

export function addLedgerSums(to: LedgerSums, from: LedgerSums): void {
  addSums(to, from);
  to.unpricedCalls += from.unpricedCalls;
  to.partialCalls += from.partialCalls;
  to.estimatedTokens += from.estimatedTokens;
  for (const name of from.missing) to.missing.add(name);
  for (const [service, nano] of from.services) {
    to.services.set(service, (to.services.get(service) ?? 0) + nano);
  }
}
