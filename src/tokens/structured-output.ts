import { objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { Tally } from './tally.ts';

/**
 * JSON schema of a structured reply: `response_format` of Chat Completions, `text.format` of
 * Responses. OpenAI does not document its cost. Its open harmony format renders the schema under a
 * heading with name and description; it is counted that way, as `estimated`.
 */
export function addStructuredOutput(tally: Tally, request: JsonObject): void {
  const format =
    objectAt(request, 'response_format') ?? objectAt(objectAt(request, 'text'), 'format');
  if (stringAt(format, 'type') !== 'json_schema') return;
  const { name, description, schema } = objectAt(format, 'json_schema') ?? format ?? {};
  const lines = ['# Response Formats', `## ${typeof name === 'string' ? name : ''}`];
  if (typeof description === 'string') lines.push(`// ${description}`);
  lines.push(toJson(schema));
  tally.addText('structuredOutput', lines.join('\n\n'), 'estimated');
}
