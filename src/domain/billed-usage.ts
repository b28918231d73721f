import type { TokenSource, TokenUsage, UsageAttributeValue } from './usage-record.ts';

/**
 * All billed usage of one call, normalised across providers. Absent means unknown; 0 means that the
 * provider reported 0. Additional token counts are subsets of those in `TokenUsage`.
 */
export interface BilledUsage extends TokenUsage {
  /** Subsets of input, by modality. */
  readonly audioInputTokens?: number;
  readonly imageInputTokens?: number;
  readonly videoInputTokens?: number;
  /** Subsets of the cache reads, by modality. */
  readonly audioCacheReadTokens?: number;
  readonly imageCacheReadTokens?: number;
  readonly videoCacheReadTokens?: number;
  /** Subset of the cache writes: entries kept for an hour, which cost more. */
  readonly cacheWrite1hTokens?: number;
  /** Subsets of output, by modality. */
  readonly audioOutputTokens?: number;
  readonly imageOutputTokens?: number;
  readonly videoOutputTokens?: number;
  /** Subsets of output: tokens of a predicted output, used or unused. Both are billed. */
  readonly acceptedPredictionTokens?: number;
  readonly rejectedPredictionTokens?: number;
  /**
   * Subsets of the counts of the same name: the calls of an advisor, which another model answered
   * (`ADVISOR_MODEL`).
   */
  readonly advisorInputTokens?: number;
  readonly advisorCacheReadTokens?: number;
  readonly advisorCacheWriteTokens?: number;
  readonly advisorCacheWrite1hTokens?: number;
  readonly advisorOutputTokens?: number;
  /** Uses of tools hosted by the provider. */
  readonly webSearches?: number;
  /** Searches of OpenAI's preview tool and preview models, at separate prices. */
  readonly previewWebSearches?: number;
  /** Tokens that a search is billed as, whatever it found. */
  readonly searchContentTokens?: number;
  readonly fileSearches?: number;
  readonly codeExecutions?: number;
  readonly mapSearches?: number;
  /** Seconds of audio input and output. */
  readonly audioInputSeconds?: number;
  readonly audioOutputSeconds?: number;
  /** Characters of text for speech synthesis. */
  readonly inputCharacters?: number;
  readonly generatedImages?: number;
  /** Searches of a rerank call. */
  readonly rerankSearches?: number;
  /** Pages of documents that were read, plain or with annotations, which cost more. */
  readonly pages?: number;
  readonly annotatedPages?: number;
  /** Tokens that are billed, where the provider processed others (Cohere). */
  readonly billedInputTokens?: number;
  readonly billedOutputTokens?: number;
}

/** Kinds in addition to `TokenUsage`, each stored as an attribute of the record. */
export type BilledField = Exclude<keyof BilledUsage, keyof TokenUsage>;

/** Kinds that are not counted in tokens: images, seconds of audio, characters, searches, pages. */
export type UsageUnit = Exclude<BilledField, `${string}Tokens`>;

export interface BilledKind {
  readonly field: BilledField;
  /** Attribute name in record, span and event. */
  readonly attribute: string;
  /** Count that includes this one. */
  readonly within?: keyof BilledUsage;
}

const GEN_AI = 'gen_ai.usage';
const OURS = 'token_meter.usage';

/** Record attribute with the model that advised the one of the call. */
export const ADVISOR_MODEL = 'token_meter.advisor.model';

