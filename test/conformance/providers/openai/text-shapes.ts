import type { OpenAI } from 'openai';
import { embeddingsReply } from '../../../support/wire/openai-chat.ts';
import { sse, type Script } from '../../../support/wire/wire-server.ts';
import type { Shape } from '../provider-under-test.ts';

const MODEL = 'gpt-3.5-turbo-instruct';
const PROMPT = { model: MODEL, prompt: 'The tide comes in' } as const;
const completion = (text: string, finish: string | null, more: object = {}): object => ({
  id: 'cmpl-1',
  object: 'text_completion',
  created: 1_790_000_000,
  model: MODEL,
  choices: [{ index: 0, text, finish_reason: finish, logprobs: null }],
  ...more,
});
const USAGE = { prompt_tokens: 4, completion_tokens: 3, total_tokens: 7 };
const stream: Script = {
  pieces: [
    sse(completion(' twice', null)),
    sse(completion(' a day', null)),
    sse(completion('', 'stop')),
    sse('[DONE]'),
  ],
};
const RECORD = {
  provider: 'openai',
  operation: 'text_completion',
  requestModel: MODEL,
  responseId: 'cmpl-1',
  outcome: 'ok',
} as const;

const EMBEDDING = 'text-embedding-3-small';
const EMBEDDED = {
  provider: 'openai',
  operation: 'embeddings',
  requestModel: EMBEDDING,
  responseModel: EMBEDDING,
  outcome: 'ok',
  outputTokens: undefined,
} as const;

export const textShapes: readonly Shape<OpenAI>[] = [
  {
    title: 'completions.create()',
    script: { body: JSON.stringify(completion(' twice a day', 'stop', { usage: USAGE })) },
    expected: { ...RECORD, inputTokens: 4, outputTokens: 3, tokenSource: 'provider' },
    run: (client) => client.completions.create(PROMPT),
  },
  {
    title: 'completions stream without usage',
    script: stream,
    expected: { ...RECORD, inputTokens: 4, outputTokens: 3, tokenSource: 'estimated' },
    run: async (client) => {
      const texts: string[] = [];
      for await (const chunk of await client.completions.create({ ...PROMPT, stream: true })) {
        texts.push(chunk.choices[0]?.text ?? '');
      }
      return texts;
    },
  },
  {
    title: 'embeddings.create()',
    script: embeddingsReply(EMBEDDING, { prompt_tokens: 3, total_tokens: 3 }),
    expected: { ...EMBEDDED, inputTokens: 3, tokenSource: 'provider' },
    run: (client) => client.embeddings.create({ model: EMBEDDING, input: 'The tide rises' }),
  },
  {
    title: 'embeddings.create(), withResponse()',
    script: embeddingsReply(EMBEDDING, { prompt_tokens: 3, total_tokens: 3 }),
    expected: { ...EMBEDDED, inputTokens: 3, tokenSource: 'provider' },
    run: async (client) =>
      (
        await client.embeddings
          .create({ model: EMBEDDING, input: 'The tide rises', encoding_format: 'float' })
          .withResponse()
      ).data,
  },
  {
    title: 'embeddings.create() of texts and token numbers, without usage',
    script: embeddingsReply(EMBEDDING, undefined),
    expected: { ...EMBEDDED, inputTokens: 4, tokenSource: 'counted' },
    run: (client) =>
      client.embeddings.create({ model: EMBEDDING, input: [[791, 29408, 38268, 13]] }),
  },
];
