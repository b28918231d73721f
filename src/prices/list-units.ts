import type { PricedCall } from './priced-call.ts';
import { BILLED_KINDS, type BilledField, type BilledUsage } from '../domain/billed-usage.ts';
import { kindName, type PricedKind } from './kinds.ts';
import type { CountedPrice } from './nano-dollars.ts';

/** Names of a kind of usage in the price list, and the keys of its price. */
interface ListUnit {
  readonly usageKey: string;
  readonly priceKeys: readonly string[];
  /**
   * The price list omits a modality with the price of text, so a missing price is not a gap. This
   * does not apply to audio: many audio prices are missing, and audio never has the price of text.
   */
  readonly asParent?: true;
}

const UNITS: { readonly [Field in BilledField]: ListUnit } = {
  audioInputTokens: { usageKey: 'input_audio_tokens', priceKeys: ['input_audio_mtok'] },
  imageInputTokens: {
    usageKey: 'input_image_tokens',
    priceKeys: ['input_image_mtok'],
    asParent: true,
  },
  videoInputTokens: {
    usageKey: 'input_video_tokens',
    priceKeys: ['input_video_mtok'],
    asParent: true,
  },
  audioCacheReadTokens: {
    usageKey: 'cache_audio_read_tokens',
    priceKeys: ['cache_audio_read_mtok'],
  },
  imageCacheReadTokens: {
    usageKey: 'cache_image_read_tokens',
    priceKeys: ['cache_image_read_mtok'],
    asParent: true,
  },
  videoCacheReadTokens: {
    usageKey: 'cache_video_read_tokens',
    priceKeys: ['cache_video_read_mtok'],
    asParent: true,
  },
  cacheWrite1hTokens: { usageKey: 'cache_write_1h_tokens', priceKeys: ['cache_write_1h_mtok'] },
  audioOutputTokens: { usageKey: 'output_audio_tokens', priceKeys: ['output_audio_mtok'] },
  imageOutputTokens: { usageKey: 'output_image_tokens', priceKeys: ['output_image_mtok'] },
  videoOutputTokens: { usageKey: 'output_video_tokens', priceKeys: ['output_video_mtok'] },
  // Predicted tokens are billed as output, used or not.
  acceptedPredictionTokens: { usageKey: '', priceKeys: [], asParent: true },
  rejectedPredictionTokens: { usageKey: '', priceKeys: [], asParent: true },
  webSearches: { usageKey: 'web_searches', priceKeys: ['web_searches_kcount'] },
  // The list has no kind for these: a price of this package, or none.
  generatedImages: { usageKey: '', priceKeys: ['output_images_kcount'] },
  pages: { usageKey: '', priceKeys: ['pages_kcount'] },
  annotatedPages: { usageKey: '', priceKeys: ['annotated_pages_kcount'] },
  previewWebSearches: { usageKey: '', priceKeys: ['preview_web_searches_kcount'] },
  searchContentTokens: { usageKey: '', priceKeys: [] },
  fileSearches: { usageKey: 'storage_searches', priceKeys: ['storage_searches_kcount'] },
  codeExecutions: { usageKey: 'code_executions', priceKeys: ['code_executions_kcount'] },
  // The list has no kind for them.
  mapSearches: { usageKey: '', priceKeys: [] },
  audioInputSeconds: {
    usageKey: 'input_audio_seconds',
    priceKeys: ['input_audio_hours', 'audio_hours'],
  },
  audioOutputSeconds: {
    usageKey: 'output_audio_seconds',
    priceKeys: ['output_audio_hours', 'audio_hours'],
  },
  inputCharacters: { usageKey: 'input_characters', priceKeys: ['input_mchars'] },
  // They have taken the place of the tokens processed.
  billedInputTokens: { usageKey: '', priceKeys: [], asParent: true },
  billedOutputTokens: { usageKey: '', priceKeys: [], asParent: true },
  // They are priced separately from the rest of the call.
  advisorInputTokens: { usageKey: '', priceKeys: [], asParent: true },
  advisorCacheReadTokens: { usageKey: '', priceKeys: [], asParent: true },
  advisorCacheWriteTokens: { usageKey: '', priceKeys: [], asParent: true },
  advisorCacheWrite1hTokens: { usageKey: '', priceKeys: [], asParent: true },
  advisorOutputTokens: { usageKey: '', priceKeys: [], asParent: true },
  rerankSearches: { usageKey: 'rerank_searches', priceKeys: ['rerank_searches_kcount'] },
};

type ListUsage = Record<string, number>;

/**
 * Usage in the units of the price list. Tokens are separate, since service tiers affect only their
 * price.
 */
export interface ListedUsage {
  readonly tokens: ListUsage;
  readonly others: ListUsage;
  /** Kinds that the library of the list does not know, with prices of this package. */
  readonly own: readonly CountedPrice[];
  /** Used kinds without a price for this model. They are in neither of the other members. */
  readonly missing: readonly string[];
}

