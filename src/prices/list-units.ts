import { BILLED_KINDS, type BilledField, type BilledUsage } from '../domain/billed-usage.ts';

/** How the price list names a kind of usage, and under which keys a model has a price for it. */
interface ListUnit {
  readonly usageKey: string;
  readonly priceKeys: readonly string[];
  /**
   * The price list leaves out a modality that costs what text costs, so that its absence is no gap.
   * Not for audio: the list simply lacks many audio prices, and audio never costs what text costs.
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
  // Predicted tokens are billed as output, whether they were used or not.
  acceptedPredictionTokens: { usageKey: '', priceKeys: [], asParent: true },
  rejectedPredictionTokens: { usageKey: '', priceKeys: [], asParent: true },
  webSearches: { usageKey: 'web_searches', priceKeys: ['web_searches_kcount'] },
  fileSearches: { usageKey: 'storage_searches', priceKeys: ['storage_searches_kcount'] },
  codeExecutions: { usageKey: 'code_executions', priceKeys: ['code_executions_kcount'] },
  audioInputSeconds: {
    usageKey: 'input_audio_seconds',
    priceKeys: ['input_audio_hours', 'audio_hours'],
  },
  audioOutputSeconds: {
    usageKey: 'output_audio_seconds',
    priceKeys: ['output_audio_hours', 'audio_hours'],
  },
  inputCharacters: { usageKey: 'input_characters', priceKeys: ['input_mchars'] },
  generatedImages: { usageKey: 'output_images', priceKeys: ['output_images_kcount'] },
  rerankSearches: { usageKey: 'rerank_searches', priceKeys: ['rerank_searches_kcount'] },
};

type ListUsage = Record<string, number>;

/** A call as the price list takes it: tokens and the rest separate, since tiers change tokens alone. */
export interface ListedUsage {
  readonly tokens: ListUsage;
  readonly others: ListUsage;
  /** Kinds that were used and that the model has no price for. They are in neither of the two. */
  readonly missing: readonly string[];
}

/** `prices`: those of the model at the time of the call. */
export function listedUsage(
  usage: BilledUsage,
  prices: Readonly<Record<string, unknown>>,
  provider: string,
): ListedUsage {
  const missing: string[] = [];
  const others: ListUsage = {};
  const tokens: ListUsage = {};
  const left: { -readonly [Field in keyof BilledUsage]: number | undefined } = { ...usage };
  for (const { field, within } of CACHE_FIRST) {
    const whole = within === undefined ? Infinity : (left[within] ?? 0);
    const amount = Math.min(left[field] ?? 0, whole);
    if (amount === 0) continue;
    const { usageKey, priceKeys, asParent } = UNITS[field];
    if (priceKeys.some((key) => prices[key] !== undefined)) {
      (within === undefined ? others : tokens)[usageKey] = amount;
    } else if (asParent !== true && !(within !== undefined && listsEveryModality(provider))) {
      missing.push(kindName(field));
      takeOut(left, field, within, amount);
    }
  }
  if ('input_audio_seconds' in others || 'output_audio_seconds' in others) {
    // The list wants the whole beside its parts.
    others['audio_seconds'] =
      (others['input_audio_seconds'] ?? 0) + (others['output_audio_seconds'] ?? 0);
  }
  put(tokens, 'input_tokens', left.inputTokens);
  put(tokens, 'output_tokens', left.outputTokens);
  put(tokens, 'cache_read_tokens', left.cacheReadTokens);
  put(tokens, 'cache_write_tokens', left.cacheWriteTokens);
  put(tokens, 'output_reasoning_tokens', left.reasoningTokens);
  return { tokens, others, missing };
}

/** Cached tokens of a modality are a part of its input as well: they are taken out of both. */
const CACHE_FIRST = [...BILLED_KINDS].sort(
  (a, b) => Number(b.within === 'cacheReadTokens') - Number(a.within === 'cacheReadTokens'),
);

/** Google's prices name a modality exactly where it costs something else than text. */
function listsEveryModality(provider: string): boolean {
  return provider.startsWith('gcp.') || provider === 'google';
}

/** Tokens without a price leave the counts that they are a part of. */
function takeOut(
  left: { -readonly [Field in keyof BilledUsage]: number | undefined },
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

/** `webSearches` → `web_searches`. */
export function kindName(field: BilledField): string {
  return field.replace(/([a-z])([A-Z0-9])/g, '$1_$2').toLowerCase();
}
