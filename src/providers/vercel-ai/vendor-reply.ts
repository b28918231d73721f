import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { fields, isObject, listOf, stringAt, text, type JsonObject } from '../../tokens/json.ts';
import { anthropicAttributes, anthropicTier, anthropicUsage } from '../anthropic/usage.ts';
import { converseTier, converseUsage } from '../bedrock/usage.ts';
import { cohereUsage } from '../cohere/usage.ts';
import { Grounding } from '../google/grounding.ts';
import { googleTier, googleUsage } from '../google/usage.ts';
import { chatUsage, responsesUsage } from '../openai/usage.ts';

type Extras = Omit<BilledUsage, keyof TokenUsage>;

/** Tiers that are served as asked for, or not at all, or at least not below the price of the standard one. */
const ASKED_TIERS = new Set(['flex', 'priority', 'fast', 'scale']);

/** What a provider package passes on of the vendor's own reply. */
interface VendorParts {
  /** The vendor's usage object: `usage.raw`, or that of the body. */
  readonly raw: unknown;
  readonly providerMetadata: unknown;
  /** The whole reply, which only calls without a stream have. */
  readonly body: unknown;
  /** Options of the call. */
  readonly request: unknown;
  readonly model: string | undefined;
}

/**
 * What is billed of a call beside its token counts, and what its price depends on. Packages differ in where they
 * put it, also from version to version, and a custom provider has metadata under its own name: so every member of
 * the metadata is looked at.
 */
export class VendorReply {
  readonly #parts: VendorParts;
  readonly #members: readonly JsonObject[];

  constructor(parts: VendorParts) {
    this.#parts = parts;
    this.#members = Object.values(fields(parts.providerMetadata)).filter(isObject);
  }

  /** The tier that served the call, as the vendor names it. */
  serviceTier(): string | undefined {
    const { raw, body } = this.#parts;
    return (
      anthropicTier(this.#usage('output_tokens')) ??
      this.#members.map(converseTier).find((tier) => tier !== undefined) ??
      // Those of OpenAI have the same names.
      googleTier(this.#usage('promptTokenCount'), this.#text('serviceTier')) ??
      stringAt(raw, 'service_tier') ??
      stringAt(body, 'service_tier') ??
      this.#askedTier()
    );
  }

  /**
   * US dollars that a gateway says in metadata. With keys of the caller's own Vercel's bills nothing and the
   * vendor does; OpenRouter names what the vendor bills beside its fee.
   */
  costUsd(): number | undefined {
    const { gateway, openrouter } = fields(this.#parts.providerMetadata);
    const { cost, costDetails } = fields(fields(openrouter)['usage']);
    const fee = dollars(cost);
    if (fee !== undefined) {
      return fee + (dollars(fields(costDetails)['upstreamInferenceCost']) ?? 0);
    }
    const [paid, market] = [fields(gateway)['cost'], fields(gateway)['marketCost']].map(dollars);
    return paid === 0 && market !== 0 ? undefined : paid;
  }

  /** Facts that the price depends on. */
  attributes(): Readonly<Record<string, string>> | undefined {
    return anthropicAttributes(this.#usage('output_tokens'));
  }

  /** Streams of chat completions, as the package of OpenAI passes them on, do not say what was served. */
  #askedTier(): string | undefined {
    if (isObject(this.#parts.body)) return undefined;
    const vendors = fields(fields(this.#parts.request)['providerOptions']);
    const { serviceTier } = fields(vendors['openai'] ?? vendors['azure']);
    return typeof serviceTier === 'string' && ASKED_TIERS.has(serviceTier)
      ? serviceTier
      : undefined;
  }

  /** Gemini asks nothing for code that it runs but its tokens. */
  isGemini(): boolean {
    return this.#usage('promptTokenCount') !== undefined;
  }

  /** Kinds of usage beyond the token counts. */
  extras(): Extras {
    const {
      inputTokens: _input,
      outputTokens: _output,
      cacheReadTokens: _read,
      cacheWriteTokens: _written,
      reasoningTokens: _reasoning,
      ...extras
    } = this.#billed() ?? {};
    return { ...this.#grounded(), ...extras };
  }

  /** Each vendor's object has a field that no other has. */
  #billed(): BilledUsage | undefined {
    const { raw } = this.#parts;
    const google = this.#usage('promptTokenCount');
    if (google !== undefined) return googleUsage(google);
    const anthropic = this.#usage('cache_creation_input_tokens') ?? this.#usage('cache_creation');
    if (anthropic !== undefined) return anthropicUsage(anthropic);
    const bedrock = this.#usage('cacheDetails');
    if (bedrock !== undefined) return converseUsage(bedrock);
    if (!isObject(raw)) return undefined;
    if ('billed_units' in raw) return cohereUsage(raw);
    if ('prompt_tokens' in raw) return chatUsage(raw);
    return 'input_tokens_details' in raw ? responsesUsage(raw) : undefined;
  }

  /** The vendor's usage object with this field: `raw`, or in the metadata of older packages. */
  #usage(field: string): JsonObject | undefined {
    const known = [
      this.#parts.raw,
      ...this.#members.flatMap(({ usage, usageMetadata }) => [usage, usageMetadata]),
    ];
    return known.find((usage): usage is JsonObject => isObject(usage) && field in usage);
  }

  #text(member: string): string | undefined {
    return this.#members.map((each) => text(each[member])).find((found) => found !== undefined);
  }

  #grounded(): Extras {
    const grounding = new Grounding();
    for (const { groundingMetadata, groundingMetadataPerRequest } of this.#members) {
      for (const metadata of [groundingMetadata, ...listOf(groundingMetadataPerRequest)]) {
        grounding.add(metadata);
      }
    }
    return grounding.uses(this.#parts.model);
  }
}

function dollars(value: unknown): number | undefined {
  const amount = typeof value === 'string' && value !== '' ? Number(value) : value;
  return typeof amount === 'number' && Number.isFinite(amount) && amount >= 0 ? amount : undefined;
}