/** `prices`: the prices of the model at the time of the call. */
export function listedUsage(
  usage: BilledUsage,
  prices: Readonly<Record<string, unknown>>,
  { provider, operation }: Pick<PricedCall, 'provider' | 'operation'>,
): ListedUsage {
  const missing: string[] = [];
  const others: ListUsage = {};
  const own: CountedPrice[] = [];
  const tokens: ListUsage = {};
  const left: UsageLeft = { ...usage };
  for (const { field, within } of CACHE_FIRST) {
    const whole = within === undefined ? Infinity : (left[within] ?? 0);
    const amount = Math.min(left[field] ?? 0, whole);
    if (amount === 0) continue;
    const { usageKey, priceKeys, asParent } = UNITS[field];
    const key = priceKeys.find((name) => prices[name] !== undefined);
    if (key !== undefined && usageKey === '') {
      own.push([amount, Number(prices[key]) * millionsOf(key)]);
    } else if (key !== undefined) {
      (within === undefined ? others : tokens)[usageKey] = amount;
    } else if (
      asParent !== true &&
      !isInOutput(field, usage, operation) &&
      !(within !== undefined && listsEveryModality(provider))
    ) {
      missing.push(kindName(field));
      takeOut(left, field, within, amount);
    }
  }
  if (prices['output_image_mtok'] !== undefined && hidesImages(usage, operation)) {
    missing.push(kindName('imageOutputTokens'));
  }
  if ('input_audio_seconds' in others || 'output_audio_seconds' in others) {
    // The list requires the total in addition to its parts.
    others['audio_seconds'] =
      (others['input_audio_seconds'] ?? 0) + (others['output_audio_seconds'] ?? 0);
  }
  put(tokens, 'input_tokens', left.inputTokens);
  put(tokens, 'output_tokens', left.outputTokens);
  put(tokens, 'cache_read_tokens', left.cacheReadTokens);
  put(tokens, 'cache_write_tokens', left.cacheWriteTokens);
  put(tokens, 'output_reasoning_tokens', left.reasoningTokens);
  return { tokens, others, own, missing };
}

/** Counts in a million of the unit that a price key ends in: a price times this is that of a million counts. */
export function millionsOf(key: string): number {
  if (key.endsWith('_kcount')) return 1000;
  return key.endsWith('_hours') ? 1e6 / 3600 : 1;
}

/** Cached tokens of a modality are also part of its input, so both are reduced. */
const CACHE_FIRST = [...BILLED_KINDS].sort(
  (a, b) => Number(b.within === 'cacheReadTokens') - Number(a.within === 'cacheReadTokens'),
);

/** Google's prices contain a modality only if its price differs from text. */
function listsEveryModality(provider: string): boolean {
  return provider.startsWith('gcp.') || provider === 'google';
}

/**
 * The output of an image model is images: their tokens are billed, or their number. That of a speech model
 * is audio. Without a price of their own, they are in the price of output.
 */
export function isInOutput(
  kind: PricedKind,
  { outputTokens }: BilledUsage,
  operation: string | undefined,
): boolean {
  if (operation === 'speech') return kind === 'audioOutputTokens';
  if (operation !== 'image_generation') return false;
  return kind === 'imageOutputTokens' || (kind === 'generatedImages' && outputTokens !== undefined);
}

/**
 * Whether output that has images does not say how much of it they are. Where images cost more than text, the
 * price of output is the least that is paid.
 */
export function hidesImages(
  { outputTokens = 0, imageOutputTokens }: BilledUsage,
  operation: string | undefined,
): boolean {
  return operation === 'image_generation' && outputTokens > 0 && imageOutputTokens === undefined;
}

/** Usage from which priced kinds are taken out. */
export type UsageLeft = { -readonly [Field in keyof BilledUsage]: number | undefined };

/** Removes tokens from the counts that include them. */
export function takeOut(
  left: UsageLeft,
  field: BilledField,
  within: keyof BilledUsage | undefined,
  amount: number,
): void {
  if (within === undefined) return;
  const wholes: (keyof BilledUsage)[] = [within];
  if (within === 'cacheReadTokens' || within === 'cacheWriteTokens') wholes.push('inputTokens');
  if (within === 'cacheReadTokens') wholes.push(field.replace('CacheRead', 'Input') as BilledField);
  for (const whole of wholes) {
    const known = left[whole];
    if (known !== undefined) left[whole] = Math.max(0, known - amount);
  }
}

function put(usage: ListUsage, key: string, amount: number | undefined): void {
  if (amount !== undefined) usage[key] = amount;
}

/** Keys of the prices of a kind beyond the plain token counts. */
export function listKeysOf(kind: PricedKind): readonly string[] {
  return kind in UNITS ? UNITS[kind as BilledField].priceKeys : [];
}

/** Whether a kind without a price has that of the count that includes it. */
export function usesParentPrice(kind: PricedKind, provider?: string): boolean {
  if (!(kind in UNITS)) return true;
  return UNITS[kind as BilledField].asParent ?? listsEveryModality(provider ?? '');
}
