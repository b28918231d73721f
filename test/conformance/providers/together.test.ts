import type { Together } from 'together-ai';
import { together } from '../../../src/providers/together/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  chatFailedStream,
  chatScripts,
  chatStream,
  type ChatWire,
  embeddingsReply,
} from '../../support/wire/openai-chat.ts';
import { describeProvider } from './provider-suite.ts';

const REQUEST = {
  model: 'meta-llama/Llama-3.3-70B-Instruct-Turbo',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};
const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE: ChatWire = { model: REQUEST.model, usage: USAGE, streamUsage: { usage: USAGE } };
const COUNTS = { inputTokens: 18, outputTokens: 9 };
const RECORD = {
  provider: 'together_ai',
  operation: 'chat',
  requestModel: REQUEST.model,
  responseModel: REQUEST.model,
  responseId: 'chatcmpl-1',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

const BUILDS = [
  ['CommonJS', loadCjs('together-ai')],
  ['ESM', loadEsm('together-ai')],
] as const;

for (const [build, load] of BUILDS) {
  describeProvider<Together>({
    title: `together-ai 0, ${build}`,
    patch: together,
    refusedAs: 'RateLimitError',
    load,
    client(module, url) {
      const { Together: Client } = module as { Together: typeof Together };
      return new Client({ apiKey: 'test', baseURL: url, maxRetries: 0 });
    },
    plain: (client) => client.chat.completions.create(REQUEST),
    stream: async (client, signal) =>
      client.chat.completions.create({ ...REQUEST, stream: true }, { signal }),
    abort: (_stream, controller) => controller.abort(),
    wire: chatScripts(WIRE),
    expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
    shapes: [
      {
        title: 'chat.completions.stream()',
        script: chatStream(WIRE),
        expected: OK,
        run: (client) =>
          client.chat.completions.stream({ ...REQUEST, stream: true }).finalContent(),
      },
      {
        title: 'completions.create()',
        script: {
          body: JSON.stringify({
            id: 'cmpl-1',
            object: 'text.completion',
            model: REQUEST.model,
            choices: [{ index: 0, text: ' twice a day.', finish_reason: 'eos' }],
            usage: USAGE,
          }),
        },
        expected: { ...OK, operation: 'text_completion', responseId: 'cmpl-1' },
        run: (client) =>
          client.completions.create({ model: REQUEST.model, prompt: 'How often does the tide' }),
      },
      {
        title: 'embeddings.create(), no usage',
        script: embeddingsReply('BAAI/bge-large-en-v1.5', undefined),
        expected: {
          operation: 'embeddings',
          requestModel: 'BAAI/bge-large-en-v1.5',
          outcome: 'ok',
          tokenSource: 'estimated',
          outputTokens: undefined,
        },
        run: (client) =>
          client.embeddings.create({ model: 'BAAI/bge-large-en-v1.5', input: 'The tide' }),
      },
    ],
    promises: {
      pending:
        'its API has no reply that is fetched later but the results of batches, in test/providers/batches.test.ts',
      failed: [
        {
          title: 'an error in the middle of a stream',
          script: chatFailedStream(WIRE),
          expected: { ...RECORD, outcome: 'error' },
          run: async (client) => {
            const stream = await client.chat.completions.create({ ...REQUEST, stream: true });
            for await (const _chunk of stream);
          },
        },
      ],
      hidden:
        'its requests hold all of their input, and no tokenizer of its models is known: counts are estimates',
    },
  });
}
