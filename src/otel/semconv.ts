/**
 * Names of spans, events and metrics. The GenAI conventions are in development in
 * open-telemetry/semantic-conventions-genai. `@opentelemetry/semantic-conventions` marks its copies
 * as deprecated and lacks the new ones, so the strings are defined here.
 */

/**
 * `v1_41`: semantic conventions up to 1.41. `latest`: release 0.1.0 of semantic-conventions-genai,
 * which renamed metrics and attributes.
 */
export type SemconvGeneration = 'v1_41' | 'latest';

/** The schema that spans, metrics and events follow; of two generations at once there is none. */
export const SCHEMA_URL: Readonly<Record<SemconvGeneration, string>> = {
  v1_41: 'https://opentelemetry.io/schemas/1.41.0',
  latest: 'https://opentelemetry.io/schemas/gen-ai/0.1.0',
};

/** The log event that carries one ledger record. */
export const EVENT_INFERENCE_DETAILS = 'gen_ai.client.inference.operation.details';

/** The log event of a failed call. */
export const EVENT_EXCEPTION = {
  operation: 'gen_ai.client.operation.exception',
  inference: 'gen_ai.client.inference.exception',
} as const;

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
  agentName: 'gen_ai.agent.name',
  errorType: 'error.type',
  serverAddress: 'server.address',
  serverPort: 'server.port',
  inputTokens: 'gen_ai.usage.input_tokens',
  outputTokens: 'gen_ai.usage.output_tokens',
  cacheReadTokens: 'gen_ai.usage.cache_read.input_tokens',
  reasoningTokens: 'gen_ai.usage.reasoning.output_tokens',
  /** Defined by this package; there is no convention for them. */
  recordId: 'token_meter.record_id',
  team: 'token_meter.team',
  runId: 'token_meter.run_id',
  /** Tool that a call was made in. `gen_ai.tool.name` belongs to the tool's own span. */
  toolName: 'token_meter.tool_name',
  /** Of a resource: its calls are recorded by the process that started this one. */
  isMetered: 'token_meter.metered',
  /** `partial`: the output of the call is reported later, with that of others. */
  reportedOutput: 'token_meter.reported_output',
  /** Steps of the run down to the call, as `stepsText` writes them. */
  steps: 'token_meter.steps',
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

/** `token_meter.dimension.feature`: a dimension that is configured, followed by its name. */
export const ATTR_DIMENSION_PREFIX = 'token_meter.dimension.';

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

/** Request parameters, on spans only. */
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
  conversationCompacted: 'gen_ai.conversation.compacted',
  promptName: 'gen_ai.prompt.name',
  promptVersion: 'gen_ai.prompt.version',
  encodingFormats: 'gen_ai.request.encoding_formats',
  dimensionCount: 'gen_ai.embeddings.dimension.count',
} as const;

/** Where the provider is `openai`. */
export const ATTR_OPENAI = {
  apiType: 'openai.api.type',
  requestServiceTier: 'openai.request.service_tier',
  responseServiceTier: 'openai.response.service_tier',
  systemFingerprint: 'openai.response.system_fingerprint',
} as const;

/** Text tokens of a provider that splits its counts by modality; the others are in `BILLED_KINDS`. */
export const ATTR_TEXT_TOKENS = {
  input: 'gen_ai.usage.text.input_tokens',
  cacheRead: 'gen_ai.usage.text.cache_read.input_tokens',
  output: 'gen_ai.usage.text.output_tokens',
} as const;

/** Renamed between the generations (semantic-conventions-genai #440). */
export const ATTR_CACHE_WRITE_TOKENS: Readonly<Record<SemconvGeneration, string>> = {
  v1_41: 'gen_ai.usage.cache_creation.input_tokens',
  latest: 'gen_ai.usage.cache_write.input_tokens',
};

/** Opt-in with `captureContent`. */
export const ATTR_CONTENT = {
  systemInstructions: 'gen_ai.system_instructions',
  toolDefinitions: 'gen_ai.tool.definitions',
  inputMessages: 'gen_ai.input.messages',
  outputMessages: 'gen_ai.output.messages',
} as const;

/** `gen_ai.operation.name` of steps. */
export const STEP_OPERATION = {
  agent: 'invoke_agent',
  tool: 'execute_tool',
  workflow: 'invoke_workflow',
} as const;

/** On spans of agents and workflows. */
export const ATTR_AGENT = {
  id: 'gen_ai.agent.id',
  description: 'gen_ai.agent.description',
  version: 'gen_ai.agent.version',
} as const;

/** Name of a workflow up to 1.41; 0.1.0 has it in `gen_ai.agent.name`. */
export const ATTR_WORKFLOW_NAME = 'gen_ai.workflow.name';

/** On spans of tools. */
export const ATTR_TOOL = {
  name: 'gen_ai.tool.name',
  type: 'gen_ai.tool.type',
  description: 'gen_ai.tool.description',
  callId: 'gen_ai.tool.call.id',
  /** Content: opt-in with `captureContent`. */
  arguments: 'gen_ai.tool.call.arguments',
  result: 'gen_ai.tool.call.result',
} as const;

/** Model Context Protocol. */
export const ATTR_MCP = {
  method: 'mcp.method.name',
  sessionId: 'mcp.session.id',
  resourceUri: 'mcp.resource.uri',
  requestId: 'jsonrpc.request.id',
  statusCode: 'rpc.response.status_code',
  transport: 'network.transport',
} as const;

/** Attributes of metrics only. */
export const ATTR_METRIC = {
  tokenType: 'gen_ai.token.type',
  tokenModality: 'gen_ai.token.modality',
} as const;
