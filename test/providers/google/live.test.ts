import assert from 'node:assert/strict';
import type * as GoogleModule from '@google/genai';
import type { LiveServerMessage, Session } from '@google/genai';
import {
  applyBudgets,
  stopBudgets,
  type BudgetEnvironment,
} from '../../../src/budgets/budgets-in-force.ts';
import { withUsageContext } from '../../../src/context.ts';
import { google } from '../../../src/providers/google/index.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import { until } from '../../support/until.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import {
  startSocketServer,
  type ServedSession,
  type SocketServer,
} from '../../support/wire/socket-server.ts';

type Message = Readonly<Record<string, unknown>>;

const MODEL = 'gemini-live-2.5-flash';
const USAGE = {
  promptTokenCount: 143,
  responseTokenCount: 60,
  thoughtsTokenCount: 10,
  totalTokenCount: 213,
  promptTokensDetails: [
    { modality: 'TEXT', tokenCount: 43 },
    { modality: 'AUDIO', tokenCount: 100 },
  ],
  responseTokensDetails: [{ modality: 'AUDIO', tokenCount: 60 }],
};
const audio = {
  serverContent: {
    modelTurn: { parts: [{ inlineData: { mimeType: 'audio/pcm', data: 'AAAA' } }] },
  },
};
const generated = { serverContent: { generationComplete: true } };
const complete = { serverContent: { turnComplete: true } };
const usage = { usageMetadata: USAGE };
const toolCall = { toolCall: { functionCalls: [{ id: 'f1', name: 'tides', args: {} }] } };

const BUDGET = { id: 'tides', window: 'day', mode: 'block', limit: { tokens: 1 } } as const;
const ENVIRONMENT: BudgetEnvironment = {
  isDecision: true,
  store: undefined,
  priceOf: () => undefined,
  identify: (call) => call,
};

