/**
 * Facts of release 0.1.0 of open-telemetry/semantic-conventions-genai, written out from its pages
 * `client-inference.md`, `client-embeddings.md`, `gen-ai-token-metrics.md` and `openai.md`.
 */
export type Level = 'required' | 'conditional' | 'recommended' | 'opt-in';
/** `json` is a list; `text` may be JSON of anything. */
type ValueType = 'string' | 'int' | 'double' | 'boolean' | 'string[]' | 'json' | 'text';

export interface AttributeFact {
  readonly type: ValueType;
  readonly level: Level;
  /** What it is read from, for the report. */
  readonly from: string;
}

export interface MetricFact {
  readonly kind: 'counter' | 'histogram';
  readonly unit: '{token}' | 's';
  readonly level: Level;
  readonly from: string;
  readonly attributes: Readonly<Record<string, Level>>;
}

export type Attributes = Readonly<Record<string, AttributeFact>>;

type Fact = (type: ValueType, from: string) => AttributeFact;
const fact =
  (level: Level): Fact =>
  (type, from) => ({ type, level, from });
export const required: Fact = fact('required');
export const conditional: Fact = fact('conditional');
export const recommended: Fact = fact('recommended');
export const optIn: Fact = fact('opt-in');

const SERVER: Attributes = {
  'server.address': recommended('string', 'base URL of the client'),
  'server.port': conditional('int', 'base URL of the client'),
};
const COMMON: Attributes = {
  'gen_ai.operation.name': required('string', 'method of the SDK'),
  'gen_ai.provider.name': required('string', 'package, and host of the base URL'),
  'error.type': conditional('string', 'class of the error, or the code in the reply'),
  'gen_ai.request.model': conditional('string', '`model`, `modelId` or the path'),
  ...SERVER,
};

