import { BILLED_KINDS, type BilledUsage } from '../domain/billed-usage.ts';
import type {
  CostSource,
  TokenSource,
  TokenUsage,
  UsageAttributeValue,
} from '../domain/usage-record.ts';
import type { ScopedCall } from './scope.ts';

/** Everything a price depends on. A `UsageRecord` fits. */
export interface PricedCall extends TokenUsage {
  readonly provider: string;
  readonly requestModel: string;
  readonly responseModel?: string;
  readonly operation?: string;
  /** RFC 3339. Prices change over time, some of them by hour of day. */
  readonly time: string;
  readonly tokenSource?: TokenSource;
  /** Service tier that processed the call. */
  readonly serviceTier?: string;
  /** Kinds of usage beyond the token counts: see `BILLED_KINDS`. */
  readonly attributes?: Readonly<Record<string, UsageAttributeValue>>;
}

/** Cost of a call and its source. */
export interface CallCost {
  /** Sum of the parts with a known price. */
  readonly costUsd: number;
  readonly costSource: CostSource;
  /** Billed parts without a price. If present, `costUsd` is a lower bound. */
  readonly costMissing?: readonly string[];
}

/** Known part of the price of a call. */
export interface PricedParts {
  /** Sum of the parts with a known price; `undefined` if there are none. */
  readonly nanoDollars: number | undefined;
  /** Billed parts without a known price. */
  readonly missing: readonly string[];
}

/** The model that replied is billed; aliases and deployments occur only in the request. */
export function modelsOf({ responseModel, requestModel }: PricedCall): readonly string[] {
  const first = responseModel ?? requestModel;
  return requestModel === first ? [first] : [first, requestModel];
}

export function scoped(call: PricedCall, model: string): ScopedCall {
  const { provider, attributes } = call;
  return { provider, model, time: Date.parse(call.time), attributes };
}

/** Operations without output tokens. */
const INPUT_ONLY = new Set(['embeddings', 'rerank']);

export function isPriceable({ operation }: PricedCall, usage: BilledUsage): boolean {
  const { inputTokens, outputTokens } = usage;
  if (inputTokens === undefined) {
    return BILLED_KINDS.some(({ field, within }) => within === undefined && usage[field]);
  }
  if (outputTokens === undefined && !INPUT_ONLY.has(operation ?? '')) return false;
  // Contradictory counts have no price.
  const { cacheReadTokens: read = 0, cacheWriteTokens: written = 0, reasoningTokens = 0 } = usage;
  return read + written <= inputTokens && reasoningTokens <= (outputTokens ?? 0);
}
