import type { BilledUsage } from '../../domain/billed-usage.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import { fields, isObject, objectAt, present, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { charactersOf } from '../openai/speech.ts';
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

/** Billed by the page; a page whose images or contents are described in a given form costs more. */
export const ocr: CallShape = {
  operation: 'ocr',
  inputOnly: true,
  request: completionFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => ({
      usage: pagesOf(reply, options.request),
      responseModel: stringAt(reply, 'model'),
    })),
  countable: () => ({ kind: 'unknown' }),
};

function pagesOf(reply: unknown, request: unknown): BilledUsage | undefined {
  const { usageInfo } = fields(reply);
  const { bboxAnnotationFormat, documentAnnotationFormat } = fields(request);
  const pages = tokenCount(fields(usageInfo)['pagesProcessed']);
  if (pages === undefined) return undefined;
  return bboxAnnotationFormat || documentAnnotationFormat ? { annotatedPages: pages } : { pages };
}

/** Billed by the character of the text; the last event has tokens as well. */
export const speech: CallShape = {
  operation: 'speech',
  inputOnly: true,
  request: (request) => ({
    ...completionFacts(request),
    stream: fields(request)['stream'] === true,
  }),
  reader: (options) =>
    new InputOnlyReader(
      options,
      (reply) => {
        const { input } = fields(options.request);
        const characters = typeof input === 'string' ? charactersOf(input) : 0;
        return {
          usage: present({
            ...mistralUsage(objectAt(objectAt(reply, 'data') ?? reply, 'usage')),
            inputCharacters: characters === 0 ? undefined : characters,
          }),
        };
      },
      (event) => stringAt(objectAt(event, 'data'), 'type') === 'speech.audio.done',
    ),
  countable: () => ({ kind: 'unknown' }),
};

export const moderation: CallShape = classifier('moderation');
export const classification: CallShape = classifier('classification');

/** Billed by the token of their input, which some replies report. Chats have an unknown framing. */
function classifier(operation: string): CallShape {
  return { ...embeddings, operation };
}
