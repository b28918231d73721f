import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { imagePart, textPart, toolCall } from '../chat-parts.ts';
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

/** The request in the shape of chat completions, for counting. */
export function completionCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'texts', texts: [], tokens: 0 };
  return {
    kind: 'chat',
    request: {
      model: request['model'],
      messages: listOf(request['messages']).map(chatMessage),
      tools: listOf(request['tools']),
    },
  };
}

export function fimCountable(request: unknown): CountableInput {
  const texts = [stringAt(request, 'prompt'), stringAt(request, 'suffix')];
  return { kind: 'texts', texts: texts.filter((text) => text !== undefined), tokens: 0 };
}

/** What was said before is on the server: only what this request carries can be counted. */
export function conversationCountable(request: unknown): CountableInput {
  const inner =
    objectAt(request, 'conversationAppendRequest') ??
    objectAt(request, 'conversationAppendStreamRequest') ??
    request;
  if (!isObject(inner)) return { kind: 'texts', texts: [], tokens: 0 };
  const instructions = stringAt(inner, 'instructions');
  const { inputs } = inner;
  return {
    kind: 'chat',
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
  return { kind: 'texts', texts, tokens: 0 };
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
