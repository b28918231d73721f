import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { trace } from '@opentelemetry/api';
import type * as Langchain from '@langchain/openai';
import type * as AiSdk from 'ai';
import type * as AiSdkTest from 'ai/test';
import type { createOpenAI } from '@ai-sdk/openai';
import type * as OpenAiModule from 'openai';
import {
  flush,
  meterChat,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { loadCjs, loadTogether } from '../support/sdk-versions.ts';
import { until } from '../support/until.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain, chatReply, chatStream, chatToolCall } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };
const QUESTION = 'How often does the tide come in?';
const MESSAGES = [{ role: 'user' as const, content: QUESTION }];
const COUNTS = {
  inputTokens: 18,
  outputTokens: 9,
  tokenSource: 'provider',
  outcome: 'ok',
} as const;

/** Several layers that all could meter the same calls, as an application stacks them. */
describe('one record a model call, however many layers see it', function () {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let openai: typeof OpenAiModule;
  let langchain: typeof Langchain;
  let ai: typeof AiSdk;
  let mocks: typeof AiSdkTest;
  let aiOpenai: { readonly createOpenAI: typeof createOpenAI };
  const records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    // What another test file registered belongs to its meter.
    (globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: object[] }).AI_SDK_TELEMETRY_INTEGRATIONS = [];
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    const copies = loadTogether(['openai', '@langchain/core/messages', '@langchain/openai']);
    openai = copies[0] as typeof openai;
    langchain = copies[2] as typeof langchain;
    ai = (await loadCjs('ai')()) as typeof ai;
    mocks = (await loadCjs('ai/test')()) as typeof mocks;
    aiOpenai = (await loadCjs('@ai-sdk/openai')()) as typeof aiOpenai;
    for (const [name, module] of [
      ['openai', openai],
      ['@langchain/openai', langchain],
      ['ai', ai],
      ['@ai-sdk/openai', aiOpenai],
    ] as const) {
      assert.ok(instrumentation.instrument(name, module), name);
    }
  });
  beforeEach(() => {
    records.length = 0;
    telemetry.reset();
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  const client = () => new openai.OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  const chatModel = () =>
    new langchain.ChatOpenAI({
      model: 'gpt-4o',
      apiKey: 'test',
      maxRetries: 0,
      configuration: { baseURL: server.url },
    });
  const model = () => aiOpenai.createOpenAI({ apiKey: 'test', baseURL: server.url }).chat('gpt-4o');

  async function left(count: number): Promise<readonly UsageRecord[]> {
    await flush();
    // AI SDK 6 makes spans of its own, around the model calls; tools and agents have spans beside those of calls.
    const spans = telemetry
      .spans()
      .filter(
        ({ instrumentationScope, name }) =>
          instrumentationScope.name === 'otel-token-meter' &&
          !/^(?:execute_tool|invoke_agent|invoke_workflow) /.test(name),
      );
    assert.equal(records.length, count, `${records.length} records`);
    assert.equal(spans.length, count, `${spans.length} spans`);
    for (const record of records) {
      assert.ok(spans.some((span) => span.spanContext().spanId === record.spanId));
    }
    return records;
  }

  async function leftOne(expected: Partial<UsageRecord>): Promise<UsageRecord> {
    const [record] = await left(1);
    assert.ok(record);
    const found = Object.keys(expected).map((key) => [key, record[key as keyof UsageRecord]]);
    assert.deepEqual(Object.fromEntries(found), expected);
    return record;
  }

  it('LangChain over openai: the SDK counts, LangChain lends its user', async () => {
    server.play(chatPlain(WIRE));
    await chatModel().invoke(QUESTION, {
      metadata: { user_id: 'u-7' },
      configurable: { thread_id: 'thread-1' },
    });
    await leftOne({
      ...COUNTS,
      provider: 'openai',
      responseModel: WIRE.model,
      userId: 'u-7',
      conversationId: 'thread-1',
    });
  });

  it('LangChain over openai, streamed', async () => {
    server.play(chatStream(WIRE));
    for await (const chunk of await chatModel().stream(QUESTION)) void chunk;
    await leftOne({ ...COUNTS, provider: 'openai' });
  });

  it('withStructuredOutput() goes on working', async () => {
    const answer = { times: 2 };
    const message = { role: 'assistant', content: JSON.stringify(answer) };
    server.play(chatReply(WIRE, [{ message, finish_reason: 'stop' }]));
    const structured = chatModel().withStructuredOutput(
      {
        type: 'object',
        properties: { times: { type: 'number' } },
        required: ['times'],
        additionalProperties: false,
      },
      { method: 'jsonSchema', name: 'tide' },
    );
    assert.deepEqual(await structured.invoke(QUESTION), answer);
    await leftOne({ ...COUNTS, provider: 'openai' });
  });

  it('meterChat over LangChain over openai: the user of the outermost', async () => {
    server.play(chatPlain(WIRE));
    const chat = meterChat(
      async ({ messages }: { messages: typeof MESSAGES; user_id: string }) =>
        chatModel().invoke(messages[0]?.content ?? ''),
      { conversationId: () => 'c-1' },
    );
    await chat({ messages: MESSAGES, user_id: 'alice' });
    await leftOne({ ...COUNTS, provider: 'openai', userId: 'alice', conversationId: 'c-1' });
  });

  it('meterChat over the AI SDK', async () => {
    server.play(chatPlain(WIRE));
    const chat = meterChat(async (_input: { user_id: string }) =>
      ai.generateText({ model: model(), prompt: QUESTION, maxRetries: 0 }),
    );
    await chat({ user_id: 'alice' });
    await leftOne({ ...COUNTS, provider: 'openai', userId: 'alice' });
  });

  describe('meterChat over a stream that calls its model only when it is read', () => {
    const asked = { user_id: 'alice' };
    async function* pieces(): AsyncGenerator<string> {
      const stream = await client().chat.completions.create({
        model: 'gpt-4o',
        messages: MESSAGES,
        stream: true,
      });
      for await (const { choices } of stream) yield choices[0]?.delta.content ?? '';
    }
    function pulled(): ReadableStream<string> {
      const inner = pieces();
      return new ReadableStream(
        {
          async pull(controller) {
            const { done, value } = await inner.next();
            if (done === true) controller.close();
            else controller.enqueue(value);
          },
        },
        { highWaterMark: 0 },
      );
    }
    const makers: Readonly<Record<string, () => AsyncIterable<unknown>>> = {
      'async generator': pieces,
      'async iterable': () => ({ [Symbol.asyncIterator]: pieces }),
      'web stream': pulled,
      'node stream': () => Readable.from(pieces()),
    };
    for (const [kind, make] of Object.entries(makers)) {
      it(kind, async () => {
        server.play(chatStream(WIRE));
        const chat = meterChat((_input: typeof asked) => make());
        for await (const piece of chat(asked)) void piece;
        await leftOne({ ...COUNTS, provider: 'openai', userId: 'alice' });
      });
    }

    it('web stream, by a reader', async () => {
      server.play(chatStream(WIRE));
      const reader = meterChat((_input: typeof asked) => pulled())(asked).getReader();
      while (!(await reader.read()).done);
      await leftOne({ ...COUNTS, provider: 'openai', userId: 'alice' });
    });

    it('left early', async () => {
      server.play(chatStream(WIRE));
      for await (const piece of meterChat((_input: typeof asked) => pieces())(asked)) {
        if (piece !== '') break;
      }
      await leftOne({ provider: 'openai', userId: 'alice', outcome: 'aborted' });
    });
  });

  it('meterChat over a stream of the AI SDK, which calls its model later', async () => {
    server.play(chatStream(WIRE));
    const chat = meterChat((_input: { user_id: string }) =>
      ai.streamText({ model: model(), prompt: QUESTION, maxRetries: 0 }),
    );
    assert.match(await chat({ user_id: 'alice' }).text, /twice a day/);
    await leftOne({ ...COUNTS, provider: 'openai', userId: 'alice' });
  });

  it('withUsageContext wins over what a framework lends', async () => {
    server.play(chatPlain(WIRE));
    await withUsageContext({ userId: 'alice' }, () =>
      chatModel().invoke(QUESTION, { metadata: { user_id: 'u-7', thread_id: 'thread-1' } }),
    );
    await leftOne({ userId: 'alice', conversationId: 'thread-1' });
  });

  it('spans lie under the one of the application, however deep the layers', async () => {
    server.play(chatPlain(WIRE), chatPlain(WIRE));
    await trace.getTracer('app').startActiveSpan('request', async (request) => {
      await chatModel().invoke(QUESTION);
      await ai.generateText({ model: model(), prompt: QUESTION, maxRetries: 0 });
      await left(2);
      for (const span of telemetry.spans()) {
        assert.equal(span.parentSpanContext?.spanId, request.spanContext().spanId);
      }
      request.end();
    });
  });

  it('recordUsage of a reply that is metered already', async () => {
    const { body } = chatPlain(WIRE);
    server.play({ body: String(body).replace('chatcmpl-1', 'chatcmpl-told') });
    const reply = await client().chat.completions.create({ model: 'gpt-4o', messages: MESSAGES });
    const told = { model: reply.model, responseId: reply.id, inputTokens: 18, outputTokens: 9 };
    assert.equal(await recordUsage(told), undefined);
    await leftOne({ ...COUNTS, responseId: reply.id });
    // It answers for one: a second one is another call.
    assert.ok(await recordUsage(told));
  });

  it('a wrapper is counted beside a call of another model', async () => {
    server.play(chatPlain({ ...WIRE, model: 'gpt-4o-mini-2024-07-18' }));
    const chat = meterChat(async (_input: { model: string; user_id: string }) => {
      await client().chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES });
      return { response: 'Twice a day.', usage: USAGE };
    });
    await chat({ model: 'gateway-1', user_id: 'alice' });
    const found = (await left(2)).map(({ userId, requestModel }) => `${userId} ${requestModel}`);
    assert.deepEqual(found, ['alice gpt-4o-mini', 'alice gateway-1']);
  });

  it('a model call inside a tool is a call of its own', async () => {
    server.play(chatToolCall(WIRE, 'tide', { place: 'Brest' }), chatPlain(WIRE), chatPlain(WIRE));
    await ai.generateText({
      model: model(),
      prompt: QUESTION,
      maxRetries: 0,
      stopWhen: ai.stepCountIs(2),
      tools: {
        tide: ai.tool({
          inputSchema: ai.jsonSchema<{ place: string }>({
            type: 'object',
            properties: { place: { type: 'string' } },
          }),
          execute: async () =>
            (await client().chat.completions.create({ model: 'gpt-4o-mini', messages: MESSAGES }))
              .choices[0]?.message.content ?? '',
        }),
      },
    });
    const models = (await left(3)).map(({ requestModel }) => requestModel);
    assert.deepEqual(models, ['gpt-4o', 'gpt-4o-mini', 'gpt-4o']);
  });

  describe('a model of somebody’s own in the AI SDK, which no patch reaches', () => {
    const MODEL_USAGE = {
      inputTokens: { total: 18, noCache: 14, cacheRead: 4, cacheWrite: undefined },
      outputTokens: { total: 9, text: 7, reasoning: 2 },
    };
    const COUNTED = { ...COUNTS, cacheReadTokens: 4, reasoningTokens: 2, requestModel: 'own-1' };
    const FINISH = { finishReason: { unified: 'stop', raw: 'stop' }, usage: MODEL_USAGE } as const;

    function own(): InstanceType<typeof AiSdkTest.MockLanguageModelV4> {
      return new mocks.MockLanguageModelV4({
        provider: 'own.chat',
        modelId: 'own-1',
        doGenerate: {
          content: [{ type: 'text', text: '{"times":2}' }],
          response: { id: 'own-reply-1', modelId: 'own-1-0826' },
          warnings: [],
          ...FINISH,
        },
        doStream: {
          stream: ai.simulateReadableStream({
            chunks: [
              { type: 'stream-start' as const, warnings: [] },
              { type: 'text-start' as const, id: '1' },
              { type: 'text-delta' as const, id: '1', delta: 'Twice a day.' },
              { type: 'text-end' as const, id: '1' },
              { type: 'finish' as const, ...FINISH },
            ],
          }),
        },
      });
    }

    it('generateText()', async () => {
      await ai.generateText({ model: own(), prompt: QUESTION });
      await leftOne({ ...COUNTED, provider: 'own', responseId: 'own-reply-1' });
    });

    it('streamText()', async () => {
      const { text } = ai.streamText({ model: own(), prompt: QUESTION });
      assert.equal(await text, 'Twice a day.');
      await leftOne({ ...COUNTED, provider: 'own' });
    });

    it('generateObject()', async () => {
      const schema = ai.jsonSchema<{ times: number }>({ type: 'object' });
      const { object } = await ai.generateObject({ model: own(), prompt: QUESTION, schema });
      assert.deepEqual(object, { times: 2 });
      await leftOne({ ...COUNTS, provider: 'own', requestModel: 'own-1' });
    });

    it('embed()', async () => {
      const embedding = new mocks.MockEmbeddingModelV4({
        provider: 'own.embedding',
        modelId: 'own-embed',
        doEmbed: { embeddings: [[0.1]], usage: { tokens: 3 }, warnings: [] },
      });
      await ai.embed({ model: embedding, value: 'The tide' });
      await leftOne({ operation: 'embeddings', inputTokens: 3, requestModel: 'own-embed' });
    });

    it('two at once, of which the second ends first', async () => {
      const begun = Promise.withResolvers<void>();
      const first = own();
      const { doGenerate } = first;
      first.doGenerate = async (options) => {
        await begun.promise;
        return doGenerate.call(first, options);
      };
      const answer = ai.generateText({ model: first, prompt: QUESTION });
      await ai.generateText({ model: own(), prompt: QUESTION });
      begun.resolve();
      await answer;
      await left(2);
    });
  });

  it('the same in AI SDK 6, which tells it by events', async () => {
    const [ai6, mocks6] = loadTogether(['ai', 'ai/test'], 'previous') as [
      typeof AiSdk,
      { readonly MockLanguageModelV3: new (settings: object) => AiSdk.LanguageModel },
    ];
    const own = new mocks6.MockLanguageModelV3({
      provider: 'own.chat',
      modelId: 'own-1',
      doGenerate: {
        content: [{ type: 'text', text: 'Twice a day.' }],
        finishReason: { unified: 'stop', raw: 'stop' },
        usage: {
          inputTokens: { total: 18, noCache: 18, cacheRead: undefined, cacheWrite: undefined },
          outputTokens: { total: 9, text: 9, reasoning: undefined },
        },
        warnings: [],
      },
    });
    // `metadata` is of version 6 only.
    const telemetrySettings = { isEnabled: true, metadata: { userId: 'u-9' } };
    await ai6.generateText({
      model: own,
      prompt: QUESTION,
      experimental_telemetry: telemetrySettings,
    });
    await leftOne({ ...COUNTS, provider: 'own', requestModel: 'own-1', userId: 'u-9' });

    records.length = 0;
    telemetry.reset();
    await Promise.all([
      ai6.generateText({ model: own, prompt: QUESTION }),
      ai6.generateText({ model: own, prompt: QUESTION }),
    ]);
    await left(2);
  });

  it('and in AI SDK 5, which tells nothing: meterChat around it', async () => {
    const [ai5, mocks5] = loadTogether(['ai', 'ai/test'], 'ai-5') as [
      typeof AiSdk,
      { readonly MockLanguageModelV2: new (settings: object) => AiSdk.LanguageModel },
    ];
    const usage = { inputTokens: 18, outputTokens: 9, totalTokens: 27, cachedInputTokens: 4 };
    const finish = { finishReason: 'stop', usage };
    const own = new mocks5.MockLanguageModelV2({
      doGenerate: { content: [{ type: 'text', text: 'Twice a day.' }], warnings: [], ...finish },
      doStream: () => ({
        stream: ReadableStream.from([
          { type: 'text-start', id: '1' },
          { type: 'text-delta', id: '1', delta: 'Twice a day.' },
          { type: 'text-end', id: '1' },
          { type: 'finish', ...finish },
        ]),
      }),
    });
    const WHO = {
      provider: 'own',
      requestModel: 'gpt-4o',
      userId: 'alice',
      outcome: 'ok',
    } as const;
    const asked = { user_id: 'alice', model: 'gpt-4o', messages: MESSAGES };

    const ask = meterChat(
      ({ messages }: typeof asked) => ai5.generateText({ model: own, messages }),
      { provider: 'own' },
    );
    assert.equal((await ask(asked)).text, 'Twice a day.');
    await leftOne({ ...WHO, ...COUNTS, cacheReadTokens: 4 });

    const streamText = meterChat(
      ({ messages }: typeof asked) => ai5.streamText({ model: own, messages }),
      { provider: 'own' },
    );
    const textOf = async (stream: AsyncIterable<unknown>): Promise<string> => {
      let text = '';
      for await (const piece of stream) text += String(piece);
      return text;
    };
    type Result = ReturnType<typeof streamText>;
    const REPORTED = { ...COUNTS, cacheReadTokens: 4 };
    const TEXT_COUNTED = { outputTokens: 5, tokenSource: 'estimated' } as const;
    const readers: readonly [(result: Result) => PromiseLike<string>, Partial<UsageRecord>][] = [
      [(result) => result.text, REPORTED],
      [async (result) => (await result.consumeStream(), result.text), REPORTED],
      [(result) => textOf(result.textStream), TEXT_COUNTED],
      [(result) => result.toTextStreamResponse().text(), TEXT_COUNTED],
    ];
    for (const [read, counts] of readers) {
      records.length = 0;
      telemetry.reset();
      assert.equal(await read(streamText(asked)), 'Twice a day.');
      // The promise of the text is kept a moment before the stream is at its end.
      await until(() => records.length > 0);
      await leftOne({ ...WHO, ...counts });
    }

    records.length = 0;
    telemetry.reset();
    const stream = meterChat(
      ({ messages }: typeof asked) => ai5.streamText({ model: own, messages }).textStream,
      { provider: 'own' },
    );
    assert.equal(await textOf(stream(asked)), 'Twice a day.');
    await leftOne({ ...WHO, ...TEXT_COUNTED });
  });
});
