import { INFERENCE_REGION } from '../domain/inference-region.ts';
import type { PricedCall } from './priced-call.ts';
import type { TierPrice } from './service-tier.ts';

const STANDARD: TierPrice = { factor: 1 };
const TENTH_MORE: TierPrice = { factor: 1.1 };
const UNKNOWN: TierPrice = { factor: 1, missing: 'regional_price' };

/** Released before 5 March 2026, from when on data residency has its price (gpt-5.4 was the first). */
const OLDER_OPENAI =
  /^(?:chatgpt|codex|computer-use|dall-e|gpt-3|gpt-4|gpt-5(?!\.(?:[4-9]|\d\d))|gpt-audio|gpt-image-1|gpt-oss|gpt-realtime|o[134]|omni|text-|tts|whisper)/;
/** Claude up to these has one price in all endpoints of Google. */
const OLDER_CLAUDE = /^claude-(?:3|opus-4-1|opus-4@|sonnet-4@|(?:opus|sonnet)-4-2025)/;
const OLDER_GEMINI = /^gemini-[12]/;

/**
 * Effect on the list price of tokens of the region that processed the call. Bedrock's regions are part
 * of its model names, and of the list. Sources, as of November 2026: OpenAI (data residency: a tenth more
 * for models released from 5 March 2026), Anthropic (`inference_geo: us`: 1.1; Claude from 4.5 on regional
 * endpoints of Google: a tenth more). What Google asks for newer Gemini models in a region is not in the
 * list: the price is the global one, which is the least that is paid.
 */
export function regionPrice({ provider, attributes }: PricedCall, model: string): TierPrice {
  const region = attributes?.[INFERENCE_REGION];
  if (typeof region !== 'string') return STANDARD;
  switch (provider) {
    case 'openai':
      return OLDER_OPENAI.test(model) ? STANDARD : TENTH_MORE;
    case 'anthropic':
      return region === 'us' ? TENTH_MORE : STANDARD;
    case 'gcp.vertex_ai':
      if (model.startsWith('claude')) return OLDER_CLAUDE.test(model) ? STANDARD : TENTH_MORE;
      return OLDER_GEMINI.test(model) ? STANDARD : UNKNOWN;
    default:
      return STANDARD;
  }
}