export const INFERENCE_SPAN: Attributes = {
  ...COMMON,
  'gen_ai.conversation.id': conditional(
    'string',
    'user context, `conversation`, `thread_id` of LangChain, `conversationId`',
  ),
  'gen_ai.output.type': conditional(
    'string',
    '`response_format`, `text.format`, `responseMimeType`, `modalities`',
  ),
  'gen_ai.prompt.name': conditional('string', '`prompt.id` of Responses'),
  'gen_ai.prompt.version': conditional('string', '`prompt.version` of Responses'),
  'gen_ai.request.choice.count': conditional('int', '`n`, `candidateCount`'),
  'gen_ai.request.seed': conditional('int', '`seed`, `random_seed`, `randomSeed`'),
  'gen_ai.request.stream': conditional('boolean', '`stream`, or the method'),
  'gen_ai.request.top_k': conditional('int', '`top_k`, `topK`, `k`'),
  'gen_ai.conversation.compacted': recommended(
    'boolean',
    'an item or block of the type `compaction` in request or reply',
  ),
  'gen_ai.request.frequency_penalty': recommended('double', '`frequency_penalty`'),
  'gen_ai.request.max_tokens': recommended(
    'int',
    '`max_completion_tokens`, `max_output_tokens`, `max_tokens`, `maxOutputTokens`, `maxTokens`, `num_predict`',
  ),
  'gen_ai.request.presence_penalty': recommended('double', '`presence_penalty`'),
  'gen_ai.request.previous_response.id': recommended(
    'string',
    '`previous_response_id`, `previous_interaction_id`',
  ),
  'gen_ai.request.reasoning.level': recommended(
    'string',
    '`reasoning_effort`, `reasoning.effort`, `thinkingLevel`, `output_config.effort`',
  ),
  'gen_ai.request.stop_sequences': recommended('string[]', '`stop`, `stop_sequences`'),
  'gen_ai.request.temperature': recommended('double', '`temperature`'),
  'gen_ai.request.top_p': recommended('double', '`top_p`, `topP`, `p`'),
  'gen_ai.response.finish_reasons': recommended(
    'string[]',
    '`finish_reason`, `stop_reason`, `finishReason`, `done_reason`, `status`; `error` where none came',
  ),
  'gen_ai.response.id': recommended('string', '`id`, `responseId`, `generationId`'),
  'gen_ai.response.model': recommended('string', '`model`, `modelVersion`'),
  'gen_ai.response.time_to_first_chunk': recommended('double', 'measured'),
  'gen_ai.usage.input_tokens': recommended(
    'int',
    '`prompt_tokens`, `input_tokens` and cache of Anthropic, `promptTokenCount`, `inputTokens`, `prompt_eval_count`, `billed_units` of Cohere',
  ),
  'gen_ai.usage.output_tokens': recommended(
    'int',
    '`completion_tokens`, `output_tokens`, `candidatesTokenCount` and thoughts, `outputTokens`, `eval_count`',
  ),
  'gen_ai.usage.cache_read.input_tokens': recommended(
    'int',
    '`cached_tokens`, `cache_read_input_tokens`, `cachedContentTokenCount`, `cacheReadInputTokens`',
  ),
  'gen_ai.usage.cache_write.input_tokens': recommended(
    'int',
    '`cache_write_tokens`, `cache_creation_input_tokens`, `cacheWriteInputTokens`',
  ),
  'gen_ai.usage.reasoning.output_tokens': recommended(
    'int',
    '`reasoning_tokens`, `thoughtsTokenCount`',
  ),
  'gen_ai.usage.text.input_tokens': recommended('int', 'the input less its other modalities'),
  'gen_ai.usage.text.output_tokens': recommended('int', 'the output less its other modalities'),
  'gen_ai.usage.text.cache_read.input_tokens': recommended(
    'int',
    'the cache reads less their other modalities',
  ),
  'gen_ai.usage.audio.input_tokens': recommended('int', '`audio_tokens`, `promptTokensDetails`'),
  'gen_ai.usage.audio.output_tokens': recommended(
    'int',
    '`audio_tokens`, `candidatesTokensDetails`',
  ),
  'gen_ai.usage.audio.cache_read.input_tokens': recommended('int', '`cacheTokensDetails`'),
  'gen_ai.usage.image.input_tokens': recommended('int', '`image_tokens`, `promptTokensDetails`'),
  'gen_ai.usage.image.output_tokens': recommended(
    'int',
    '`image_tokens`, `candidatesTokensDetails`',
  ),
  'gen_ai.usage.image.cache_read.input_tokens': recommended('int', '`cacheTokensDetails`'),
  'gen_ai.system_instructions': optIn(
    'json',
    '`system`, `instructions`, `systemInstruction`, `preamble`, with `captureContent`',
  ),
  'gen_ai.input.messages': optIn(
    'json',
    '`messages`, `input`, `contents`, `prompt`, with `captureContent`',
  ),
  'gen_ai.output.messages': optIn('json', 'the reply, with `captureContent`'),
  'gen_ai.tool.definitions': optIn('json', '`tools`, names alone, with `captureContent`'),
};

/** Of calls whose provider is `openai`. */
export const OPENAI_SPAN: Attributes = {
  'openai.request.service_tier': conditional('string', '`service_tier`, unless `auto`'),
  'openai.response.service_tier': conditional('string', '`service_tier` of the reply'),
  'openai.api.type': recommended('string', 'method of the SDK'),
  'openai.response.system_fingerprint': recommended('string', '`system_fingerprint`'),
};

export const EMBEDDINGS_SPAN: Attributes = {
  ...COMMON,
  'gen_ai.embeddings.dimension.count': recommended(
    'int',
    '`dimensions`, `output_dimension`, `outputDimensionality`',
  ),
  'gen_ai.request.encoding_formats': recommended(
    'string[]',
    '`encoding_format`, `embedding_types`',
  ),
  'gen_ai.response.model': recommended('string', '`model`'),
  'gen_ai.usage.input_tokens': recommended('int', '`prompt_tokens`, `inputTextTokenCount`'),
};

