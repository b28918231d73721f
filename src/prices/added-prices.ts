/** Prices in the units of the list: dollars per million tokens or per thousand searches. */
export type AddedPrices = Readonly<Record<string, number>>;

interface AddedModel {
  /** Provider ids of the list. */
  readonly providers: readonly string[];
  readonly model: RegExp;
  readonly prices: AddedPrices;
}

/**
 * Kinds that the list does not know for a model, from the providers' public price pages: OpenAI, as of
 * 2025-08 (audio of the preview models, unchanged until they were retired), Cohere, as of 2026-06. What
 * the list knows comes first.
 */
const ADDED: readonly AddedModel[] = [
  {
    providers: ['openai', 'azure'],
    model: /^gpt-4o-audio-preview/,
    prices: { input_audio_mtok: 40, output_audio_mtok: 80 },
  },
  {
    providers: ['openai', 'azure'],
    model: /^gpt-4o-mini-audio-preview/,
    prices: { input_audio_mtok: 10, output_audio_mtok: 20 },
  },
  {
    providers: ['cohere'],
    model: /^rerank-(?:v3\.5|v4\.0-fast)$/,
    prices: { rerank_searches_kcount: 2 },
  },
  { providers: ['cohere'], model: /^rerank-v4\.0-pro$/, prices: { rerank_searches_kcount: 2.5 } },
];

export function addedPrices(provider: string, model: string): AddedPrices | undefined {
  return ADDED.find((added) => added.providers.includes(provider) && added.model.test(model))
    ?.prices;
}