/** One row per kind, as in docs/costs.md. */
export const BILLED_KINDS: readonly BilledKind[] = [
  kind('audioInputTokens', `${GEN_AI}.audio.input_tokens`, 'inputTokens'),
  kind('imageInputTokens', `${GEN_AI}.image.input_tokens`, 'inputTokens'),
  kind('videoInputTokens', `${OURS}.video.input_tokens`, 'inputTokens'),
  kind('audioCacheReadTokens', `${GEN_AI}.audio.cache_read.input_tokens`, 'cacheReadTokens'),
  kind('imageCacheReadTokens', `${GEN_AI}.image.cache_read.input_tokens`, 'cacheReadTokens'),
  kind('videoCacheReadTokens', `${OURS}.video.cache_read.input_tokens`, 'cacheReadTokens'),
  kind('cacheWrite1hTokens', `${OURS}.cache_write_1h_tokens`, 'cacheWriteTokens'),
  kind('audioOutputTokens', `${GEN_AI}.audio.output_tokens`, 'outputTokens'),
  kind('imageOutputTokens', `${GEN_AI}.image.output_tokens`, 'outputTokens'),
  kind('videoOutputTokens', `${OURS}.video.output_tokens`, 'outputTokens'),
  kind('acceptedPredictionTokens', `${OURS}.accepted_prediction_tokens`, 'outputTokens'),
  kind('rejectedPredictionTokens', `${OURS}.rejected_prediction_tokens`, 'outputTokens'),
  kind('advisorInputTokens', `${OURS}.advisor.input_tokens`, 'inputTokens'),
  kind('advisorCacheReadTokens', `${OURS}.advisor.cache_read_tokens`, 'cacheReadTokens'),
  kind('advisorCacheWriteTokens', `${OURS}.advisor.cache_write_tokens`, 'cacheWriteTokens'),
  kind('advisorCacheWrite1hTokens', `${OURS}.advisor.cache_write_1h_tokens`, 'cacheWriteTokens'),
  kind('advisorOutputTokens', `${OURS}.advisor.output_tokens`, 'outputTokens'),
  kind('webSearches', `${OURS}.web_searches`),
  kind('previewWebSearches', `${OURS}.preview_web_searches`),
  kind('searchContentTokens', `${OURS}.search_content_tokens`),
  kind('fileSearches', `${OURS}.file_searches`),
  kind('codeExecutions', `${OURS}.code_executions`),
  kind('mapSearches', `${OURS}.map_searches`),
  kind('audioInputSeconds', `${OURS}.audio_input_seconds`),
  kind('audioOutputSeconds', `${OURS}.audio_output_seconds`),
  kind('inputCharacters', `${OURS}.input_characters`),
  kind('generatedImages', `${OURS}.generated_images`),
  kind('rerankSearches', `${OURS}.rerank_searches`),
  kind('pages', `${OURS}.pages`),
  kind('annotatedPages', `${OURS}.annotated_pages`),
  kind('billedInputTokens', `${OURS}.billed_input_tokens`, 'inputTokens'),
  kind('billedOutputTokens', `${OURS}.billed_output_tokens`, 'outputTokens'),
];

function kind(field: BilledField, attribute: string, within?: keyof TokenUsage): BilledKind {
  return within === undefined ? { field, attribute } : { field, attribute, within };
}

// A call has few of them, so its own members are looked up rather than all kinds asked for.
const BY_FIELD: ReadonlyMap<string, BilledKind> = new Map(
  BILLED_KINDS.map((billed) => [billed.field, billed]),
);
const BY_ATTRIBUTE: ReadonlyMap<string, BilledKind> = new Map(
  BILLED_KINDS.map((billed) => [billed.attribute, billed]),
);

/** In the order of `BILLED_KINDS`. */
export const USAGE_UNITS: readonly UsageUnit[] = BILLED_KINDS.map(({ field }) => field).filter(
  isUnit,
);
/** The attribute of a unit is its name after this; of what is counted in tokens, the name ends in `_tokens`. */
export const UNIT_PREFIX: string = `${OURS}.`;

function isUnit(field: BilledField): field is UsageUnit {
  return !field.endsWith('Tokens');
}

/** `generatedImages` → `generated_images`. */
export function unitName(unit: UsageUnit): string {
  return attributeOf(unit).slice(UNIT_PREFIX.length);
}