const POINT: Readonly<Record<string, Level>> = {
  'gen_ai.operation.name': 'required',
  'gen_ai.provider.name': 'required',
  'gen_ai.request.model': 'conditional',
  'gen_ai.response.model': 'recommended',
  'server.address': 'recommended',
  'server.port': 'conditional',
};
const FAILING = { ...POINT, 'error.type': 'conditional' } as const;
/** The refinement of `openai.md`; its fingerprint is not set, since its values have no bound. */
const TIER = { 'openai.response.service_tier': 'recommended' } as const;

const counter = (from: string): MetricFact => ({
  kind: 'counter',
  unit: '{token}',
  level: 'recommended',
  from,
  attributes: { ...POINT, ...TIER, 'gen_ai.token.modality': 'required' },
});
const histogram = (
  unit: MetricFact['unit'],
  attributes: MetricFact['attributes'],
  from: string,
): MetricFact => ({ kind: 'histogram', unit, level: 'recommended', attributes, from });

const INFERENCE = 'gen_ai.client.inference';
export const METRICS: Readonly<Record<string, MetricFact>> = {
  [`${INFERENCE}.duration`]: histogram('s', { ...FAILING, ...TIER }, 'measured'),
  [`${INFERENCE}.time_to_first_chunk`]: histogram('s', POINT, 'measured, of streams'),
  [`${INFERENCE}.time_per_output_chunk`]: histogram(
    's',
    POINT,
    'measured, of streams; the mean of a call unless `chunkTimes: each`',
  ),
  [`${INFERENCE}.usage.input_tokens`]: counter('usage of the reply, or 0'),
  [`${INFERENCE}.usage.output_tokens`]: counter('usage of the reply, or 0'),
  [`${INFERENCE}.usage.cache_read.input_tokens`]: counter('usage of the reply'),
  [`${INFERENCE}.usage.cache_write.input_tokens`]: counter('usage of the reply'),
  [`${INFERENCE}.usage.reasoning.output_tokens`]: counter('usage of the reply'),
  [`${INFERENCE}.operation.input_tokens`]: histogram(
    '{token}',
    { ...FAILING, ...TIER },
    'usage of the reply, or 0',
  ),
  [`${INFERENCE}.operation.output_tokens`]: histogram(
    '{token}',
    { ...FAILING, ...TIER },
    'usage of the reply, or 0',
  ),
  'gen_ai.client.embeddings.duration': histogram('s', { ...FAILING, ...TIER }, 'measured'),
  'gen_ai.client.embeddings.operation.input_tokens': histogram(
    '{token}',
    { ...POINT, ...TIER },
    'usage of the reply',
  ),
  'gen_ai.client.operation.duration': histogram(
    's',
    { ...FAILING, ...TIER },
    'measured, of calls that generate nothing (rerank)',
  ),
};

export const TOKEN_BUCKETS: readonly number[] = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
];
export const SECOND_BUCKETS: readonly number[] = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

export interface EventFact {
  readonly severity: number;
  readonly level: Level;
  readonly from: string;
}
export const EVENTS: Readonly<Record<string, EventFact>> = {
  'gen_ai.client.inference.operation.details': {
    severity: 5,
    level: 'opt-in',
    from: 'every call: the ledger. Identity, usage and outcome; parameters and content are on the span alone',
  },
  'gen_ai.client.inference.exception': {
    severity: 13,
    level: 'recommended',
    from: 'calls that failed or were cut: `exception.type` alone, since messages and stacks may quote the prompt',
  },
  'gen_ai.client.operation.exception': {
    severity: 13,
    level: 'recommended',
    from: 'the same of calls that are no inference (embeddings, rerank)',
  },
};

/** No convention has them: the user's id, and what this package defines. */
export function isOurs(name: string): boolean {
  return name === 'user.id' || name.startsWith('token_meter.');
}
