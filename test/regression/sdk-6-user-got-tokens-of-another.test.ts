import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type * as AiSdk from 'ai';
import { withUsageContext } from '../../src/index.ts';
import { flush } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadTogether } from '../support/sdk-versions.ts';

/** In AI SDK 6 an end was tied to the latest start of its model: two users at once were swapped. */
describe('two users at once of one model of the application, in AI SDK 6', () => {
  let calls: RecordedCalls;
  let ai: typeof AiSdk;
  let Model: new (settings: object) => AiSdk.LanguageModel;

  before(() => {
    (globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: object[] }).AI_SDK_TELEMETRY_INTEGRATIONS = [];
    calls = startRecording();
    const [sdk, mocks] = loadTogether(['ai', 'ai/test'], 'previous') as [
      typeof AiSdk,
      { readonly MockLanguageModelV3: typeof Model },
    ];
    ai = sdk;
    Model = mocks.MockLanguageModelV3;
  });
  beforeEach(() => calls.reset());
  after(() => calls.close());

  /** Answers after a while, with that many tokens. */
  function model(tokens: number, afterMs: number): AiSdk.LanguageModel {
    const usage = { inputTokens: { total: tokens }, outputTokens: { total: 1, text: 1 } };
    const finish = { finishReason: { unified: 'stop', raw: 'stop' }, usage };
    return new Model({
      provider: 'own.chat',
      modelId: 'own-1',
      doGenerate: async () => {
        await sleep(afterMs);
        if (tokens === 0) throw new Error('no answer');
        return { content: [{ type: 'text', text: 'Yes.' }], warnings: [], ...finish };
      },
      doStream: async () => ({
        stream: ai.simulateReadableStream({
          initialDelayInMs: afterMs,
          chunks: [
            { type: 'stream-start', warnings: [] },
            { type: 'text-start', id: '1' },
            { type: 'text-delta', id: '1', delta: 'Yes.' },
            { type: 'text-end', id: '1' },
            { type: 'finish', ...finish },
          ],
        }),
      }),
    });
  }

  type Ask = (tokens: number, afterMs: number, metadata?: object) => PromiseLike<unknown>;
  const asks: Readonly<Record<string, Ask>> = {
    generateText: (tokens, afterMs, metadata) =>
      ai.generateText({
        model: model(tokens, afterMs),
        prompt: 'When?',
        maxRetries: 0,
        experimental_telemetry: { isEnabled: true, metadata } as never,
      }),
    streamText: (tokens, afterMs, metadata) =>
      ai.streamText({
        model: model(tokens, afterMs),
        prompt: 'When?',
        maxRetries: 0,
        experimental_telemetry: { isEnabled: true, metadata } as never,
      }).text,
  };

  async function left(): Promise<readonly unknown[]> {
    await flush();
    return calls.records.map(({ userId, inputTokens }) => `${userId} ${inputTokens}`).toSorted();
  }

  for (const [name, ask] of Object.entries(asks)) {
    it(`${name}: each has its own tokens, by Context or by metadata`, async () => {
      await Promise.all([
        withUsageContext({ userId: 'alice' }, () => ask(90_000, 30)),
        withUsageContext({ userId: 'bob' }, () => ask(10, 5)),
      ]);
      assert.deepEqual(await left(), ['alice 90000', 'bob 10']);
      calls.reset();
      await Promise.all([
        ask(90_000, 30, { userId: 'alice' }),
        ask(10, 5, { userId: 'bob' }),
        ask(20, 15),
      ]);
      assert.deepEqual(await left(), ['alice 90000', 'bob 10', 'undefined 20']);
    });

    it(`${name}: nor those of a call that failed before, whoever reads the reply`, async () => {
      if (name === 'generateText') {
        await withUsageContext({ userId: 'alice' }, () =>
          Promise.resolve(ask(0, 1)).catch(() => undefined),
        );
      }
      const reply = withUsageContext({ userId: 'bob' }, () => ask(10, 5));
      await withUsageContext({ userId: 'carol' }, async () => await reply);
      assert.deepEqual(await left(), ['bob 10']);
    });
  }
});