for (const [title, load] of [
  ['3, ESM', loadEsm('@google/genai')],
  ['3, CommonJS', loadCjs('@google/genai')],
  ['2', loadCjs('@google/genai', 'previous')],
] as const) {
  describe(`live sessions of @google/genai ${title}`, () => {
    let server: SocketServer;
    let metering: Metering;
    let ai: GoogleModule.GoogleGenAI;
    let session: Session;
    let messages: LiveServerMessage[];
    let closes: number;
    before(async () => {
      server = await startSocketServer();
      metering = startMetering();
      metering.on();
      const module = (await load()) as typeof GoogleModule;
      google.patch(module, metering.current);
      ai = new module.GoogleGenAI({
        apiKey: 'test',
        vertexai: false,
        httpOptions: { baseUrl: server.url.replace('wss', 'https') },
      });
    });
    after(async () => {
      metering.off();
      metering.close();
      await server.close();
    });
    afterEach(async () => {
      session.close();
      metering.shutdown();
      await metering.take();
      metering.on();
    });

    /** A session whose server does this with each turn of the client. */
    async function open(
      answer: (served: ServedSession, message: Message) => void = () => undefined,
    ): Promise<ServedSession> {
      const opened = Promise.withResolvers<ServedSession>();
      server.serve({
        opened: opened.resolve,
        received: (message, served) => {
          if (message['setup'] === undefined) answer(served, message);
          else served.send({ setupComplete: { sessionId: 'live_1' } });
        },
      });
      messages = [];
      closes = 0;
      session = await ai.live.connect({
        model: MODEL,
        callbacks: {
          onmessage: (message) => messages.push(message),
          onclose: () => (closes += 1),
        },
      });
      return opened.promise;
    }
    const ask = (): void => session.sendClientContent({ turns: 'When is high tide?' });

    for (const [how, reply] of [
      ['in the message that ends the turn', [{ ...complete, ...usage }]],
      ['before the turn ends', [usage, complete]],
      ['after the turn has ended', [complete, { ...usage, sessionResumptionUpdate: {} }]],
      [
        'more than once, of which the last counts',
        [
          { usageMetadata: { promptTokenCount: 143, responseTokenCount: 5 } },
          { ...complete, ...usage },
        ],
      ],
    ] as const) {
      it(`a turn whose tokens come ${how}`, async () => {
        await open((served) => served.send(audio, audio, generated, ...reply));
        ask();
        await until(() => metering.recorded === 1);
        const record = await onlyRecord(metering);
        assert.partialDeepStrictEqual(record, {
          operation: 'generate_content',
          provider: 'gcp.gemini',
          requestModel: MODEL,
          outcome: 'ok',
          inputTokens: 143,
          outputTokens: 70,
          reasoningTokens: 10,
          tokenSource: 'provider',
          attributes: {
            'gen_ai.usage.audio.input_tokens': 100,
            'gen_ai.usage.audio.output_tokens': 60,
          },
        });
        assert.ok((record.timeToFirstChunkMs ?? Infinity) <= record.durationMs);
        await until(() => messages.length === 4 + reply.length);
        assert.equal(metering.recorded, 0, 'once');
      });
    }

    it('tokens before the end of a turn and again after it: the later ones count', async () => {
      const usageOf = (responseTokenCount: number): object => ({
        usageMetadata: { promptTokenCount: 100, responseTokenCount },
      });
      const served = await open((_served) =>
        _served.send(audio, usageOf(2), audio, complete, usageOf(8), usageOf(9)),
      );
      withUsageContext({ userId: 'anna' }, ask);
      await until(() => messages.length === 7);
      withUsageContext({ userId: 'ben' }, ask);
      await until(() => metering.recorded === 2);
      served.send(audio, { ...complete, ...usage });
      await until(() => metering.recorded === 3);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ userId, outputTokens }) => [userId, outputTokens]),
        [
          ['anna', 8],
          ['ben', 8],
          [undefined, 70],
        ],
      );
      assert.equal(metering.open, 0);
    });

    it('a wait for tokens is not a part of the duration', async () => {
      await open((served) => served.send(audio, usage, complete));
      const startedMs = performance.now();
      ask();
      await until(() => messages.length === 4);
      const repliedMs = performance.now() - startedMs;
      await until(() => metering.recorded === 1);
      assert.ok((await onlyRecord(metering)).durationMs <= repliedMs);
    });

    it('turns that the server begins by itself, each with its own tokens', async () => {
      const served = await open();
      for (const promptTokenCount of [143, 181, 224]) {
        served.send(audio, { ...complete, usageMetadata: { ...USAGE, promptTokenCount } });
      }
      await until(() => metering.recorded === 3);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ inputTokens, conversationId }) => [inputTokens, conversationId]),
        [143, 181, 224].map((tokens) => [tokens, 'live_1']),
      );
    });

    it('what comes before a tool call, and what comes after it, are two calls', async () => {
      const served = await open((_served, message) => {
        if (message['toolResponse'] !== undefined) served.send(audio, { ...complete, ...usage });
      });
      served.send({ ...toolCall, ...usage });
      await until(() => metering.recorded === 1);
      const functionResponses = [{ id: 'f1', name: 'tides', response: {} }];
      session.sendToolResponse({ functionResponses });
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ outcome, inputTokens }) => [outcome, inputTokens]),
        [
          ['ok', 143],
          ['ok', 143],
        ],
      );
    });

    it('a turn that is interrupted is aborted, and has the tokens it used', async () => {
      const served = await open();
      served.send(audio, { serverContent: { interrupted: true } }, { ...complete, ...usage });
      await until(() => metering.recorded === 1);
      const record = await onlyRecord(metering);
      assert.deepEqual([record.outcome, record.outputTokens], ['aborted', 70]);
    });

    it('a turn without tokens is recorded when the next one begins', async () => {
      const served = await open();
      served.send(audio, complete);
      await until(() => messages.length === 3);
      assert.equal(metering.recorded, 0);
      served.send(audio, { ...complete, ...usage });
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ outcome, inputTokens }) => [outcome, inputTokens]),
        [
          ['ok', undefined],
          ['ok', 143],
        ],
      );
    });

    it('messages that are no turn leave no record', async () => {
      const served = await open();
      served.send(
        { serverContent: { inputTranscription: { text: 'When' } } },
        { sessionResumptionUpdate: { newHandle: 'x' } },
        { serverContent: { interrupted: true } },
        complete,
        { goAway: { timeLeft: '10s' } },
      );
      await until(() => messages.length === 6);
      assert.deepEqual([metering.recorded, metering.open], [0, 0]);
    });

    for (const [how, end] of [
      ['cut by the server', (served: ServedSession) => served.cut()],
      ['closed by the client', () => session.close()],
    ] as const) {
      it(`a session ${how} in the middle of a turn`, async () => {
        const served = await open((_served) => _served.send(audio));
        ask();
        await until(() => messages.length === 2);
        ask();
        assert.deepEqual([metering.recorded, metering.open], [0, 2]);
        end(served);
        await until(() => metering.recorded === 2);
        const { records } = await metering.take();
        for (const { outcome, tokenSource } of records) {
          assert.deepEqual([outcome, tokenSource], ['aborted', undefined]);
        }
        assert.equal(closes, 1);
      });
    }

    it('a turn belongs to the user who asked, others to that of the session', async () => {
      const served = await withUsageContext({ userId: 'anna', conversationId: 'c1' }, () =>
        open((_served) => _served.send(audio, { ...complete, ...usage })),
      );
      withUsageContext({ userId: 'ben' }, ask);
      await until(() => metering.recorded === 1);
      served.send(audio, { ...complete, ...usage });
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ userId, conversationId }) => [userId, conversationId]),
        [
          ['ben', 'c1'],
          ['anna', 'c1'],
        ],
      );
    });

    it('a turn that the SDK cannot send is an error, and no later turn is its own', async () => {
      const served = await open();
      assert.throws(
        () =>
          withUsageContext({ userId: 'anna' }, () => {
            session.sendClientContent({ turns: [{}, 5] as never });
          }),
        /Failed to parse/,
      );
      served.send(audio, { ...complete, ...usage });
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ outcome, userId }) => [outcome, userId]),
        [
          ['error', 'anna'],
          ['ok', undefined],
        ],
      );
    });

    it('a budget refuses a turn, which is not sent', async () => {
      const served = await open();
      applyBudgets([BUDGET], ENVIRONMENT);
      try {
        assert.throws(ask, { code: 'budget_exceeded' });
      } finally {
        await stopBudgets();
      }
      assert.equal((await onlyRecord(metering)).outcome, 'blocked');
      assert.equal(served.received.length, 1);
    });

    it('turns that are not complete, and audio, are no calls', async () => {
      const served = await open();
      session.sendClientContent({ turns: 'When', turnComplete: false });
      session.sendRealtimeInput({ audio: { mimeType: 'audio/pcm', data: 'AAAA' } });
      await until(() => served.received.length === 3);
      assert.equal(metering.open, 0);
    });
  });
}
