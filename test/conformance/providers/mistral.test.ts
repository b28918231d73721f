import type { Mistral } from '@mistralai/mistralai';
import { mistral } from '../../../src/providers/mistral/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  mistralBareStream,
  mistralConversation,
  mistralEmbeddings,
  mistralError,
  mistralPlain,
  mistralStream,
} from '../../support/wire/mistral.ts';
import { describeProvider } from './provider-suite.ts';

const REQUEST = {
  model: 'mistral-large-latest',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};
const COUNTS = { inputTokens: 12, outputTokens: 9, cacheReadTokens: 4 };
const RECORD = {
  provider: 'mistral_ai',
  operation: 'chat',
  requestModel: 'mistral-large-latest',
  responseModel: 'mistral-large-2512',
  responseId: 'cmpl-1',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

const BUILDS = [
  ['2', loadEsm('@mistralai/mistralai')],
  ['1', loadCjs('@mistralai/mistralai', 'previous')],
] as const;

for (const [version, load] of BUILDS) {
  describeProvider<Mistral>({
    title: `@mistralai/mistralai ${version}`,
    patch: mistral,
    load,
    client(module, url) {
      const { Mistral: Client } = module as { Mistral: typeof Mistral };
      return new Client({ apiKey: 'test', serverURL: url, retryConfig: { strategy: 'none' } });
    },
    plain: (client) => client.chat.complete(REQUEST),
    stream: (client, signal) => client.chat.stream(REQUEST, signal && { fetchOptions: { signal } }),
    abort: (_stream, controller) => controller.abort(),
    wire: {
      plain: mistralPlain,
      stream: mistralStream,
      bareStream: mistralBareStream,
      error: mistralError,
    },
    expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
    shapes: [
      {
        title: 'stream read by a reader',
        script: mistralStream,
        expected: OK,
        run: async (client) => {
          const reader = (await client.chat.stream(REQUEST)).getReader();
          const chunks: unknown[] = [];
          for (;;) {
            const { done, value } = await reader.read();
            if (done) return chunks;
            chunks.push(value);
          }
        },
      },
      {
        title: 'stream cancelled by its reader',
        script: mistralStream,
        expected: { ...RECORD, outcome: 'aborted', tokenSource: 'estimated' },
        run: async (client) => {
          const reader = (await client.chat.stream(REQUEST)).getReader();
          await reader.read();
          await reader.read();
          await reader.cancel();
          return undefined;
        },
      },
      {
        title: 'agents.complete()',
        script: mistralPlain,
        expected: { ...OK, requestModel: 'agent-7' },
        run: (client) => client.agents.complete({ agentId: 'agent-7', messages: REQUEST.messages }),
      },
      {
        title: 'fim.complete()',
        script: mistralPlain,
        expected: { ...OK, operation: 'text_completion', requestModel: 'codestral-latest' },
        run: (client) => client.fim.complete({ model: 'codestral-latest', prompt: 'def f(' }),
      },
      {
        title: 'embeddings.create()',
        script: mistralEmbeddings,
        expected: {
          operation: 'embeddings',
          requestModel: 'mistral-embed',
          responseId: 'embd-1',
          inputTokens: 3,
          outputTokens: undefined,
          outcome: 'ok',
          tokenSource: 'provider',
        },
        run: (client) => client.embeddings.create({ model: 'mistral-embed', inputs: ['The tide'] }),
      },
      {
        title: 'beta.conversations.start()',
        script: mistralConversation,
        expected: {
          operation: 'chat',
          conversationId: 'conv-1',
          inputTokens: 17,
          outputTokens: 9,
          outcome: 'ok',
          tokenSource: 'provider',
        },
        run: (client) =>
          client.beta.conversations.start({
            model: 'mistral-large-latest',
            inputs: 'How often does the tide come in?',
          }),
      },
    ],
  });
}
