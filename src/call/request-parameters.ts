import type { SpanAttributes } from '@opentelemetry/api';
import { ATTR_OPENAI, ATTR_REQUEST } from '../otel/semconv.ts';
import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../tokens/json.ts';

type Kind = 'number' | 'integer' | 'string' | 'strings';

/** Each attribute, its type, and what the SDKs call it: OpenAI and its likes, Gemini, Bedrock, Ollama. */
const PARAMETERS: readonly (readonly [attribute: string, kind: Kind, names: readonly string[]])[] =
  [
    [
      ATTR_REQUEST.maxTokens,
      'integer',
      [
        'max_completion_tokens',
        'max_output_tokens',
        'max_tokens',
        'maxOutputTokens',
        'maxTokens',
        'num_predict',
      ],
    ],
    [ATTR_REQUEST.temperature, 'number', ['temperature']],
    [ATTR_REQUEST.topP, 'number', ['top_p', 'topP', 'p']],
    [ATTR_REQUEST.topK, 'integer', ['top_k', 'topK', 'k']],
    [ATTR_REQUEST.seed, 'integer', ['seed', 'random_seed', 'randomSeed']],
    [ATTR_REQUEST.choiceCount, 'integer', ['n', 'candidateCount']],
    [ATTR_REQUEST.frequencyPenalty, 'number', ['frequency_penalty', 'frequencyPenalty']],
    [ATTR_REQUEST.presencePenalty, 'number', ['presence_penalty', 'presencePenalty']],
    [ATTR_REQUEST.stopSequences, 'strings', ['stop', 'stop_sequences', 'stopSequences']],
    [
      ATTR_REQUEST.previousResponseId,
      'string',
      ['previous_response_id', 'previous_interaction_id'],
    ],
    [ATTR_REQUEST.reasoningLevel, 'string', ['reasoning_effort', 'reasoningEffort']],
    [
      ATTR_REQUEST.encodingFormats,
      'strings',
      ['encoding_format', 'encodingFormat', 'embedding_types', 'embeddingTypes'],
    ],
    [
      ATTR_REQUEST.dimensionCount,
      'integer',
      ['dimensions', 'output_dimension', 'outputDimension', 'outputDimensionality'],
    ],
  ];

/** Where the parameters stand when not at the top: Gemini, Bedrock, Ollama. */
const NESTED = ['config', 'generationConfig', 'inferenceConfig', 'options'] as const;

interface Parameter {
  readonly attribute: string;
  readonly kind: Kind;
  /** Of two names in one request the lower one counts. */
  readonly rank: number;
}

/** By name: a request has few keys, and these are many names. */
const BY_NAME = new Map<string, Parameter>(
  PARAMETERS.flatMap(([attribute, kind, names]) =>
    names.map((name, rank) => [name, { attribute, kind, rank }] as const),
  ),
);

/** What a request asks for besides its messages, none of whose content is read. */
export function requestParameters(request: unknown, provider?: string): SpanAttributes {
  const attributes: SpanAttributes = {};
  if (!isObject(request)) return attributes;
  let ranks = take(attributes, undefined, request, 0);
  for (let index = 0; index < NESTED.length; index += 1) {
    const nested = request[NESTED[index] as string];
    if (isObject(nested)) ranks = take(attributes, ranks, nested, 10 * (index + 1));
  }
  // Required only where it is another number than the usual one.
  if (attributes[ATTR_REQUEST.choiceCount] === 1) delete attributes[ATTR_REQUEST.choiceCount];
  const set = (name: string, value: string | true | undefined): void => {
    if (value !== undefined) attributes[name] = value;
  };
  set(ATTR_REQUEST.reasoningLevel, reasoningLevel(request));
  set(ATTR_REQUEST.outputType, outputType(request));
  const prompt = objectAt(request, 'prompt');
  set(ATTR_REQUEST.promptName, stringAt(prompt, 'id'));
  set(ATTR_REQUEST.promptVersion, stringAt(prompt, 'version'));
  if (isCompacted(request)) set(ATTR_REQUEST.conversationCompacted, true);
  if (provider === 'openai') {
    const tier = stringAt(request, 'service_tier');
    if (tier !== 'auto') set(ATTR_OPENAI.requestServiceTier, tier);
  }
  return attributes;
}

/** Where it is not a parameter of its own: OpenAI's Responses, Gemini, Anthropic. */
function reasoningLevel(request: JsonObject): string | undefined {
  const { config, generationConfig } = request;
  return (
    stringAt(request['reasoning'], 'effort') ??
    stringAt(objectAt(config ?? generationConfig, 'thinkingConfig'), 'thinkingLevel') ??
    stringAt(request['output_config'], 'effort')
  );
}

/** An item of the input stands for earlier ones (OpenAI); Anthropic does so where it is switched on. */
function isCompacted({ input, context_management: management, messages }: JsonObject): boolean {
  const isCompaction = (item: unknown): boolean => stringAt(item, 'type') === 'compaction';
  if (Array.isArray(input) && input.some(isCompaction)) return true;
  return (
    management !== undefined &&
    listOf(messages).some((message) =>
      listOf(isObject(message) ? message['content'] : undefined).some(isCompaction),
    )
  );
}

function take(
  attributes: SpanAttributes,
  known: Map<string, number> | undefined,
  place: Record<string, unknown>,
  rankOfPlace: number,
): Map<string, number> | undefined {
  let ranks = known;
  for (const name in place) {
    const parameter = BY_NAME.get(name);
    if (parameter === undefined) continue;
    const value = checked(place[name], parameter.kind);
    const rank = rankOfPlace + parameter.rank;
    if (value === undefined || rank >= (ranks?.get(parameter.attribute) ?? Infinity)) continue;
    (ranks ??= new Map()).set(parameter.attribute, rank);
    attributes[parameter.attribute] = value;
  }
  return ranks;
}

function checked(value: unknown, kind: Kind): number | string | string[] | undefined {
  if (kind === 'number') return Number.isFinite(value) ? (value as number) : undefined;
  if (kind === 'integer') return Number.isSafeInteger(value) ? (value as number) : undefined;
  if (typeof value === 'string') return kind === 'strings' ? [value] : value;
  if (kind !== 'strings' || !Array.isArray(value)) return undefined;
  return value.every((item) => typeof item === 'string') ? [...value] : undefined;
}

/** `json` where the answer's form was asked for; text is what nobody asks for. */
function outputType(request: Record<string, unknown>): string | undefined {
  const { response_format: format, text, config, modalities } = request;
  const given = isObject(format) ? format : isObject(text) ? text['format'] : undefined;
  const asked = isObject(given) ? given['type'] : undefined;
  if (asked === 'json_object' || asked === 'json_schema') return 'json';
  if (isObject(config) && config['responseMimeType'] === 'application/json') return 'json';
  if (Array.isArray(modalities) && modalities.includes('audio')) return 'speech';
  return asked === 'text' ? 'text' : undefined;
}
