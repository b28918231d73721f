import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { filePart, imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { hasHostedTool, holds, namesAny } from '../hidden-input.ts';
import type { CountableInput } from '../../domain/call-shape.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';

export function messagesFacts(request: unknown): RequestFacts {
  return {
    model: stringAt(request, 'model'),
    stream: isObject(request) && request['stream'] === true,
    userId:
      stringAt(objectAt(request, 'metadata'), 'user_id') ?? stringAt(request, 'user_profile_id'),
  };
}

/** The request in the shape of chat completions, for counting. */
export function messagesCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const system =
    request['system'] === undefined ? [] : [{ role: 'system', content: request['system'] }];
  return {
    kind: 'chat',
    partial: hidesInput(request),
    request: {
      model: request['model'],
      tool_choice: request['tool_choice'],
      thinking: request['thinking'],
      response_format: schemaFormat(request),
      messages: [
        ...system,
        ...withoutOldThoughts(listOf(request['messages'])).flatMap(chatMessages),
      ],
      tools: listOf(request['tools'])
        .filter(isObject)
        .map((tool) => toolDefinition(tool['name'], tool['description'], tool['input_schema'])),
    },
  };
}

/** The schema of a structured reply, which was `output_format` at first. */
function schemaFormat(request: JsonObject): object | undefined {
  const format = objectAt(request['output_config'], 'format') ?? objectAt(request, 'output_format');
  const schema = objectAt(format, 'schema');
  return schema && { type: 'json_schema', json_schema: { schema } };
}

/** Thoughts before the last question are not shown to the model, and not billed. */
function withoutOldThoughts(messages: readonly unknown[]): readonly unknown[] {
  const last = messages.findLastIndex(isQuestion);
  return messages.map((message, index) => {
    if (index >= last || !isObject(message) || !Array.isArray(message['content'])) return message;
    const content = listOf(message['content']).filter((block) => !isThought(block));
    return { ...message, content };
  });
}

function isQuestion(message: unknown): boolean {
  if (!isObject(message) || message['role'] !== 'user') return false;
  const { content } = message;
  return !Array.isArray(content) || content.some((block) => !isToolResult(block));
}

function isToolResult(block: unknown): boolean {
  return isObject(block) && block['type'] === 'tool_result';
}

function isThought(block: unknown): boolean {
  return isObject(block) && ['thinking', 'redacted_thinking'].includes(String(block['type']));
}

function hidesInput(request: JsonObject): boolean {
  return (
    namesAny(request, ['container', 'mcp_servers', 'context_management']) ||
    hasHostedTool(request['tools'], [undefined, 'custom']) ||
    holds(request['messages'], ({ source }) =>
      ['file', 'url'].includes(stringAt(source, 'type') ?? ''),
    )
  );
}

/** Tool calls and results are blocks of a message here, fields and messages of their own there. */
function chatMessages(message: unknown): readonly unknown[] {
  if (!isObject(message) || !Array.isArray(message['content'])) return [message];
  const blocks = listOf(message['content']).filter(isObject);
  const results = blocks.filter((block) => block['type'] === 'tool_result');
  const calls = blocks.filter((block) => block['type'] === 'tool_use');
  const content = blocks.filter((block) => !results.includes(block) && !calls.includes(block));
  const rest = content.length > 0 || calls.length > 0;
  return [
    ...results.map((block) => ({ role: 'tool', content: contentOf(block['content']) })),
    ...(rest
      ? [
          {
            role: message['role'],
            content: contentOf(content),
            tool_calls: calls.map((block) => toolCall(block['name'], block['input'])),
          },
        ]
      : []),
  ];
}

function contentOf(content: unknown): unknown {
  if (!Array.isArray(content)) return content;
  return content.map((block: unknown) => {
    if (!isObject(block)) return block;
    switch (block['type']) {
      case 'thinking':
        return textPart(block['thinking']);
      case 'image':
        return imageOf(block);
      case 'document':
        return documentOf(block);
      default:
        return block;
    }
  });
}

function documentOf(block: JsonObject): unknown {
  const source = objectAt(block, 'source');
  const data = stringAt(source, 'data');
  if (data === undefined) return block;
  return stringAt(source, 'type') === 'text'
    ? textPart(data)
    : filePart(stringAt(block, 'title'), stringAt(source, 'media_type'), data);
}

function imageOf(block: JsonObject): object {
  const source = objectAt(block, 'source');
  return imagePart({
    data: stringAt(source, 'data'),
    mediaType: stringAt(source, 'media_type'),
    url: stringAt(source, 'url'),
  });
}
