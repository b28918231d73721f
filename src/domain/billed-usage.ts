import type { TokenUsage, UsageAttributeValue } from './usage-record.ts';

/**
 * Everything of one call that a provider bills, normalised over providers. Absent means unknown, 0
 * means the provider said 0. Token counts beyond those of `TokenUsage` are subsets of them.
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
  /** Subset of the cache writes: those kept for an hour, which cost more. */
  readonly cacheWrite1hTokens?: number;
  /** Subsets of output, by modality. */
  readonly audioOutputTokens?: number;
  readonly imageOutputTokens?: number;
  readonly videoOutputTokens?: number;
  /** Subsets of output: tokens of a predicted output that were used, or billed though not used. */
  readonly acceptedPredictionTokens?: number;
  readonly rejectedPredictionTokens?: number;
  /** Uses of tools that the provider runs. */
  readonly webSearches?: number;
  readonly fileSearches?: number;
  readonly codeExecutions?: number;
  /** Speech read or spoken, seconds. */
  readonly audioInputSeconds?: number;
  readonly audioOutputSeconds?: number;
  /** Text to be spoken, characters. */
  readonly inputCharacters?: number;
  readonly generatedImages?: number;
  /** Searches of a rerank call. */
  readonly rerankSearches?: number;
}

/** The kinds beyond `TokenUsage`: each is an attribute of the record. */
export type BilledField = Exclude<keyof BilledUsage, keyof TokenUsage>;

export interface BilledKind {
  readonly field: BilledField;
  /** Attribute of record, span and event. */
  readonly attribute: string;
  /** The count that this one is a part of. */
  readonly within?: keyof BilledUsage;
}

const GEN_AI = 'gen_ai.usage';
const OURS = 'token_meter.usage';

/** One row a kind; docs/costs.md has the same rows. */
export const BILLED_KINDS: readonly BilledKind[] = [
  kind('audioInputTokens', `${GEN_AI}.audio.input_tokens`, 'inputTokens'),
  kind('imageInputTokens', `${GEN_AI}.image.input_tokens`, 'inputTokens'),
  kind('videoInputTokens', `${OURS}.video.input_tokens`, 'inputTokens'),
  kind('audioCacheReadTokens', `${OURS}.audio.cache_read_tokens`, 'cacheReadTokens'),
  kind('imageCacheReadTokens', `${OURS}.image.cache_read_tokens`, 'cacheReadTokens'),
  kind('videoCacheReadTokens', `${OURS}.video.cache_read_tokens`, 'cacheReadTokens'),
  kind('cacheWrite1hTokens', `${OURS}.cache_write_1h_tokens`, 'cacheWriteTokens'),
  kind('audioOutputTokens', `${GEN_AI}.audio.output_tokens`, 'outputTokens'),
  kind('imageOutputTokens', `${GEN_AI}.image.output_tokens`, 'outputTokens'),
  kind('videoOutputTokens', `${OURS}.video.output_tokens`, 'outputTokens'),
  kind('acceptedPredictionTokens', `${OURS}.accepted_prediction_tokens`, 'outputTokens'),
  kind('rejectedPredictionTokens', `${OURS}.rejected_prediction_tokens`, 'outputTokens'),
  kind('webSearches', `${OURS}.web_searches`),
  kind('fileSearches', `${OURS}.file_searches`),
  kind('codeExecutions', `${OURS}.code_executions`),
  kind('audioInputSeconds', `${OURS}.audio_input_seconds`),
  kind('audioOutputSeconds', `${OURS}.audio_output_seconds`),
  kind('inputCharacters', `${OURS}.input_characters`),
  kind('generatedImages', `${OURS}.generated_images`),
  kind('rerankSearches', `${OURS}.rerank_searches`),
];

function kind(field: BilledField, attribute: string, within?: keyof TokenUsage): BilledKind {
  return within === undefined ? { field, attribute } : { field, attribute, within };
}

/** The kinds that were used, as attributes of the record. */
export function billedAttributes(usage: BilledUsage): Record<string, number> {
  const attributes: Record<string, number> = {};
  for (const { field, attribute } of BILLED_KINDS) {
    const amount = usage[field];
    if (amount !== undefined && amount > 0) attributes[attribute] = amount;
  }
  return attributes;
}

/** All that a record says of what was billed: its fields, and the attributes of the kinds beyond them. */
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
  for (const { field, attribute } of BILLED_KINDS) {
    const amount = attributes[attribute];
    if (typeof amount === 'number' && amount > 0) usage[field] = amount;
  }
  return usage;
}
