/** Names of the ledger in InfluxDB: what the writer writes and the reader reads. */
export const USAGE_MEASUREMENT = 'llm_usage';

/** In the order they are written. */
const USAGE_TAGS = [
  'environment',
  'model',
  'operation',
  'outcome',
  'provider',
  'service',
  'team',
  'token_source',
  'user_id',
] as const;

export const USER_TAG = 'user_id';
/** The team's tag. Those of dimensions are `dimension_feature`. */
export const TEAM_TAG = 'team';
const DIMENSION_TAG = 'dimension_';
/** Field of the exact value of a team or dimension whose tag is `(other)`: `exact_dimension_feature`. */
const EXACT_FIELD = 'exact_';
/**
 * Tag of every user beyond `maxUserTags`, whose id the field `user` still has, and of every team and
 * value of a dimension beyond `maxDimensionTags`, which is in an exact field.
 */
export const OTHER_VALUES = '(other)';

/** Service of the record that `otel-token-meter doctor` writes and reads back: no call, and in no report. */
export const DOCTOR_SERVICE = 'otel-token-meter doctor';

export const USAGE_FIELDS = {
  calls: 'calls',
  inputTokens: 'input_tokens',
  outputTokens: 'output_tokens',
  totalTokens: 'total_tokens',
  cacheReadTokens: 'cache_read_tokens',
  cacheWriteTokens: 'cache_write_tokens',
  reasoningTokens: 'reasoning_tokens',
  durationMs: 'duration_ms',
  timeToFirstChunkMs: 'time_to_first_chunk_ms',
  costUsd: 'cost_usd',
  costSource: 'cost_source',
  costMissing: 'cost_missing',
  serviceTier: 'service_tier',
  user: 'user',
  agentName: 'agent_name',
  runId: 'run_id',
  toolName: 'tool_name',
  steps: 'run_steps',
  conversationId: 'conversation_id',
  recordId: 'record_id',
  responseId: 'response_id',
  responseModel: 'response_model',
  /** Only when the tag `model` had to be cleaned or cut. */
  requestModel: 'request_model',
  errorType: 'error_type',
  traceId: 'trace_id',
  spanId: 'span_id',
} as const;

export function tagOfDimension(name: string): string {
  return DIMENSION_TAG + name;
}

/** `feature` of `dimension_feature`; undefined for other tags. */
export function dimensionOfTag(tag: string): string | undefined {
  return tag.startsWith(DIMENSION_TAG) ? tag.slice(DIMENSION_TAG.length) : undefined;
}

export function exactFieldOf(tag: string): string {
  return EXACT_FIELD + tag;
}

const RESERVED = new Set<string>(['time', ...USAGE_TAGS, ...Object.values(USAGE_FIELDS)]);
const PREFIX = 'attr_';

/** Names of tags. */
type TagNames = Pick<ReadonlySet<string>, 'has'>;

function isReserved(name: string, tags: TagNames): boolean {
  if (RESERVED.has(name) || tags.has(name) || name.startsWith('_')) return true;
  if (name.startsWith(DIMENSION_TAG) || name.startsWith(EXACT_FIELD)) return true;
  return name.startsWith(PREFIX) && isReserved(name.slice(PREFIX.length), tags);
}

/** Field of a caller's own attribute: its name, set apart when it is one of the ledger's, or of a constant tag. */
export function fieldOfAttribute(name: string, tags: TagNames): string {
  return isReserved(name, tags) ? `${PREFIX}${name}` : name;
}

/**
 * Attribute of a field, the other way round; undefined for a field of the ledger itself. `tags` of that very line:
 * another process may write an attribute of the name of a tag.
 */
export function attributeOfField(field: string, tags: TagNames): string | undefined {
  if (!isReserved(field, tags)) return field;
  if (!field.startsWith(PREFIX)) return undefined;
  return field.slice(PREFIX.length);
}
