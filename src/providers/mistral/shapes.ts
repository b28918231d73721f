import { fields, isObject, objectAt, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { MistralCompletionReader } from './completion-reader.ts';
import { ConversationReader } from './conversation-reader.ts';
import {
  completionCountable,
  completionFacts,
  conversationCountable,
  conversationFacts,
  embeddingCountable,
  fimCountable,
} from './requests.ts';
import { mistralUsage } from './usage.ts';

export const chat: CallShape = {
  operation: 'chat',
  request: completionFacts,
  reader: (options) => new MistralCompletionReader(options),
  countable: completionCountable,
};

export const fillInTheMiddle: CallShape = {
  ...chat,
  operation: 'text_completion',
  countable: fimCountable,
};

export const conversation: CallShape = {
  operation: 'chat',
  request: conversationFacts,
  reader: (options) => new ConversationReader(options),
  countable: conversationCountable,
};

/** Billed by the token of the text and the second of the audio. */
export const transcription: CallShape = {
  operation: 'transcription',
  inputOnly: true,
  request: completionFacts,
  reader: (options) =>
    new InputOnlyReader(
      options,
      (reply) => {
        const whole = objectAt(reply, 'data') ?? reply;
        return {
          usage: mistralUsage(fields(whole)['usage']),
          responseModel: stringAt(whole, 'model'),
        };
      },
      (event) => stringAt(objectAt(event, 'data'), 'type') === 'transcription.done',
    ),
  countable: () => ({ kind: 'unknown' }),
};

export const embeddings: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: completionFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const usage = mistralUsage(isObject(reply) ? reply['usage'] : undefined);
      const inputTokens = usage?.inputTokens;
      return {
        usage: inputTokens === undefined ? undefined : { inputTokens },
        responseId: stringAt(reply, 'id'),
        responseModel: stringAt(reply, 'model'),
      };
    }),
  countable: embeddingCountable,
};
