import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { hasHostedTool, namesAny } from '../hidden-input.ts';
import type { CountableInput } from '../../domain/call-shape.ts';

const ROLES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    human: 'user',
    ai: 'assistant',
    AIMessageChunk: 'assistant',
    function: 'tool',
  }),
);

/** `{ messages, tools }` of LangChain in the shape of chat completions, for counting. */
export function chatModelCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const { messages, tools, config } = request;
  return {
    kind: 'chat',
    partial:
      namesAny(config, ['previous_response_id', 'conversation', 'prompt', 'cachedContent']) ||
      hasHostedTool(tools, [undefined, 'function', 'custom', 'object']),
    request: {
      messages: (Array.isArray(messages) ? listOf(messages) : [messages]).map(chatMessage),
      tools: listOf(tools).filter(isObject).map(toolOf),
    },
  };
}

/** A message, `[role, content]`, or a text. */
function chatMessage(message: unknown): unknown {
  if (Array.isArray(message)) return { role: roleOf(message[0]), content: message[1] as unknown };
  if (!isObject(message)) return { role: 'user', content: message };
  const { content } = message;
  return {
    role: roleOf(typeOf(message) ?? message['role']),
    content: Array.isArray(content) ? listOf(content).map(contentPart) : content,
    tool_calls: listOf(message['tool_calls']).map((call) =>
      isObject(call) ? toolCall(call['name'], call['args']) : call,
    ),
  };
}

function typeOf(message: JsonObject): unknown {
  const { getType, _getType } = message;
  const read = getType ?? _getType;
  return typeof read === 'function' ? (read.call(message) as unknown) : message['type'];
}

function roleOf(type: unknown): unknown {
  return typeof type === 'string' ? (ROLES.get(type) ?? type) : 'user';
}

/** Content blocks of LangChain itself; those of a vendor are read by the vendor's own names. */
function contentPart(block: unknown): unknown {
  if (!isObject(block)) return block;
  switch (block['type']) {
    case 'reasoning':
      return textPart(block['reasoning']);
    case 'thinking':
      return textPart(block['thinking']);
    case 'image': {
      const source = objectAt(block, 'source') ?? block;
      return imagePart({
        data: stringAt(source, 'data'),
        mediaType: stringAt(source, 'mimeType') ?? stringAt(source, 'mime_type'),
        url: stringAt(source, 'url'),
      });
    }
    default:
      return block;
  }
}

/** As bound: already in the vendor's shape, or a tool of LangChain. */
function toolOf(tool: JsonObject): object {
  if ('function' in tool) return tool;
  return toolDefinition(
    tool['name'],
    tool['description'],
    tool['input_schema'] ?? tool['parameters'] ?? tool['schema'],
  );
}
