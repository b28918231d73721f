import assert from 'node:assert/strict';
import { installedApp, type UserApp } from '../support/packed.ts';
import { anthropicPlain, anthropicStream } from '../support/wire/anthropic.ts';
import { conversePlain, converseStream } from '../support/wire/bedrock.ts';
import { coherePlain, cohereStream } from '../support/wire/cohere.ts';
import { googlePlain, googleStream } from '../support/wire/google.ts';
import { mistralPlain, mistralStream } from '../support/wire/mistral.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { responsesPlain, responsesStream } from '../support/wire/openai-responses.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

interface Package {
  readonly create: string;
  readonly provider: string;
  readonly plain: Script;
  readonly stream: Script;
  readonly counts: Readonly<Record<string, number>>;
  readonly settings?: Readonly<Record<string, unknown>>;
}

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const chat = (streamUsage: object = { usage: USAGE }) => {
  const wire = { model: 'm-1', usage: USAGE, streamUsage };
  return {
    plain: chatPlain(wire),
    stream: chatStream(wire),
    counts: { inputTokens: 18, outputTokens: 9 },
  };
};

const RESPONSES = { model: 'm-1', usage: { input_tokens: 18, output_tokens: 9, total_tokens: 27 } };

/** The packages that are used most, as the registry has them for the AI SDK of today. */
const PACKAGES: Readonly<Record<string, Package>> = {
  '@ai-sdk/anthropic@^4': {
    create: 'createAnthropic',
    provider: 'anthropic',
    plain: anthropicPlain,
    stream: anthropicStream,
    counts: { inputTokens: 36, outputTokens: 9, cacheReadTokens: 20, cacheWriteTokens: 5 },
  },
  '@ai-sdk/google@^4': {
    create: 'createGoogle',
    provider: 'gcp.gemini',
    plain: googlePlain,
    stream: googleStream,
    counts: { inputTokens: 12, outputTokens: 39, cacheReadTokens: 4, reasoningTokens: 30 },
  },
  '@ai-sdk/mistral@^4': {
    create: 'createMistral',
    provider: 'mistral_ai',
    plain: mistralPlain,
    stream: mistralStream,
    counts: { inputTokens: 12, outputTokens: 9 },
  },
  '@ai-sdk/cohere@^4': {
    create: 'createCohere',
    provider: 'cohere',
    plain: coherePlain,
    stream: cohereStream,
    counts: { inputTokens: 71, outputTokens: 9 },
  },
  '@ai-sdk/groq@^4': {
    create: 'createGroq',
    provider: 'groq',
    ...chat({ x_groq: { id: 'req_1', usage: USAGE } }),
  },
  '@ai-sdk/togetherai@^3': { create: 'createTogetherAI', provider: 'together_ai', ...chat() },
  '@ai-sdk/amazon-bedrock@^5': {
    create: 'createAmazonBedrock',
    provider: 'aws.bedrock',
    plain: conversePlain,
    stream: converseStream,
    counts: { inputTokens: 32, outputTokens: 9, cacheReadTokens: 15, cacheWriteTokens: 5 },
    settings: { region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 'b' },
  },
  '@ai-sdk/azure@^4': { create: 'createAzure', provider: 'azure.ai.openai', ...chat() },
  '@ai-sdk/openai-compatible@^3': {
    create: 'createOpenAICompatible',
    provider: 'house',
    ...chat(),
    settings: { name: 'house', includeUsage: true },
  },
  '@ai-sdk/xai@^5': {
    create: 'createXai',
    provider: 'x_ai',
    plain: responsesPlain(RESPONSES),
    stream: responsesStream(RESPONSES),
    counts: { inputTokens: 18, outputTokens: 9 },
  },
  '@ai-sdk/deepseek@^3': { create: 'createDeepSeek', provider: 'deepseek', ...chat() },
};

const PROGRAM = `import { flush, TokenMeterInstrumentation } from 'otel-token-meter';
const records = [];
new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const [, , name, create, settings, way] = process.argv;
const { generateText, streamText } = await import('ai');
const provider = (await import(name))[create](JSON.parse(settings));
const model = (provider.chat ?? provider.chatModel ?? provider).call(provider, 'm-1');
const call = { model, prompt: 'How often does the tide come in?', maxRetries: 0 };
const text = way === 'plain' ? (await generateText(call)).text : await streamText(call).text;
await flush();
console.log(JSON.stringify({ text, records }));
`;

describe('provider packages of the AI SDK', () => {
  let server: WireServer;
  let app: UserApp;
  before(async () => {
    server = await startWireServer();
    app = await installedApp(['ai@^7', ...Object.keys(PACKAGES)]);
    await app.write('ask.mjs', PROGRAM);
  });
  after(async () => {
    await app?.remove();
    await server?.close();
  });

  for (const [spec, sdk] of Object.entries(PACKAGES)) {
    for (const way of ['plain', 'stream'] as const) {
      it(`${spec}, ${way}`, async () => {
        server.play(sdk[way]);
        const name = spec.slice(0, spec.lastIndexOf('@'));
        const settings = JSON.stringify({ apiKey: 'test', baseURL: server.url, ...sdk.settings });
        const { code, out, err } = await app.run('node', [
          'ask.mjs',
          name,
          sdk.create,
          settings,
          way,
        ]);
        assert.equal(code, 0, err);
        const result = JSON.parse(out) as { text: string; records: Record<string, unknown>[] };
        assert.equal(result.text, 'The tide comes in twice a day.');
        const [record, ...more] = result.records;
        assert.equal(more.length, 0);
        assert.partialDeepStrictEqual(record, {
          ...sdk.counts,
          provider: sdk.provider,
          requestModel: 'm-1',
          tokenSource: 'provider',
          outcome: 'ok',
        });
      });
    }
  }
});
