import type { PricedCall } from './priced-call.ts';

/**
 * Effect of a service tier on the list price of tokens. Hosted tools cost the same in every tier.
 * Sources, as of November 2026: the pricing pages of OpenAI (flex is billed at batch rates, half of
 * standard), Anthropic (message batches at half price), Google (batch and flex at half price), AWS
 * Bedrock (batch and flex at half price); console.groq.com, "Flex Processing" (the price of on-demand).
 */
const HALF_PRICE = new Set(['flex', 'batch']);
const LIST_PRICE = new Set(['default', 'standard', 'auto', 'on_demand']);

export interface TierPrice {
  /** Factor on the list price of tokens. */
  readonly factor: number;
  /** Name of the part without a known price, when the tier is not billed at list price. */
  readonly missing?: string;
}

const STANDARD: TierPrice = { factor: 1 };
const HALF: TierPrice = { factor: 0.5 };

/** By normalised tier. Priority, scale and provisioned have contract prices. */
export function tierPrice({
  serviceTier: tier,
  provider,
}: Pick<PricedCall, 'serviceTier' | 'provider'>): TierPrice {
  if (tier === undefined || LIST_PRICE.has(tier)) return STANDARD;
  if (tier === 'flex' && provider === 'groq') return STANDARD;
  return HALF_PRICE.has(tier) ? HALF : { factor: 1, missing: `${tier}_tier` };
}
