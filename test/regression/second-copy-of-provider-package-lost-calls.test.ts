import assert from 'node:assert/strict';
import type * as AiSdk from 'ai';
import type { createOpenAI } from '@ai-sdk/openai';
import { flush } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { chatFailedStream, chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

type Provider = ReturnType<typeof createOpenAI>;

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };

/**
 * Of a bundle with the package inside and a copy beside it only the latter is patched. Calls of the
 * other were taken for replies of a cache, since the provider's name was among those patched.
 */
describe('AI SDK 7, two copies of a provider package of which one is patched', () => {
  let calls: RecordedCalls;
  let server: WireServer;
  let ai: typeof AiSdk;
  let patched: Provider;
  let unpatched: Provider;

  before(async () => {
    (globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: object[] }).AI_SDK_TELEMETRY_INTEGRATIONS = [];
    calls = startRecording();
    server = await startWireServer();
    ai = (await loadCjs('ai')()) as typeof AiSdk;
    const copy = async (): Promise<{ createOpenAI: typeof createOpenAI }> =>
      (await loadCjs('@ai-sdk/openai')()) as { createOpenAI: typeof createOpenAI };
    const first = await copy();
    calls.instrumentation.instrument('@ai-sdk/openai', first);
    const settings = { apiKey: 'test', baseURL: server.url };
    patched = first.createOpenAI(settings);
    unpatched = (await copy()).createOpenAI(settings);
  });
  beforeEach(() => calls.reset());
  after(async () => {
    await calls.close();
    await server.close();
  });

  async function left(): Promise<readonly unknown[]> {
    await flush();
    return calls.records.map(({ outcome, inputTokens, outputTokens }) => [
      outcome,
      inputTokens,
      outputTokens,
    ]);
  }

  for (const [name, provider] of [
    ['the patched one', () => patched],
    ['the other', () => unpatched],
  ] as const) {
    it(`${name}: a reply is recorded once`, async () => {
      server.play(chatPlain(WIRE));
      await ai.generateText({ model: provider().chat('gpt-4o'), prompt: 'When?' });
      assert.deepEqual(await left(), [['ok', 18, 9]]);
    });

    it(`${name}: a stream is recorded once`, async () => {
      server.play(chatStream(WIRE));
      await ai.streamText({ model: provider().chat('gpt-4o'), prompt: 'When?' }).text;
      assert.deepEqual(await left(), [['ok', 18, 9]]);
    });

    it(`${name}: a stream that fails is recorded once`, async () => {
      server.play(chatFailedStream(WIRE));
      const onError = (): undefined => undefined;
      const { fullStream } = ai.streamText({
        model: provider().chat('gpt-4o'),
        prompt: 'When?',
        maxRetries: 0,
        onError,
      });
      for await (const _part of fullStream);
      assert.deepEqual(
        (await left()).map((record) => (record as unknown[])[0]),
        ['error'],
      );
    });

    it(`${name}: a reply of a cache is not recorded, whatever its middleware asks elsewhere`, async () => {
      server.play(chatPlain(WIRE));
      const cached = await provider()
        .chat('gpt-4o')
        .doGenerate({
          prompt: [{ role: 'user', content: [{ type: 'text', text: 'When?' }] }],
        });
      await flush();
      calls.reset();
      const model = ai.wrapLanguageModel({
        model: provider().chat('gpt-4o'),
        middleware: {
          specificationVersion: 'v4',
          wrapGenerate: async () => {
            await (await fetch(`${server.url}/get/key`, { method: 'POST' })).text();
            return cached;
          },
        },
      });
      await ai.generateText({ model, prompt: 'When?' });
      assert.deepEqual(await left(), []);
    });
  }
});
