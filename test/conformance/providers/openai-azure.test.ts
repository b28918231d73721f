import type { AzureOpenAI } from 'openai';
import { openai } from '../../../src/providers/openai/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  chatBareStream,
  chatFailedStream,
  chatPlain,
  chatScripts,
  chatUsageStream,
  embeddingsReply,
} from '../../support/wire/openai-chat.ts';
import { responsesPending, responsesPlain } from '../../support/wire/openai-responses.ts';
import { CHAT, CHAT_COUNTS, CHAT_RECORD, CHAT_WIRE } from './openai/requests.ts';
import { describeProvider } from './provider-suite.ts';

const RECORD = { ...CHAT_RECORD, provider: 'azure.ai.openai' };
const OK = { ...RECORD, ...CHAT_COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;
const RESPONSES = {
  model: 'gpt-4o-2024-08-06',
  usage: { input_tokens: 22, output_tokens: 9, total_tokens: 31 },
};
const { model: _model, ...WITHOUT_MODEL } = CHAT;

const BUILDS = [
  ['7, CommonJS', loadCjs('openai')],
  ['7, ESM', loadEsm('openai')],
  ['6', loadCjs('openai', 'openai-6')],
  ['5', loadCjs('openai', 'openai-5')],
  ['4', loadCjs('openai', 'openai-4')],
] as const;

for (const [version, load] of BUILDS) {
  const clientOf = (module: unknown, url: string, deployment?: string): AzureOpenAI => {
    const { AzureOpenAI: Client } = module as { AzureOpenAI: typeof AzureOpenAI };
    return new Client({
      apiKey: 'test',
      endpoint: url,
      apiVersion: '2025-04-01-preview',
      maxRetries: 0,
      ...(deployment !== undefined && { deployment }),
    });
  };
  describeProvider<{ plain: AzureOpenAI; deployed: AzureOpenAI }>({
    title: `AzureOpenAI ${version}`,
    patch: openai,
    refusedAs: 'RateLimitError',
    load,
    client: (module, url) => ({
      plain: clientOf(module, url),
      deployed: clientOf(module, url, 'our-mini'),
    }),
    plain: ({ plain }) => plain.chat.completions.create(CHAT),
    stream: ({ plain }, signal) =>
      plain.chat.completions.create({ ...CHAT, stream: true }, { signal }),
    abort: (_stream, controller) => controller.abort(),
    wire: chatScripts(CHAT_WIRE, chatUsageStream(CHAT_WIRE)),
    expected: { record: RECORD, plain: CHAT_COUNTS, stream: CHAT_COUNTS },
    shapes: [
      {
        title: 'a deployment named by the client',
        script: chatPlain(CHAT_WIRE),
        expected: { ...OK, requestModel: 'our-mini' },
        run: ({ deployed }) => deployed.chat.completions.create(WITHOUT_MODEL as typeof CHAT),
      },
      {
        title: 'withResponse()',
        script: chatPlain(CHAT_WIRE),
        expected: OK,
        run: async ({ plain }) => (await plain.chat.completions.create(CHAT).withResponse()).data,
      },
      {
        title: 'embeddings',
        script: embeddingsReply('text-embedding-3-small', { prompt_tokens: 3, total_tokens: 3 }),
        expected: {
          operation: 'embeddings',
          requestModel: 'text-embedding-3-small',
          inputTokens: 3,
          tokenSource: 'provider',
          outcome: 'ok',
        },
        run: ({ plain }) =>
          plain.embeddings.create({ model: 'text-embedding-3-small', input: 'The tide rises' }),
      },
      {
        title: 'responses.create()',
        script: responsesPlain(RESPONSES),
        expected: {
          requestModel: 'gpt-4o',
          inputTokens: 22,
          outputTokens: 9,
          tokenSource: 'provider',
          outcome: 'ok',
        },
        run: ({ plain }) => plain.responses.create({ model: 'gpt-4o', input: 'How often?' }),
      },
    ],
    promises: {
      pending: [
        {
          title: 'responses in the background',
          script: [responsesPending(RESPONSES, 'queued'), responsesPlain(RESPONSES)],
          expected: { inputTokens: 22, outputTokens: 9, tokenSource: 'provider', outcome: 'ok' },
          run: async ({ plain }) => {
            const request = { model: 'gpt-4o', input: 'How often?', background: true } as const;
            const { id } = await plain.responses.create(request);
            return await plain.responses.retrieve(id);
          },
        },
      ],
      failed: [
        {
          title: 'an error in the middle of a stream',
          script: chatFailedStream(CHAT_WIRE),
          expected: { ...RECORD, outcome: 'error' },
          run: async ({ plain }) => {
            const stream = await plain.chat.completions.create({ ...CHAT, stream: true });
            for await (const _chunk of stream);
          },
        },
      ],
      hidden: [
        {
          title: 'documents of a search service',
          script: chatBareStream(CHAT_WIRE),
          expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
          run: async ({ plain }) => {
            const sources = { data_sources: [{ type: 'azure_search' }] };
            const request = { ...CHAT, stream: true, ...sources } as const;
            for await (const _chunk of await plain.chat.completions.create(request));
          },
        },
      ],
    },
  });
}
