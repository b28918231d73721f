import type { AbortableAsyncIterator, Ollama } from 'ollama';
import { ollama } from '../../../src/providers/ollama/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  ollamaBareStream,
  ollamaCachedPrompt,
  ollamaEmbed,
  ollamaError,
  ollamaGenerate,
  ollamaGenerateStream,
  ollamaPlain,
  ollamaStream,
  ollamaStreamedError,
  ollamaTools,
} from '../../support/wire/ollama.ts';
import { describeProvider } from './provider-suite.ts';

/** A fresh one for each call: the SDK writes `stream` into it. */
function request(): { model: string; messages: { role: string; content: string }[] } {
  return {
    model: 'llama3.2',
    messages: [{ role: 'user', content: 'How often does the tide come in?' }],
  };
}
const COUNTS = { inputTokens: 12, outputTokens: 9 };
const RECORD = {
  provider: 'ollama',
  operation: 'chat',
  requestModel: 'llama3.2',
  responseModel: 'llama3.2',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

const BUILDS = [
  ['CommonJS', loadCjs('ollama')],
  ['ESM', loadEsm('ollama')],
] as const;

for (const [build, load] of BUILDS) {
  describeProvider<Ollama>({
    title: `ollama 0.6, ${build}`,
    patch: ollama,
    refusedAs: 'ResponseError',
    load,
    client(module, url) {
      const { Ollama: Client } = module as { Ollama: typeof Ollama };
      return new Client({ host: url });
    },
    plain: (client) => client.chat(request()),
    stream: (client) => client.chat({ ...request(), stream: true }),
    abort: (stream) => (stream as AbortableAsyncIterator<object>).abort(),
    wire: {
      plain: ollamaPlain,
      stream: ollamaStream,
      bareStream: ollamaBareStream,
      error: ollamaError,
    },
    expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
    shapes: [
      {
        title: 'generate()',
        script: ollamaGenerate,
        expected: { ...OK, operation: 'text_completion' },
        run: (client) => client.generate({ model: 'llama3.2', prompt: 'How often?' }),
      },
      {
        title: 'generate(), stream',
        script: ollamaGenerateStream,
        expected: { ...OK, operation: 'text_completion' },
        run: async (client) => {
          const stream = await client.generate({
            model: 'llama3.2',
            prompt: 'How often?',
            stream: true,
          });
          const texts: unknown[] = [];
          for await (const part of stream) texts.push(part.response);
          return texts;
        },
      },
      {
        title: 'tool call and thinking, nothing reported',
        script: ollamaTools,
        expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
        run: (client) => client.chat(request()),
      },
      {
        title: 'embed()',
        script: ollamaEmbed,
        expected: {
          operation: 'embeddings',
          requestModel: 'nomic-embed-text',
          inputTokens: 2,
          outputTokens: undefined,
          outcome: 'ok',
          tokenSource: 'provider',
        },
        run: (client) => client.embed({ model: 'nomic-embed-text', input: 'The tide' }),
      },
      {
        title: 'prompt in the cache of an old server',
        script: ollamaCachedPrompt,
        expected: { ...RECORD, outputTokens: 9, outcome: 'ok', tokenSource: 'estimated' },
        run: (client) => client.chat(request()),
      },
      {
        title: 'pull() is no call',
        script: { body: JSON.stringify({ status: 'success' }) },
        calls: 0,
        expected: {},
        run: (client) => client.pull({ model: 'llama3.2' }),
      },
    ],
    promises: {
      pending:
        'its API has no reply that is fetched later: batches are in "Not seen" of docs/providers.md',
      failed: [
        {
          title: 'error in the middle of a stream',
          script: ollamaStreamedError,
          expected: { ...RECORD, outcome: 'error' },
          run: async (client) => {
            const stream = await client.chat({ ...request(), stream: true });
            for await (const part of stream) void part;
            return undefined;
          },
        },
      ],
      hidden:
        'its requests hold all of their input, and no tokenizer of its models is known: counts are estimates',
    },
  });
}
