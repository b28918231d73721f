import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { imagePart, textPart, toolCall } from '../chat-parts.ts';
import { hasHostedTool, holds, namesAny } from '../hidden-input.ts';
import { namedIdentity } from '../named-identity.ts';
import type { CountableInput } from '../../domain/call-shape.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';

/** Agents have an id in place of a model. */
export function completionFacts(request: unknown): RequestFacts {
  return {
    model: stringAt(request, 'model') ?? stringAt(request, 'agentId'),
    opaqueConversationId: stringAt(request, 'promptCacheKey'),
    ...namedIdentity(objectAt(request, 'metadata')),
  };
}

export function conversationFacts(request: unknown): RequestFacts {
  const inner =
    objectAt(request, 'conversationAppendRequest') ??
    objectAt(request, 'conversationAppendStreamRequest') ??
    request;
  return {
    model: stringAt(inner, 'model') ?? stringAt(inner, 'agentId'),
    userId: namedIdentity(objectAt(inner, 'metadata')).userId,
    conversationId: stringAt(request, 'conversationId'),
  };
}

const OWN_TOOLS = [undefined, 'function'];

/** The chunks that name a file: `document_url`, `file`, and the SDK's spelling of their keys. */
function isFile(chunk: JsonObject): boolean {
  return 'documentUrl' in chunk || 'fileId' in chunk;
}

/** The request in the shape of chat completions, for counting. */
export function completionCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const { tools, messages } = request;
  return {
    kind: 'chat',
    partial:
      namesAny(request, ['agentId']) || hasHostedTool(tools, OWN_TOOLS) || holds(messages, isFile),
    request: {
      model: request['model'],
      messages: listOf(messages).map(chatMessage),
      tools: listOf(tools),
    },
  };
}

export function fimCountable(request: unknown): CountableInput {
  const texts = [stringAt(request, 'prompt'), stringAt(request, 'suffix')];
  return { kind: 'texts', texts: texts.filter((text) => text !== undefined), tokens: 0 };
}

export function conversationCountable(request: unknown): CountableInput {
  const inner =
    objectAt(request, 'conversationAppendRequest') ??
    objectAt(request, 'conversationAppendStreamRequest') ??
    request;
  if (!isObject(inner)) return { kind: 'unknown' };
  const instructions = stringAt(inner, 'instructions');
  const { inputs } = inner;
  return {
    kind: 'chat',
    // What was said before is on the server, as are agents.
    partial:
      namesAny(request, ['conversationId']) ||
      namesAny(inner, ['agentId']) ||
      hasHostedTool(inner['tools'], OWN_TOOLS) ||
      holds(inputs, isFile),
    request: {
      model: inner['model'],
      messages: [
        ...(instructions === undefined ? [] : [{ role: 'system', content: instructions }]),
        ...(typeof inputs === 'string'
          ? [{ role: 'user', content: inputs }]
          : listOf(inputs).map(chatMessage)),
      ],
      tools: listOf(inner['tools']),
    },
  };
}

export function embeddingCountable(request: unknown): CountableInput {
  const inputs = isObject(request) ? request['inputs'] : undefined;
  const texts = (Array.isArray(inputs) ? listOf(inputs) : [inputs]).filter(
    (text) => typeof text === 'string',
  );
  // A chat to be classified is framed in a way that is not published.
  return texts.length === 0 ? { kind: 'unknown' } : { kind: 'texts', texts, tokens: 0 };
}

function chatMessage(message: unknown): unknown {
  if (!isObject(message)) return message;
  const { type } = message;
  // Entries of a conversation: calls and results are messages of their own there.
  if (type === 'function.call') {
    return { role: 'assistant', tool_calls: [toolCall(message['name'], message['arguments'])] };
  }
  return {
    role: type === 'function.result' ? 'tool' : message['role'],
    content: Array.isArray(message['content'])
      ? listOf(message['content']).filter(isObject).map(contentPart)
      : (message['content'] ?? message['result']),
    tool_calls: listOf(message['toolCalls']).map((call) => {
      const called = objectAt(call, 'function');
      return toolCall(called?.['name'], called?.['arguments']);
    }),
  };
}

function contentPart(chunk: JsonObject): unknown {
  if (chunk['type'] === 'thinking') {
    const thoughts = listOf(chunk['thinking']).map((thought) => stringAt(thought, 'text') ?? '');
    return textPart(thoughts.join(''));
  }
  if (chunk['type'] !== 'image_url') return chunk;
  return imagePart({
    url: stringAt(chunk, 'imageUrl') ?? stringAt(objectAt(chunk, 'imageUrl'), 'url'),
  });
}
