/**
 * What a service tier does to the list price of tokens. Hosted tools cost the same in every tier.
 * Sources, read 2026-11: the pricing pages of OpenAI (flex is billed at batch rates, half of
 * standard), Anthropic (message batches at half price), Google (batch and flex at half price), AWS
 * Bedrock (batch and flex at half price).
 */
const HALF_PRICE = new Set(['flex', 'batch']);
const LIST_PRICE = new Set(['default', 'standard', 'auto', 'on_demand']);

export interface TierPrice {
  /** Factor on the list price of tokens. */
  readonly factor: number;
  /** Name of the part whose price is not known: the tier costs something else than the list says. */
  readonly missing?: string;
}

const STANDARD: TierPrice = { factor: 1 };
const HALF: TierPrice = { factor: 0.5 };

/** The tier that was served, as `normalTier` writes it. Priority, scale and provisioned have prices by contract. */
export function tierPrice(tier: string | undefined): TierPrice {
  if (tier === undefined || LIST_PRICE.has(tier)) return STANDARD;
  return HALF_PRICE.has(tier) ? HALF : { factor: 1, missing: `${tier}_tier` };
}
