import type { SpanAttributes } from '@opentelemetry/api';
import { ATTR_REQUEST } from '../../semconv.ts';

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
    [ATTR_REQUEST.previousResponseId, 'string', ['previous_response_id']],
    [ATTR_REQUEST.reasoningLevel, 'string', ['reasoning_effort', 'reasoningEffort']],
  ];

/** Where the parameters stand when not at the top: Gemini, Bedrock, Ollama. */
const NESTED = ['config', 'generationConfig', 'inferenceConfig', 'options'] as const;

/** What a request asks for besides its messages, none of whose content is read. */
export function requestParameters(request: unknown): SpanAttributes {
  const attributes: SpanAttributes = {};
  if (!isObject(request)) return attributes;
  const places = [request, ...NESTED.map((name) => request[name]).filter(isObject)];
  for (const [attribute, kind, names] of PARAMETERS) {
    const value = valueOf(places, names, kind);
    if (value !== undefined) attributes[attribute] = value;
  }
  // Required only where it is another number than the usual one.
  if (attributes[ATTR_REQUEST.choiceCount] === 1) delete attributes[ATTR_REQUEST.choiceCount];
  const { reasoning } = request;
  if (isObject(reasoning) && typeof reasoning['effort'] === 'string') {
    attributes[ATTR_REQUEST.reasoningLevel] = reasoning['effort'];
  }
  const output = outputType(request);
  if (output !== undefined) attributes[ATTR_REQUEST.outputType] = output;
  return attributes;
}

function valueOf(
  places: readonly Record<string, unknown>[],
  names: readonly string[],
  kind: Kind,
): number | string | string[] | undefined {
  for (const place of places) {
    for (const name of names) {
      const value = place[name];
      if (kind === 'number' && typeof value === 'number' && Number.isFinite(value)) return value;
      if (kind === 'integer' && Number.isSafeInteger(value)) return value as number;
      if (kind === 'string' && typeof value === 'string') return value;
      if (kind === 'strings') {
        if (typeof value === 'string') return [value];
        if (Array.isArray(value) && value.every((item) => typeof item === 'string'))
          return [...value];
      }
    }
  }
  return undefined;
}

/** `json` where the answer's form was asked for; text is what nobody asks for. */
function outputType(request: Record<string, unknown>): string | undefined {
  const { response_format: format, text, config, modalities } = request;
  const asked = [format, isObject(text) ? text['format'] : undefined].find(isObject)?.['type'];
  if (asked === 'json_object' || asked === 'json_schema') return 'json';
  if (isObject(config) && config['responseMimeType'] === 'application/json') return 'json';
  if (Array.isArray(modalities) && modalities.includes('audio')) return 'speech';
  return asked === 'text' ? 'text' : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
