/**
 * Names of spans, events and metrics. The GenAI conventions are in development in
 * open-telemetry/semantic-conventions-genai. `@opentelemetry/semantic-conventions` marks its copies
 * as deprecated and lacks the new ones, so the strings are defined here.
 */

/** `v1_41`: semantic conventions up to 1.41. `latest`: the renamed generation of autumn 2026. */
export type SemconvGeneration = 'v1_41' | 'latest';

/** The log event that carries one ledger record. */
export const EVENT_INFERENCE_DETAILS = 'gen_ai.client.inference.operation.details';

export const ATTR = {
  operationName: 'gen_ai.operation.name',
  providerName: 'gen_ai.provider.name',
  requestModel: 'gen_ai.request.model',
  requestStream: 'gen_ai.request.stream',
  responseModel: 'gen_ai.response.model',
  responseId: 'gen_ai.response.id',
  responseFinishReasons: 'gen_ai.response.finish_reasons',
  /** Seconds. */
  timeToFirstChunk: 'gen_ai.response.time_to_first_chunk',
  conversationId: 'gen_ai.conversation.id',
  userId: 'user.id',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  /** Defined by this package; there is no convention for them. */
  recordId: 'token_meter.record_id',
  durationMs: 'token_meter.duration_ms',
  tokenSource: 'token_meter.token_source',
  outcome: 'token_meter.outcome',
  costUsd: 'token_meter.cost_usd',
  costSource: 'token_meter.cost_source',
  costMissing: 'token_meter.cost_missing',
  serviceTier: 'token_meter.service_tier',
  countedInputTokens: 'token_meter.counted_input_tokens',
  countedOutputTokens: 'token_meter.counted_output_tokens',
} as const;

/** What the price of generated images depends on. */
export const ATTR_IMAGE = {
  size: 'token_meter.image.size',
  quality: 'token_meter.image.quality',
} as const;

/** Where the result of a batch came from. */
export const ATTR_BATCH = {
  id: 'token_meter.batch.id',
  customId: 'token_meter.batch.custom_id',
} as const;

/** Request parameters, on spans only. The last two exist only in the latest generation. */
export const ATTR_REQUEST = {
  maxTokens: 'gen_ai.request.max_tokens',
  temperature: 'gen_ai.request.temperature',
  topP: 'gen_ai.request.top_p',
  topK: 'gen_ai.request.top_k',
  seed: 'gen_ai.request.seed',
  choiceCount: 'gen_ai.request.choice.count',
  frequencyPenalty: 'gen_ai.request.frequency_penalty',
  presencePenalty: 'gen_ai.request.presence_penalty',
  stopSequences: 'gen_ai.request.stop_sequences',
  outputType: 'gen_ai.output.type',
  previousResponseId: 'gen_ai.request.previous_response.id',
  reasoningLevel: 'gen_ai.request.reasoning.level',
} as const;

/** Renamed between the generations (semantic-conventions-genai #440). */
export const ATTR_CACHE_WRITE_TOKENS: Readonly<Record<SemconvGeneration, string>> = {
  v1_41: 'gen_ai.usage.cache_creation.input_tokens',
  latest: 'gen_ai.usage.cache_write.input_tokens',
};

/** Opt-in with `captureContent`. */
export const ATTR_CONTENT = {
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
} as const;

/** Attributes of metrics only. */
export const ATTR_METRIC = {
  tokenType: 'gen_ai.token.type',
  tokenModality: 'gen_ai.token.modality',
} as const;

/** The value of a usage record that an instrument records. */
type Measure =
  | 'inputTokens'
  | 'outputTokens'
  | 'cacheReadTokens'
  | 'cacheWriteTokens'
  | 'reasoningTokens'
  | 'costUsd'
  | 'durationSeconds'
  | 'timeToFirstChunkSeconds'
  | 'chunkGapSeconds';

export interface InstrumentDefinition {
  /** Absent for instruments defined by this package, which exist in every generation. */
  readonly generation?: SemconvGeneration;
  readonly name: string;
  readonly kind: 'histogram' | 'counter';
  readonly unit: '{token}' | 's' | 'USD';
  readonly description: string;
  readonly measure: Measure;
  /** `gen_ai.token.type` of this value: the histogram of v1_41 records input and output. */
  readonly tokenType?: 'input' | 'output';
  /** Usage counters have `gen_ai.token.modality`. */
  readonly byModality?: true;
}

export const TOKEN_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, i) => 4 ** i);
export const SECONDS_BUCKETS: readonly number[] = Array.from(
  { length: 14 },
  (_, i) => 2 ** i / 100,
);

const CHUNK_GAP = 'Time from one chunk of a stream to the next';
const INFERENCE = 'gen_ai.client.inference';

/** All instruments of both generations. */
export const INSTRUMENTS: readonly InstrumentDefinition[] = [
  {
    name: 'token_meter.cost',
    kind: 'counter',
    unit: 'USD',
    description: 'Estimated cost of the calls whose price is known',
    measure: 'costUsd',
  },
  oldTokens('inputTokens', 'input'),
  oldTokens('outputTokens', 'output'),
  seconds('v1_41', 'gen_ai.client.operation.duration', 'durationSeconds', 'Duration of a call'),
  seconds(
    'v1_41',
    'gen_ai.client.operation.time_to_first_chunk',
    'timeToFirstChunkSeconds',
    'Time until the first chunk of a stream',
  ),
  seconds('v1_41', 'gen_ai.client.operation.time_per_output_chunk', 'chunkGapSeconds', CHUNK_GAP),
  usage('input_tokens', 'inputTokens', 'Input tokens used, cached ones included'),
  usage('output_tokens', 'outputTokens', 'Output tokens used, reasoning included'),
  usage('cache_read.input_tokens', 'cacheReadTokens', 'Input tokens read from a prompt cache'),
  usage('cache_write.input_tokens', 'cacheWriteTokens', 'Input tokens written to a prompt cache'),
  usage('reasoning.output_tokens', 'reasoningTokens', 'Output tokens used for reasoning'),
  operation('input_tokens', 'inputTokens', 'Input tokens of a call'),
  operation('output_tokens', 'outputTokens', 'Output tokens of a call'),
  seconds('latest', `${INFERENCE}.duration`, 'durationSeconds', 'Duration of a call'),
  seconds(
    'latest',
    `${INFERENCE}.time_to_first_chunk`,
    'timeToFirstChunkSeconds',
    'Time until the first chunk of a stream',
  ),
  seconds('latest', `${INFERENCE}.time_per_output_chunk`, 'chunkGapSeconds', CHUNK_GAP),
];

function oldTokens(measure: Measure, tokenType: 'input' | 'output'): InstrumentDefinition {
  return {
    generation: 'v1_41',
    name: 'gen_ai.client.token.usage',
    kind: 'histogram',
    unit: '{token}',
    description: 'Tokens used by a call',
    measure,
    tokenType,
  };
}

function usage(name: string, measure: Measure, description: string): InstrumentDefinition {
  return {
    generation: 'latest',
    name: `${INFERENCE}.usage.${name}`,
    kind: 'counter',
    unit: '{token}',
    description,
    measure,
    byModality: true,
  };
}

function operation(name: string, measure: Measure, description: string): InstrumentDefinition {
  return {
    generation: 'latest',
    name: `${INFERENCE}.operation.${name}`,
    kind: 'histogram',
    unit: '{token}',
    description,
    measure,
  };
}

function seconds(
  generation: SemconvGeneration,
  name: string,
  measure: Measure,
  description: string,
): InstrumentDefinition {
  return { generation, name, kind: 'histogram', unit: 's', description, measure };
}
