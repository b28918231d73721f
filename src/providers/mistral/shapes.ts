import { isObject, stringAt } from '../../tokens/json.ts';
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
