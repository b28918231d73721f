import type { Groq } from 'groq-sdk';
import { groq } from '../../../src/providers/groq/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  chatBareStream,
  chatFailedStream,
  chatPlain,
  chatScripts,
  type ChatWire,
} from '../../support/wire/openai-chat.ts';
import { describeProvider } from './provider-suite.ts';

const REQUEST = {
  model: 'llama-3.3-70b-versatile',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
  user: 'u-7',
};

const USAGE = {
  prompt_tokens: 18,
  completion_tokens: 9,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const WIRE: ChatWire = {
  model: 'llama-3.3-70b-versatile',
  usage: USAGE,
  streamUsage: { x_groq: { id: 'req_1', usage: USAGE } },
};
const COUNTS = { inputTokens: 18, outputTokens: 9, cacheReadTokens: 4, reasoningTokens: 2 };
const RECORD = {
  provider: 'groq',
  operation: 'chat',
  requestModel: REQUEST.model,
  responseModel: WIRE.model,
  responseId: 'chatcmpl-1',
  userId: 'u-7',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

const BUILDS = [
  ['CommonJS', loadCjs('groq-sdk')],
  ['ESM', loadEsm('groq-sdk')],
] as const;

for (const [build, load] of BUILDS) {
  describeProvider<Groq>({
    title: `groq-sdk 1, ${build}`,
    patch: groq,
    refusedAs: 'RateLimitError',
    load,
    client(module, url) {
      const { Groq: Client } = module as { Groq: typeof Groq };
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
        title: 'withResponse()',
        script: chatPlain(WIRE),
        expected: OK,
        run: async (client) => (await client.chat.completions.create(REQUEST).withResponse()).data,
      },
      {
        title: 'hardware statistics beside the usage of a whole reply',
        script: {
          body: JSON.stringify({
            ...(JSON.parse(String(chatPlain(WIRE).body)) as object),
            x_groq: { id: 'req_1', usage: { dram_cached_tokens: 900, sram_cached_tokens: 1 } },
          }),
        },
        expected: OK,
        run: (client) => client.chat.completions.create(REQUEST),
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
      hidden: [
        {
          title: 'a search of the server',
          script: chatBareStream(WIRE),
          expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
          run: async (client) => {
            // Its types know functions only.
            const tools = [{ type: 'browser_search' }] as object as Groq.Chat.ChatCompletionTool[];
            const request = { ...REQUEST, stream: true as const, tools };
            for await (const _chunk of await client.chat.completions.create(request));
          },
        },
      ],
    },
  });
}
