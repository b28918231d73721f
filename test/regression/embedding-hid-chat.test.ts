import assert from 'node:assert/strict';
import type * as AiSdk from 'ai';
import type * as AiSdkTest from 'ai/test';
import type { createOpenAI } from '@ai-sdk/openai';
import type * as OpenAiModule from 'openai';
import { flush, meterChat, recordUsage } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { plainChatModel, type LangchainCore } from '../support/plain-chat-model.ts';
import { loadCjs, loadTogether } from '../support/sdk-versions.ts';
import { chatPlain, embeddingsReply } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const wire = (model: string) => ({ model, usage: USAGE, streamUsage: { usage: USAGE } });
const RETRIEVAL = embeddingsReply('text-embedding-3-small', { prompt_tokens: 3, total_tokens: 3 });
const MESSAGES = [{ role: 'user' as const, content: 'How often does the tide come in?' }];

/** A wrapper took any call inside for its own: the retrieval's embedding, or a guard's chat. */
describe('a wrapper around calls of another kind or model', () => {
  let server: WireServer;
  let calls: RecordedCalls;
  let openai: typeof OpenAiModule;
  let ai: typeof AiSdk;
  let mocks: typeof AiSdkTest;
  let aiOpenai: { readonly createOpenAI: typeof createOpenAI };
  let core: LangchainCore;

  before(async () => {
    server = await startWireServer();
    (globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: object[] }).AI_SDK_TELEMETRY_INTEGRATIONS = [];
    calls = startRecording();
    openai = (await loadCjs('openai')()) as typeof openai;
    ai = (await loadCjs('ai')()) as typeof ai;
    mocks = (await loadCjs('ai/test')()) as typeof mocks;
    aiOpenai = (await loadCjs('@ai-sdk/openai')()) as typeof aiOpenai;
    core = Object.assign(
      {},
      ...(loadTogether(
        ['language_models/chat_models', 'messages', 'outputs'].map(
          (name) => `@langchain/core/${name}`,
        ),
      ) as object[]),
    ) as LangchainCore;
    for (const [name, module] of [
      ['openai', openai],
      ['ai', ai],
      ['@ai-sdk/openai', aiOpenai],
      ['@langchain/core/language_models/chat_models', core],
    ] as const) {
      assert.ok(calls.instrumentation.instrument(name, module), name);
    }
  });
  beforeEach(() => calls.reset());
  after(async () => {
    await calls.close();
    await server.close();
  });

  const client = () => new openai.OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  const embedded = () =>
    client().embeddings.create({ model: 'text-embedding-3-small', input: 'tide' });
  const guard = () =>
    client().chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES });

  async function left(): Promise<readonly unknown[]> {
    await flush();
    assert.equal(calls.telemetry.spans().length, calls.records.length);
    return calls.records
      .map(({ operation, requestModel }) => `${operation} ${requestModel}`)
      .toSorted();
  }

  it('meterChat around retrieval and a gateway of the application', async () => {
    server.play(RETRIEVAL);
    const chat = meterChat(async (_input: { messages: typeof MESSAGES }) => {
      await embedded();
      return { response: 'Twice a day.' };
    });
    await chat({ messages: MESSAGES });
    assert.deepEqual(await left(), ['chat unknown', 'embeddings text-embedding-3-small']);
  });

  it('meterChat around a guard and a gateway with another model', async () => {
    server.play(chatPlain(wire('gpt-4o-mini')));
    const chat = meterChat(async (_input: { messages: typeof MESSAGES; model: string }) => {
      await guard();
      return { response: 'Twice a day.' };
    });
    await chat({ messages: MESSAGES, model: 'gateway-1' });
    assert.deepEqual(await left(), ['chat gateway-1', 'chat gpt-4o-mini']);
  });

  it('meterChat around a model whose name the gateway gave a date, and around a retry', async () => {
    const dated = 'gpt-4o-2024-08-06';
    server.play({ status: 500, body: '{}' }, chatPlain(wire(dated)));
    const ask = () => client().chat.completions.create({ model: dated, messages: MESSAGES });
    const chat = meterChat(async (_input: { model: string }) => await ask().catch(ask));
    await chat({ model: 'openai/gpt-4o' });
    assert.deepEqual(await left(), [`chat ${dated}`, `chat ${dated}`]);
  });

  it('LangChain, own model, with a guard in a callback', async () => {
    const { body } = chatPlain(wire('plain-1'));
    server.play(chatPlain(wire('gpt-4o-mini')), {
      body: String(body).replace('chatcmpl-1', 'own-reply-1'),
    });
    const model = plainChatModel(core, server.url);
    await model.invoke('When?', {
      callbacks: [
        {
          handleChatModelStart: async () => void (await guard()),
          awaitHandlers: true,
          name: 'guard',
        } as never,
      ],
    });
    assert.deepEqual(await left(), ['chat gpt-4o-mini', 'chat plain-1']);
  });

  const FINISH = {
    finishReason: { unified: 'stop', raw: 'stop' },
    usage: {
      inputTokens: { total: 18, noCache: 18, cacheRead: undefined, cacheWrite: undefined },
      outputTokens: { total: 9, text: 9, reasoning: undefined },
    },
  } as const;
  const own = () =>
    new mocks.MockLanguageModelV4({
      provider: 'own.chat',
      modelId: 'own-1',
      doGenerate: { content: [{ type: 'text', text: 'Twice.' }], warnings: [], ...FINISH },
    });

  it('AI SDK 7, own model, with retrieval in a middleware', async () => {
    server.play(RETRIEVAL);
    const model = ai.wrapLanguageModel({
      model: own(),
      middleware: {
        specificationVersion: 'v4',
        transformParams: async ({ params }) => {
          await ai.embed({
            model: aiOpenai
              .createOpenAI({ apiKey: 'test', baseURL: server.url })
              .embedding('text-embedding-3-small'),
            value: 'tide',
          });
          return params;
        },
      },
    });
    await ai.generateText({ model, prompt: 'When?', maxRetries: 0 });
    assert.deepEqual(await left(), ['chat own-1', 'embeddings text-embedding-3-small']);
  });

  it('AI SDK 7: a reply out of a cache is no call, of a patched model alone', async () => {
    const cached = {
      content: [{ type: 'text' as const, text: 'Twice.' }],
      warnings: [],
      ...FINISH,
    };
    const openaiModel = aiOpenai
      .createOpenAI({ apiKey: 'test', baseURL: server.url })
      .chat('gpt-4o');
    server.play(chatPlain(wire('gpt-4o')));
    await ai.generateText({ model: openaiModel, prompt: 'When?', maxRetries: 0 });
    const model = ai.wrapLanguageModel({
      model: openaiModel,
      middleware: { specificationVersion: 'v4', wrapGenerate: async () => cached },
    });
    const chat = meterChat(() => ai.generateText({ model, prompt: 'When?', maxRetries: 0 }));
    assert.equal((await chat()).text, 'Twice.');
    assert.deepEqual(await left(), ['chat gpt-4o']);
  });

  it('recordUsage of a reply that is metered already, 260 calls later', async () => {
    server.play(chatPlain(wire('gpt-4o-mini')));
    const { id } = await guard();
    for (let others = 0; others < 260; others += 1) {
      await recordUsage({ model: 'm', inputTokens: 1, outputTokens: 1, responseId: `r-${others}` });
    }
    calls.reset();
    assert.equal(await recordUsage({ model: 'gpt-4o-mini', responseId: id }), undefined);
  });
});
