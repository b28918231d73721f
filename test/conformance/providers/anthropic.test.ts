import assert from 'node:assert/strict';
import type { Anthropic } from '@anthropic-ai/sdk';
import { anthropic, anthropicPlatforms } from '../../../src/providers/anthropic/index.ts';
import { startMetering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  anthropicBareStream,
  anthropicError,
  anthropicFailedStream,
  anthropicPlain,
  anthropicStream,
  anthropicTools,
} from '../../support/wire/anthropic.ts';
import { startWireServer } from '../../support/wire/wire-server.ts';
import { describeProvider } from './provider-suite.ts';

const REQUEST = {
  model: 'claude-opus-5',
  max_tokens: 100,
  messages: [{ role: 'user', content: 'How often does the tide come in?' }],
  metadata: { user_id: 'u-7' },
} satisfies Anthropic.MessageCreateParams;

const USAGE = { inputTokens: 36, outputTokens: 9, cacheReadTokens: 20, cacheWriteTokens: 5 };
const RECORD = {
  provider: 'anthropic',
  operation: 'chat',
  requestModel: 'claude-opus-5',
  responseModel: 'claude-opus-5-20260801',
  responseId: 'msg_01',
  userId: 'u-7',
};
const OK = { ...RECORD, ...USAGE, outcome: 'ok', tokenSource: 'provider' } as const;

const BUILDS = [
  ['1, CommonJS', loadCjs('@anthropic-ai/sdk')],
  ['1, ESM', loadEsm('@anthropic-ai/sdk')],
  ['0.137', loadCjs('@anthropic-ai/sdk', 'previous')],
] as const;

for (const [version, load] of BUILDS) {
  describeProvider<Anthropic>({
    title: `@anthropic-ai/sdk ${version}`,
    patch: anthropic,
    refusedAs: 'RateLimitError',
    load,
    client(module, url) {
      const { Anthropic: Client } = module as { Anthropic: typeof Anthropic };
      return new Client({ apiKey: 'test', baseURL: url, maxRetries: 0 });
    },
    plain: (client) => client.messages.create(REQUEST),
    stream: async (client, signal) =>
      client.messages.create({ ...REQUEST, stream: true }, { signal }),
    abort: (_stream, controller) => controller.abort(),
    wire: {
      plain: anthropicPlain,
      stream: anthropicStream,
      bareStream: anthropicBareStream,
      error: anthropicError,
    },
    expected: { record: RECORD, plain: USAGE, stream: USAGE },
    shapes: [
      {
        title: 'withResponse()',
        script: anthropicPlain,
        expected: OK,
        run: async (client) => {
          const { data, request_id } = await client.messages.create(REQUEST).withResponse();
          return { data, request_id };
        },
      },
      {
        title: 'asResponse(), then its body',
        script: anthropicPlain,
        expected: OK,
        run: async (client) => (await client.messages.create(REQUEST).asResponse()).json(),
      },
      {
        title: 'stream().finalMessage()',
        script: anthropicStream,
        expected: OK,
        run: (client) => client.messages.stream(REQUEST).finalMessage(),
      },
      {
        title: 'beta.messages.create()',
        script: anthropicPlain,
        expected: OK,
        run: (client) => client.beta.messages.create(REQUEST),
      },
      {
        title: 'tee()',
        script: anthropicStream,
        expected: OK,
        run: async (client) => {
          const stream = await client.messages.create({ ...REQUEST, stream: true });
          const [left, right] = stream.tee();
          const types: string[] = [];
          for await (const event of left) types.push(event.type);
          for await (const event of right) types.push(event.type);
          return types;
        },
      },
      {
        title: 'toReadableStream()',
        script: anthropicStream,
        expected: OK,
        run: async (client) => {
          const stream = await client.messages.create({ ...REQUEST, stream: true });
          return new Response(stream.toReadableStream() as ReadableStream).text();
        },
      },
      {
        title: 'tool call',
        script: anthropicTools,
        expected: { ...OK, outputTokens: 31 },
        run: (client) => client.messages.create(REQUEST),
      },
      {
        title: 'break after the input was told',
        script: anthropicStream,
        expected: {
          ...RECORD,
          inputTokens: 36,
          cacheReadTokens: 20,
          outcome: 'aborted',
          tokenSource: 'estimated',
        },
        run: async (client) => {
          const stream = await client.messages.create({ ...REQUEST, stream: true });
          let seen = 0;
          for await (const _event of stream) if ((seen += 1) === 4) break;
          return seen;
        },
      },
      {
        title: 'countTokens() is no call',
        script: { body: JSON.stringify({ input_tokens: 12 }) },
        calls: 0,
        expected: {},
        run: (client) =>
          client.messages.countTokens({ model: REQUEST.model, messages: REQUEST.messages }),
      },
    ],
    promises: {
      pending:
        'its API has no reply that is fetched later but the results of batches, in test/providers/batches.test.ts',
      failed: [
        {
          title: 'an error in the middle of a stream',
          script: anthropicFailedStream,
          expected: { ...RECORD, outcome: 'error' },
          run: async (client) => {
            const stream = await client.messages.create({ ...REQUEST, stream: true });
            for await (const _event of stream);
          },
        },
      ],
      hidden: [
        {
          title: 'a search of the server',
          script: anthropicBareStream,
          expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
          run: async (client) => {
            const tool = { type: 'web_search_20250305', name: 'web_search' } as const;
            const request = { ...REQUEST, stream: true as const, tools: [tool] };
            for await (const _event of await client.messages.create(request));
          },
        },
      ],
    },
  });
}

/** Clients of other clouds inherit from a base that they import without the package itself. */
describe('a client of another platform', () => {
  it('is metered by the base it inherits from', async () => {
    const { BaseAnthropic } = (await loadCjs('@anthropic-ai/sdk/client')()) as {
      readonly BaseAnthropic: typeof Anthropic;
    };
    class AnthropicBedrock extends BaseAnthropic {
      _genAIProviderName = 'aws.bedrock';
    }
    const metering = startMetering();
    const server = await startWireServer();
    try {
      const [patch] = anthropicPlatforms;
      assert.equal(patch?.patch({ AnthropicBedrock }, metering.current), 'patched');
      metering.on();
      server.play(anthropicPlain);
      const client = new AnthropicBedrock({ apiKey: 'test', baseURL: server.url });
      await client.post('/v1/messages', { body: REQUEST });
      const [record] = (await metering.take()).records;
      assert.equal(record?.provider, 'aws.bedrock');
      assert.equal(record.outputTokens, 9);
    } finally {
      metering.off();
      metering.close();
      await server.close();
    }
  });
});

describe('@anthropic-ai/sdk of another shape', () => {
  it('is left alone', () => {
    assert.equal(
      anthropic.patch({}, () => undefined),
      'unfit',
    );
    assert.equal(
      anthropic.patch(undefined, () => undefined),
      'unfit',
    );
    assert.equal(
      anthropic.patch({ Anthropic: class {} }, () => undefined),
      'unfit',
    );
  });
});
