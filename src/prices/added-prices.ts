/** Prices in the units of the list: dollars per million tokens or per thousand searches. */
export type AddedPrices = Readonly<Record<string, number>>;

interface AddedModel {
  /** Provider ids of the list. */
  readonly providers: readonly string[];
  readonly model: RegExp;
  readonly prices: AddedPrices;
  /** The list does not have the model, and nothing else of it is billed. */
  readonly isWhole?: true;
}

/**
 * Kinds that the list does not know for a model, from the providers' public price pages: OpenAI, as of
 * 2025-08 (audio of the preview models, unchanged until they were retired) and 2026-06 (speech), Cohere and
 * Voyage, as of 2026-06. What the list knows comes first.
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
    providers: ['openai', 'azure'],
    model: /^tts-1-hd(?:-\d+)?$/,
    prices: { input_mchars: 30 },
  },
  { providers: ['openai', 'azure'], model: /^tts-1(?:-\d+)?$/, prices: { input_mchars: 15 } },
  {
    providers: ['cohere'],
    model: /^rerank-(?:v3\.5|v4\.0-fast)$/,
    prices: { rerank_searches_kcount: 2 },
  },
  { providers: ['cohere'], model: /^rerank-v4\.0-pro$/, prices: { rerank_searches_kcount: 2.5 } },
  { providers: ['cohere'], model: /^embed-v4\.0$/, prices: { input_image_mtok: 0.47 } },
  { providers: ['voyageai'], model: /^rerank-2\.5$/, prices: { input_mtok: 0.05 } },
  { providers: ['voyageai'], model: /^rerank-2\.5-lite$/, prices: { input_mtok: 0.02 } },
];

/**
 * Google, as of 2026-03. Mistral, as of 2025-12. OpenAI, as of 2026-11: the preview of the web search costs less
 * with models that reason.
 */
const OWN: readonly AddedModel[] = [
  {
    providers: ['google'],
    model: /^imagen-4\.0-generate/,
    prices: { output_images_kcount: 40 },
    isWhole: true,
  },
  {
    providers: ['google'],
    model: /^imagen-4\.0-fast-generate/,
    prices: { output_images_kcount: 20 },
    isWhole: true,
  },
  {
    providers: ['google'],
    model: /^imagen-4\.0-ultra-generate/,
    prices: { output_images_kcount: 60 },
    isWhole: true,
  },
  {
    providers: ['mistral'],
    model: /^mistral-ocr-2512$/,
    prices: { pages_kcount: 2 },
    isWhole: true,
  },
  {
    providers: ['openai'],
    model: /^(?:gpt-4o|gpt-4\.1|chatgpt-4o)/,
    prices: { preview_web_searches_kcount: 25 },
  },
  {
    providers: ['openai'],
    model: /^(?:o[134]|gpt-[5-9](?!\S*-chat))/,
    prices: { preview_web_searches_kcount: 10 },
  },
];

/** Prices of kinds for which the library of the list has no unit: it would warn of their keys. */
export function ownPrices(provider: string, model: string): AddedPrices | undefined {
  return OWN.find((own) => own.providers.includes(provider) && own.model.test(model))?.prices;
}

/** Whether these are all prices that a model has. */
export function isWhollyOwn(provider: string, model: string): boolean {
  return OWN.some(
    (own) => own.isWhole === true && own.providers.includes(provider) && own.model.test(model),
  );
}

export function addedPrices(provider: string, model: string): AddedPrices | undefined {
  return ADDED.find((added) => added.providers.includes(provider) && added.model.test(model))
    ?.prices;
}
