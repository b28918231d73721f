import { billedUsageOf } from '../domain/billed-usage.ts';
import { TokenMeterError } from '../errors.ts';
import { FreeTierUse, isPeriodStart } from './free-tier.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';
import { type CallCost, modelsOf, type PricedCall, scoped } from './priced-call.ts';
import type { Prices } from './prices.ts';

/**
 * Cost after free tiers, for calls in the order of their time. `from` is the time of the first one. Throws
 * `INVALID_OPTION` if it is within the period of a free tier, whose use before would be unknown.
 */
export function costInOrder(
  prices: Prices,
  from: Date | undefined,
): (call: PricedCall) => CallCost | undefined {
  const { freeTiers } = prices.file;
  if (freeTiers.length === 0) return (call) => prices.price(call);
  if (from !== undefined && !isPeriodStart(freeTiers, from)) {
    throw new TokenMeterError(
      'INVALID_OPTION',
      `the free tiers of the price file are used up in the order of the calls, and ${from.toISOString()} is within a period`,
      { value: from.toISOString(), allowed: 'the start of a month (UTC)' },
    );
  }
  const use = new FreeTierUse(freeTiers);
  return (call) => {
    const cost = prices.price(call);
    // Refused calls have no usage, and use up nothing.
    if (cost === undefined) return undefined;
    const [model = call.requestModel] = modelsOf(call);
    const share = use.billedShare(scoped(call, model), billedUsageOf(call));
    const costUsd = Math.round(cost.costUsd * NANO_DOLLARS * share) / NANO_DOLLARS;
    return { ...cost, costUsd, ...(share < 1 && { costSource: 'contract' }) };
  };
}
