import {
  ADVISOR_MODEL,
  attributeOf,
  type BilledField,
  billedUsageOf,
} from '../domain/billed-usage.ts';
import { nanosOf } from './cost-sum.ts';
import { NANO_DOLLARS } from './nano-dollars.ts';
import type { CallCost, PricedCall } from './priced-call.ts';

/** A call, and the calls that its model made to another one for advice. */
export interface AdvisedCall {
  /** Without the tokens of the advisor. */
  readonly own: PricedCall;
  /** Undefined if its model is not known. */
  readonly advisor: PricedCall | undefined;
}

/** Counts of a call and the part of each that is the advisor's. */
const PARTS = [
  ['inputTokens', 'advisorInputTokens'],
  ['cacheReadTokens', 'advisorCacheReadTokens'],
  ['cacheWriteTokens', 'advisorCacheWriteTokens'],
  ['outputTokens', 'advisorOutputTokens'],
] as const;
const OF_ADVISOR: ReadonlySet<string> = new Set([
  ADVISOR_MODEL,
  ...[...PARTS.map(([, part]) => part), 'advisorCacheWrite1hTokens' as const].map(attributeOf),
]);
const USED: readonly string[] = (['advisorInputTokens', 'advisorOutputTokens'] as const).map(
  attributeOf,
);
const KEPT_1H = attributeOf('cacheWrite1hTokens');

/** Undefined for a call without an advisor, as nearly all are. Each model has its prices. */
export function advisedCall(call: PricedCall): AdvisedCall | undefined {
  const { attributes } = call;
  if (attributes === undefined || USED.every((name) => attributes[name] === undefined)) {
    return undefined;
  }
  const usage = billedUsageOf(call);
  const own: Partial<Record<BilledField | (typeof PARTS)[number][0], number>> = {};
  const advisor: typeof own = {};
  for (const [whole, part] of PARTS) {
    const [all, its = 0] = [usage[whole], usage[part]];
    if (all === undefined) continue;
    own[whole] = Math.max(0, all - its);
    advisor[whole] = Math.min(all, its);
  }
  const others = Object.fromEntries(
    Object.entries(attributes).filter(([name]) => !OF_ADVISOR.has(name)),
  );
  const { cacheWrite1hTokens: kept = 0, advisorCacheWrite1hTokens: itsKept = 0 } = usage;
  const { provider, operation, time, tokenSource, serviceTier } = call;
  const model = attributes[ADVISOR_MODEL];
  return {
    own: { ...call, ...own, attributes: { ...others, [KEPT_1H]: Math.max(0, kept - itsKept) } },
    advisor:
      typeof model !== 'string'
        ? undefined
        : {
            provider,
            requestModel: model,
            time,
            ...advisor,
            ...(operation !== undefined && { operation }),
            ...(tokenSource !== undefined && { tokenSource }),
            ...(serviceTier !== undefined && { serviceTier }),
            attributes: { ...withoutKinds(others), [KEPT_1H]: itsKept },
          },
  };
}

/** Each model at its own price. The advice has none if its model is not known. */
export function costWithAdvice(
  { own, advisor }: AdvisedCall,
  priceOf: (call: PricedCall) => CallCost | undefined,
): CallCost | undefined {
  const cost = priceOf(own);
  if (cost === undefined) return undefined;
  const advice = advisor && priceOf(advisor);
  const missing = [...(cost.costMissing ?? []), ...(advice?.costMissing ?? [])];
  if (advice === undefined) missing.push('advisor_tokens');
  const nano = nanosOf(cost.costUsd) + nanosOf(advice?.costUsd ?? 0);
  return {
    costUsd: nano / NANO_DOLLARS,
    costSource: advice?.costSource === 'contract' ? 'contract' : cost.costSource,
    ...(missing.length > 0 && { costMissing: [...new Set(missing)] }),
  };
}

/** Hosted tools and modalities are those of the call itself. */
function withoutKinds(
  attributes: NonNullable<PricedCall['attributes']>,
): NonNullable<PricedCall['attributes']> {
  return Object.fromEntries(
    Object.entries(attributes).filter(
      ([name]) => !name.startsWith('token_meter.usage.') && !name.startsWith('gen_ai.usage.'),
    ),
  );
}
