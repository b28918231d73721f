import {
  fields,
  isObject,
  listOf,
  objectAt,
  stringAt,
  toJson,
  type JsonObject,
} from '../../tokens/json.ts';
import { imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { namesAny } from '../hidden-input.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import { ChatReader } from './chat-reader.ts';
import { LegacyReader } from './legacy-reader.ts';
import { cohereEmbedUsage, cohereUsage } from './usage.ts';

export const chat: CallShape = {
  operation: 'chat',
  request: (request) => ({ model: stringAt(request, 'model') }),
  reader: (options) => new ChatReader(options),
  countable: chatCountable,
};

/** API v1 keeps conversations on the server under an id of the caller's. */
export const legacyChat: CallShape = {
  operation: 'chat',
  request: (request) => ({
    model: stringAt(request, 'model'),
    conversationId: stringAt(request, 'conversationId'),
  }),
  reader: (options) => new LegacyReader(options),
  countable: legacyCountable,
};

/** API v1: `generate`, and `summarize`. */
export const legacyGenerate: CallShape = {
  operation: 'text_completion',
  request: (request) => ({ model: stringAt(request, 'model') }),
  reader: (options) => new LegacyReader(options),
  countable: (request) => ({
    kind: 'texts',
    texts: ['prompt', 'text', 'additionalCommand']
      .map((name) => fields(request)[name])
      .filter(isText),
    tokens: 0,
    partial: namesAny(request, ['preset']),
  }),
};

export const embed: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: (request) => ({ model: stringAt(request, 'model') }),
  reader: (options) =>
    new InputOnlyReader(options, (reply) => ({
      usage: cohereEmbedUsage(objectAt(reply, 'meta')),
      responseId: stringAt(reply, 'id'),
    })),
  countable: (request) => ({
    kind: 'texts',
    texts: listOf(fields(request)['texts']).filter(isText),
    tokens: 0,
    partial: namesAny(request, ['images', 'inputs']),
  }),
};

/** Billed by the search. */
export const rerank: CallShape = billedByUnits('rerank');

/** Documents, billed by the page. */
export const parse: CallShape = billedByUnits('ocr');

function billedByUnits(operation: string): CallShape {
  return {
    operation,
    inputOnly: true,
    request: (request) => ({ model: stringAt(request, 'model') }),
    reader: (options) =>
      new InputOnlyReader(options, (reply) => ({
        usage: cohereUsage(objectAt(reply, 'meta')),
        responseId: stringAt(reply, 'id'),
      })),
    countable: () => ({ kind: 'unknown' }),
  };
}

function chatCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const documents = listOf(request['documents']).map((document) => ({
    role: 'system',
    content: typeof document === 'string' ? document : JSON.stringify(document),
  }));
  return {
    kind: 'chat',
    // How documents are put into the prompt is not published.
    partial: documents.length > 0,
    request: {
      model: request['model'],
      messages: [...documents, ...listOf(request['messages']).map(chatMessage)],
      tools: listOf(request['tools']),
    },
  };
}

function chatMessage(message: unknown): unknown {
  if (!isObject(message)) return message;
  const { role, content, toolPlan } = message;
  const parts = Array.isArray(content)
    ? listOf(content).map(contentPart)
    : content === undefined
      ? []
      : [textPart(content)];
  return {
    role,
    content: toolPlan === undefined ? parts : [textPart(toolPlan), ...parts],
    tool_calls: listOf(message['toolCalls']).map((call) => {
      const called = objectAt(call, 'function');
      return toolCall(called?.['name'], called?.['arguments']);
    }),
  };
}

function contentPart(part: unknown): unknown {
  const url = stringAt(objectAt(part, 'imageUrl'), 'url');
  if (url !== undefined) return imagePart({ url });
  const thinking = stringAt(part, 'thinking');
  return thinking === undefined ? part : textPart(thinking);
}

function legacyCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const preamble = stringAt(request, 'preamble');
  return {
    kind: 'chat',
    partial: namesAny(request, ['conversationId', 'connectors', 'documents', 'promptTruncation']),
    request: {
      model: request['model'],
      messages: [
        ...(preamble === undefined ? [] : [{ role: 'system', content: preamble }]),
        ...listOf(request['chatHistory'])
          .filter(isObject)
          .map((turn) => ({
            role: turn['role'] === 'CHATBOT' ? 'assistant' : 'user',
            content: turn['message'],
          })),
        { role: 'user', content: request['message'] },
        ...listOf(request['toolResults']).filter(isObject).flatMap(legacyResult),
      ],
      tools: listOf(request['tools'])
        .filter(isObject)
        .map((tool) =>
          toolDefinition(tool['name'], tool['description'], {
            properties: tool['parameterDefinitions'],
          }),
        ),
    },
  };
}

function legacyResult(result: JsonObject): readonly object[] {
  const call = objectAt(result, 'call');
  return [
    { role: 'assistant', tool_calls: [toolCall(call?.['name'], call?.['parameters'])] },
    { role: 'tool', content: toJson(result['outputs']) },
  ];
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}
