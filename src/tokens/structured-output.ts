import { objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { Tally } from './tally.ts';

/**
 * A JSON schema the reply has to follow: `response_format` of chat completions, `text.format` of
 * responses. OpenAI documents no price; its open harmony format shows the schema to the model under
 * a heading with its name and description, and so it is counted, `estimated`.
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
