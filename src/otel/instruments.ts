import type { SemconvGeneration } from './semconv.ts';

/** The conventions have separate metrics for these. `other` is what generates nothing (rerank). */
export type CallKind = 'inference' | 'embeddings' | 'other';

/** The value of a call that an instrument records. */
export type Measure =
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
  /** The calls that have this metric. Absent: all. */
  readonly kindOfCall?: CallKind;
  readonly name: string;
  readonly kind: 'histogram' | 'counter';
  readonly unit: '{token}' | 's' | 'USD';
  readonly description: string;
  readonly measure: Measure;
  /**
   * Attributes beside those that all have: `operation` has the error type and the service tier, `usage`
   * the tier, `stream` neither, `input` and `output` the tier and `gen_ai.token.type`.
   */
  readonly attributes: 'operation' | 'usage' | 'stream' | 'input' | 'output';
  /** Has `gen_ai.token.modality`. */
  readonly byModality?: true;
  /** 0 is recorded for a call without usage, failed ones too. */
  readonly everyCall?: true;
}

export const TOKEN_BUCKETS: readonly number[] = Array.from({ length: 14 }, (_, i) => 4 ** i);
export const SECONDS_BUCKETS: readonly number[] = Array.from(
  { length: 14 },
  (_, i) => 2 ** i / 100,
);

/** Which of the metrics a call with this `gen_ai.operation.name` has. */
export function kindOfCall(operation: string): CallKind {
  if (operation === 'embeddings') return 'embeddings';
  return operation === 'rerank' ? 'other' : 'inference';
}

/** The instruments of these generations, one for each name and value. */
export function instrumentsOf(
  generations: readonly SemconvGeneration[],
): readonly InstrumentDefinition[] {
  const all = generations.includes('v1_41');
  return INSTRUMENTS.filter(({ generation, name }) => {
    // In the old generation this one has every call.
    if (generation === 'latest' && name === OPERATION_DURATION && all) return false;
    return generation === undefined || generations.includes(generation);
  });
}

const OPERATION_DURATION = 'gen_ai.client.operation.duration';
const DURATION = 'Duration of a call';
const FIRST_CHUNK = 'Time until the first chunk of a stream';
const CHUNK_GAP = 'Time from one chunk of a stream to the next';
const INFERENCE = 'gen_ai.client.inference';
const EMBEDDINGS = 'gen_ai.client.embeddings';

/** All instruments of both generations. */
const INSTRUMENTS: readonly InstrumentDefinition[] = [
  {
    name: 'token_meter.cost',
    kind: 'counter',
    unit: 'USD',
    description: 'Estimated cost of the calls whose price is known',
    measure: 'costUsd',
    attributes: 'usage',
  },
  oldTokens('inputTokens', 'input'),
  oldTokens('outputTokens', 'output'),
  seconds('v1_41', OPERATION_DURATION, 'durationSeconds', DURATION),
  seconds(
    'v1_41',
    'gen_ai.client.operation.time_to_first_chunk',
    'timeToFirstChunkSeconds',
    FIRST_CHUNK,
  ),
  seconds('v1_41', 'gen_ai.client.operation.time_per_output_chunk', 'chunkGapSeconds', CHUNK_GAP),
  {
    ...usage('input_tokens', 'inputTokens', 'Input tokens used, cached ones included'),
    everyCall: true,
  },
  {
    ...usage('output_tokens', 'outputTokens', 'Output tokens used, reasoning included'),
    everyCall: true,
  },
  usage('cache_read.input_tokens', 'cacheReadTokens', 'Input tokens read from a prompt cache'),
  usage('cache_write.input_tokens', 'cacheWriteTokens', 'Input tokens written to a prompt cache'),
  usage('reasoning.output_tokens', 'reasoningTokens', 'Output tokens used for reasoning'),
  { ...tokensOfCall('inputTokens', 'input_tokens', 'Input tokens of a call'), everyCall: true },
  { ...tokensOfCall('outputTokens', 'output_tokens', 'Output tokens of a call'), everyCall: true },
  seconds('latest', `${INFERENCE}.duration`, 'durationSeconds', DURATION, 'inference'),
  seconds(
    'latest',
    `${INFERENCE}.time_to_first_chunk`,
    'timeToFirstChunkSeconds',
    FIRST_CHUNK,
    'inference',
  ),
  seconds(
    'latest',
    `${INFERENCE}.time_per_output_chunk`,
    'chunkGapSeconds',
    CHUNK_GAP,
    'inference',
  ),
  seconds('latest', `${EMBEDDINGS}.duration`, 'durationSeconds', DURATION, 'embeddings'),
  {
    ...tokensOfCall('inputTokens', 'input_tokens', 'Input tokens of a call'),
    name: `${EMBEDDINGS}.operation.input_tokens`,
    attributes: 'usage',
    kindOfCall: 'embeddings',
  },
  seconds('latest', OPERATION_DURATION, 'durationSeconds', DURATION, 'other'),
];

function oldTokens(measure: Measure, attributes: 'input' | 'output'): InstrumentDefinition {
  return {
    generation: 'v1_41',
    name: 'gen_ai.client.token.usage',
    kind: 'histogram',
    unit: '{token}',
    description: 'Tokens used by a call',
    measure,
    attributes,
  };
}

function usage(name: string, measure: Measure, description: string): InstrumentDefinition {
  return {
    generation: 'latest',
    kindOfCall: 'inference',
    name: `${INFERENCE}.usage.${name}`,
    kind: 'counter',
    unit: '{token}',
    description,
    measure,
    attributes: 'usage',
    byModality: true,
  };
}

function tokensOfCall(measure: Measure, name: string, description: string): InstrumentDefinition {
  return {
    generation: 'latest',
    kindOfCall: 'inference',
    name: `${INFERENCE}.operation.${name}`,
    kind: 'histogram',
    unit: '{token}',
    description,
    measure,
    attributes: 'operation',
  };
}

function seconds(
  generation: SemconvGeneration,
  name: string,
  measure: Measure,
  description: string,
  kindOfCall?: CallKind,
): InstrumentDefinition {
  const attributes = measure === 'durationSeconds' ? 'operation' : 'stream';
  return {
    generation,
    ...(kindOfCall !== undefined && { kindOfCall }),
    name,
    kind: 'histogram',
    unit: 's',
    description,
    measure,
    attributes,
  };
}