/** What a record has beside tokens; undefined for most records. */
export function unitsOf({
  attributes,
}: {
  readonly attributes: Readonly<Record<string, UsageAttributeValue>>;
}): Readonly<Partial<Record<UsageUnit, number>>> | undefined {
  let units: Partial<Record<UsageUnit, number>> | undefined;
  for (const attribute in attributes) {
    if (!attribute.startsWith(UNIT_PREFIX)) continue;
    const field = BY_ATTRIBUTE.get(attribute)?.field;
    const amount = attributes[attribute];
    if (field === undefined || !isUnit(field)) continue;
    if (isAmount(amount)) (units ??= {})[field] = amount;
  }
  return units;
}

/** Beyond safe integers a sum would lose the amounts of other calls. */
export function isAmount(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= Number.MAX_SAFE_INTEGER;
}

/** Used kinds as attributes of the record. */
export function billedAttributes(usage: BilledUsage): Record<string, number> {
  const attributes: Record<string, number> = {};
  for (const field of Object.keys(usage)) {
    const billed = BY_FIELD.get(field);
    if (billed === undefined) continue;
    const amount = usage[billed.field];
    if (amount !== undefined && amount > 0) attributes[billed.attribute] = amount;
  }
  return attributes;
}

/** Whether any kind beyond `TokenUsage` was used. */
export function hasBilledKinds(usage: BilledUsage): boolean {
  return Object.keys(usage).some((field) => {
    const billed = BY_FIELD.get(field);
    return billed !== undefined && (usage[billed.field] ?? 0) > 0;
  });
}

/** Attribute of a kind. */
export function attributeOf(field: BilledField): string {
  return BY_FIELD.get(field)?.attribute ?? field;
}

/** Billed usage of a record, from its fields and attributes. */
export function billedUsageOf(
  record: TokenUsage & {
    readonly attributes?: Readonly<Record<string, UsageAttributeValue>> | undefined;
  },
): BilledUsage {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWriteTokens, reasoningTokens } = record;
  const usage: { -readonly [K in keyof BilledUsage]: BilledUsage[K] } = {};
  if (inputTokens !== undefined) usage.inputTokens = inputTokens;
  if (outputTokens !== undefined) usage.outputTokens = outputTokens;
  if (cacheReadTokens !== undefined) usage.cacheReadTokens = cacheReadTokens;
  if (cacheWriteTokens !== undefined) usage.cacheWriteTokens = cacheWriteTokens;
  if (reasoningTokens !== undefined) usage.reasoningTokens = reasoningTokens;
  const { attributes } = record;
  if (attributes === undefined) return usage;
  for (const [attribute, amount] of Object.entries(attributes)) {
    const field = BY_ATTRIBUTE.get(attribute)?.field;
    if (field !== undefined && isAmount(amount)) usage[field] = amount;
  }
  const isBilledApart =
    usage.billedInputTokens !== undefined || usage.billedOutputTokens !== undefined;
  return isBilledApart ? inBilledTokens(usage) : usage;
}

/**
 * Whether a call has any usage. One without, such as a failed call, costs nothing: it has no cost, but no
 * unknown one either.
 */
export function hasUsage(
  record: Parameters<typeof billedUsageOf>[0] & { readonly tokenSource?: TokenSource | undefined },
): boolean {
  if (record.tokenSource !== undefined) return true;
  const usage = billedUsageOf(record);
  return (
    usage.inputTokens !== undefined || usage.outputTokens !== undefined || hasBilledKinds(usage)
  );
}

/** The tokens that are billed take the place of those that were processed. */
export function inBilledTokens(processed: BilledUsage): BilledUsage {
  const { billedInputTokens, billedOutputTokens, ...rest } = processed;
  const usage: { -readonly [K in keyof BilledUsage]: BilledUsage[K] } = rest;
  if (billedInputTokens !== undefined) {
    usage.inputTokens = billedInputTokens;
    if (usage.cacheReadTokens !== undefined) {
      usage.cacheReadTokens = Math.min(usage.cacheReadTokens, billedInputTokens);
    }
  }
  if (billedOutputTokens !== undefined) usage.outputTokens = billedOutputTokens;
  return usage;
}
