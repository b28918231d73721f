import { isObject, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelFamily } from './models.ts';
import type { OpenAiApi } from './openai-api.ts';
import type { Tally } from './tally.ts';

export interface SchemaSettings {
  readonly api: OpenAiApi;
  readonly family: ModelFamily;
  readonly hasSystemMessage: boolean;
}

/** Fields that are not billed. */
const UNBILLED = new Set(['additionalProperties', 'required', '$schema']);

/** Format of a structured reply: `response_format` of Chat Completions, `text.format` of Responses. */
export function schemaOf(request: JsonObject): JsonObject | undefined {
  const format =
    objectAt(request, 'response_format') ?? objectAt(objectAt(request, 'text'), 'format');
  if (stringAt(format, 'type') !== 'json_schema') return undefined;
  return objectAt(format, 'json_schema') ?? format;
}

/**
 * OpenAI does not document what a schema costs. Name, description and schema plus a constant are
 * within a few tokens of recorded calls.
 */
export function addSchema(tally: Tally, format: JsonObject, settings: SchemaSettings): void {
  const { name, description, schema } = format;
  if (typeof name === 'string') tally.addText('structuredOutput', name, 'estimated');
  if (typeof description === 'string') tally.addText('structuredOutput', description, 'estimated');
  tally.addText('structuredOutput', toJson(billed(schema)), 'estimated');
  tally.addTokens('structuredOutput', overheadOf(settings), 'estimated');
}

function overheadOf({ api, family, hasSystemMessage }: SchemaSettings): number {
  if (api === 'responses') return family === 'gpt-5' ? 5 : 7;
  return hasSystemMessage ? 10 : 14;
}

const MAX_DEPTH = 20;

function billed(schema: unknown, depth = 0): unknown {
  if (depth > MAX_DEPTH) return undefined;
  if (Array.isArray(schema)) return schema.map((item) => billed(item, depth + 1));
  if (!isObject(schema)) return schema;
  const kept = Object.entries(schema).filter(([key]) => !UNBILLED.has(key));
  return Object.fromEntries(
    kept.map(([key, value]) => [
      key,
      key === 'properties' ? billedProperties(value, depth + 1) : billed(value, depth + 1),
    ]),
  );
}

/** Its keys are names of the caller. */
function billedProperties(properties: unknown, depth: number): unknown {
  if (!isObject(properties)) return properties;
  const entries = Object.entries(properties);
  return Object.fromEntries(entries.map(([name, value]) => [name, billed(value, depth)]));
}
