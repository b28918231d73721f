import { fields, isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { imagePart, textPart, toolCall } from '../chat-parts.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';
import { OllamaReader } from './reply-reader.ts';
import { ollamaUsage } from './usage.ts';

export const chat: CallShape = {
  operation: 'chat',
  request: facts,
  reader: (options) => new OllamaReader(options),
  countable: chatCountable,
};

export const generate: CallShape = {
  ...chat,
  operation: 'text_completion',
  countable: generateCountable,
};

export const embed: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: facts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const inputTokens = ollamaUsage(reply)?.inputTokens;
      return {
        usage: inputTokens === undefined ? undefined : { inputTokens },
        responseModel: stringAt(reply, 'model'),
      };
    }),
  countable: (request) => {
    const input = isObject(request) ? request['input'] : undefined;
    const texts = (Array.isArray(input) ? listOf(input) : [input]).filter(
      (text) => typeof text === 'string',
    );
    return { kind: 'texts', texts, tokens: 0 };
  },
};

function facts(request: unknown): RequestFacts {
  return {
    model: stringAt(request, 'model'),
    stream: isObject(request) && request['stream'] === true,
  };
}

function chatCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  return {
    kind: 'chat',
    request: {
      model: request['model'],
      messages: listOf(request['messages']).map(chatMessage),
      tools: listOf(request['tools']),
    },
  };
}

function chatMessage(message: unknown): unknown {
  if (!isObject(message)) return message;
  const { content, thinking } = message;
  return {
    role: message['role'],
    content: [
      ...(thinking === undefined ? [] : [textPart(thinking)]),
      textPart(content),
      ...listOf(message['images']).map(imageOf),
    ],
    tool_calls: listOf(message['tool_calls']).map((call) => {
      const called = objectAt(call, 'function');
      return toolCall(called?.['name'], called?.['arguments']);
    }),
  };
}

/** Base64 or bytes. */
function imageOf(image: unknown): object {
  if (image instanceof Uint8Array)
    return imagePart({ data: Buffer.from(image).toString('base64') });
  return imagePart(typeof image === 'string' ? { data: image } : {});
}

function generateCountable(request: unknown): CountableInput {
  const texts = ['system', 'prompt', 'suffix'].map((field) => stringAt(request, field));
  const { context, images } = fields(request);
  return {
    kind: 'texts',
    texts: texts.filter((text) => text !== undefined),
    // The conversation so far, as tokens.
    tokens: listOf(context).length,
    partial: listOf(images).length > 0,
  };
}
