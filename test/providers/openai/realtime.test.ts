import assert from 'node:assert/strict';
import { EventEmitter, once } from 'node:events';
import {
  applyBudgets,
  stopBudgets,
  type BudgetEnvironment,
} from '../../../src/budgets/budgets-in-force.ts';
import { withUsageContext } from '../../../src/context.ts';
import { openai } from '../../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadTogether, type InstalledIn } from '../../support/sdk-versions.ts';
import { until } from '../../support/until.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import {
  startSocketServer,
  type ServedSession,
  type SocketServer,
} from '../../support/wire/socket-server.ts';

type Event = Readonly<Record<string, unknown>>;

/** What the classes of all versions have in common. */
interface Client {
  readonly socket: EventTarget & { on?: unknown; readonly readyState?: number };
  on(event: string, listener: (event: Event) => void): unknown;
  send(event: Event): void;
  close(): void;
}
/** With `reconnect`. */
interface RecoveringClient extends Client {
  flushPending(): void;
  takePending(): unknown;
}
type ClientClass = new (props: { readonly model: string }, client: object) => Client;

const USAGE = {
  total_tokens: 870,
  input_tokens: 650,
  output_tokens: 220,
  input_token_details: {
    text_tokens: 150,
    audio_tokens: 500,
    cached_tokens: 250,
    cached_tokens_details: { text_tokens: 50, audio_tokens: 200 },
  },
  output_token_details: { text_tokens: 20, audio_tokens: 200 },
};
const MODEL = 'gpt-realtime-2025-08-28';
const SESSION = {
  type: 'session.created',
  session: {
    id: 'sess_1',
    object: 'realtime.session',
    model: MODEL,
    audio: { input: { transcription: { model: 'gpt-4o-mini-transcribe' } } },
  },
};

const created = (id: string, more: object = {}): Event => ({
  type: 'response.created',
  response: {
    id,
    object: 'realtime.response',
    status: 'in_progress',
    conversation_id: 'conv_1',
    ...more,
  },
});
const delta = (id: string): Event => ({
  type: 'response.output_audio.delta',
  response_id: id,
  delta: 'AAAA',
});
const done = (id: string, more: object = {}): Event => ({
  type: 'response.done',
  response: {
    id,
    object: 'realtime.response',
    status: 'completed',
    conversation_id: 'conv_1',
    usage: USAGE,
    ...more,
  },
});

const VERSIONS: readonly (readonly [string, InstalledIn, string, string])[] = [
  ['openai 7, ws', 'root', 'openai/realtime/ws', 'OpenAIRealtimeWS'],
  ['openai 7, WebSocket', 'root', 'openai/realtime/websocket', 'OpenAIRealtimeWebSocket'],
  ['openai 7, beta', 'root', 'openai/beta/realtime/ws', 'OpenAIRealtimeWS'],
  ['openai 6, ws', 'openai-6', 'openai/realtime/ws', 'OpenAIRealtimeWS'],
  ['openai 6, WebSocket', 'openai-6', 'openai/realtime/websocket', 'OpenAIRealtimeWebSocket'],
  ['openai 5, ws', 'openai-5', 'openai/realtime/ws', 'OpenAIRealtimeWS'],
  ['openai 4, ws', 'openai-4', 'openai/beta/realtime/ws', 'OpenAIRealtimeWS'],
  ['openai 4, WebSocket', 'openai-4', 'openai/beta/realtime/websocket', 'OpenAIRealtimeWebSocket'],
];

const BUDGET = { id: 'tides', window: 'day', mode: 'block' } as const;
const ENVIRONMENT: BudgetEnvironment = {
  isDecision: true,
  store: undefined,
  priceOf: () => undefined,
  identify: (call) => call,
};

describe('realtime sessions of openai', () => {
  let server: SocketServer;
  let metering: Metering;
  before(async () => {
    server = await startSocketServer();
    metering = startMetering();
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });
  beforeEach(() => metering.on());
  afterEach(async () => {
    metering.shutdown();
    await metering.take();
  });

  for (const [title, place, path, name] of VERSIONS) {
    describe(title, () => {
      let connect: () => Client;
      let client: Client;
      /** The events that the application got. */
      let events: Event[];
      let errors: unknown[];
      before(() => {
        const [exported, sdk] = loadTogether([path, 'openai'], place) as [
          Record<string, ClientClass>,
          { OpenAI: new (options: object) => object },
        ];
        openai.patch(exported, metering.current);
        const api = new sdk.OpenAI({
          apiKey: 'test',
          baseURL: `${server.url.replace('wss', 'https')}/v1`,
        });
        connect = () => {
          const opened = new (exported[name] as ClientClass)({ model: 'gpt-realtime' }, api);
          events = [];
          errors = [];
          opened.on('event', (event) => events.push(event));
          opened.on('error', (error) => errors.push(error));
          return opened;
        };
      });
      afterEach(() => client.close());

      /** A session whose server does this with each `response.create`. */
      async function open(
        answer: (session: ServedSession, event: Event) => void = () => undefined,
      ): Promise<ServedSession> {
        const served = Promise.withResolvers<ServedSession>();
        server.serve({
          opened: (session) => {
            session.send(SESSION);
            served.resolve(session);
          },
          received: (event, session) => {
            if (event['type'] === 'response.create') answer(session, event);
          },
        });
        client = connect();
        const session = await served.promise;
        await until(() => events.length === 1);
        return session;
      }

      it('a response that was asked for, with cached and audio tokens', async () => {
        await open((session) =>
          session.send(created('resp_1'), delta('resp_1'), delta('resp_1'), done('resp_1')),
        );
        client.send({ type: 'response.create' });
        await until(() => metering.recorded === 1);
        const record = await onlyRecord(metering);
        assert.partialDeepStrictEqual(record, {
          operation: 'chat',
          provider: 'openai',
          requestModel: MODEL,
          responseId: 'resp_1',
          conversationId: 'conv_1',
          outcome: 'ok',
          tokenSource: 'provider',
          inputTokens: 650,
          cacheReadTokens: 250,
          outputTokens: 220,
          attributes: {
            'gen_ai.usage.audio.input_tokens': 500,
            'gen_ai.usage.audio.cache_read.input_tokens': 200,
            'gen_ai.usage.audio.output_tokens': 200,
          },
        });
        assert.ok((record.timeToFirstChunkMs ?? Infinity) <= record.durationMs);
        assert.deepEqual(
          events.map(({ type }) => type),
          [
            'session.created',
            'response.created',
            ...Array(2).fill(delta('')['type']),
            'response.done',
          ],
        );
      });

      it('responses that the server begins by itself, each once', async () => {
        const session = await open();
        for (const id of ['resp_1', 'resp_2', 'resp_3'])
          session.send(created(id), delta(id), done(id));
        await until(() => metering.recorded === 3);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ responseId, inputTokens, outcome }) => [responseId, inputTokens, outcome]),
          ['resp_1', 'resp_2', 'resp_3'].map((id) => [id, 650, 'ok']),
        );
      });

      it('a request is found by its metadata, in whatever order the server has them', async () => {
        const metadata = [{ b: '2', a: '1' }, null];
        await open((session) => {
          const id = `resp_${metadata.length}`;
          const given = { metadata: metadata.shift() };
          session.send(created(id, given), done(id, given));
        });
        for (const sent of [{ a: '1', b: '2' }, {}]) {
          withUsageContext({ userId: 'anna' }, () =>
            client.send({ type: 'response.create', response: { metadata: sent } }),
          );
        }
        await until(() => metering.recorded === 2);
        client.close();
        await until(() => client.socket.readyState === 3);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ outcome, userId }) => [outcome, userId]),
          [
            ['ok', 'anna'],
            ['ok', 'anna'],
          ],
        );
        assert.equal(metering.open, 0);
      });

      it('adds no listener to the socket, and needs none to see its end', async () => {
        await open((session) => session.send(created('resp_1')));
        client.send({ type: 'response.create' });
        await until(() => events.length === 2);
        const { socket } = client;
        if (!(socket instanceof EventEmitter)) return;
        assert.equal(socket.listenerCount('close'), 0);
        socket.removeAllListeners('close');
        client.close();
        await until(() => metering.recorded === 1);
        assert.equal((await onlyRecord(metering)).outcome, 'aborted');
      });

      it('a cancelled response is aborted, and has the tokens it used', async () => {
        const session = await open();
        const details = { type: 'cancelled', reason: 'turn_detected' };
        session.send(
          created('resp_1'),
          done('resp_1', { status: 'cancelled', status_details: details }),
        );
        await until(() => metering.recorded === 1);
        const record = await onlyRecord(metering);
        assert.deepEqual([record.outcome, record.outputTokens], ['aborted', 220]);
      });

      it('a failed response', async () => {
        const session = await open();
        const error = { type: 'server_error', code: 'rate_limit_exceeded' };
        const failed = { status: 'failed', status_details: { type: 'failed', error }, usage: null };
        session.send(created('resp_1'), done('resp_1', failed));
        await until(() => metering.recorded === 1);
        const record = await onlyRecord(metering);
        assert.deepEqual([record.outcome, record.errorType], ['error', 'rate_limit_exceeded']);
        assert.equal(record.inputTokens, undefined);
      });

      it('an incomplete response is whole as far as it goes', async () => {
        const session = await open();
        const details = { type: 'incomplete', reason: 'max_output_tokens' };
        session.send(
          created('resp_1'),
          done('resp_1', { status: 'incomplete', status_details: details }),
        );
        await until(() => metering.recorded === 1);
        assert.equal((await onlyRecord(metering)).outcome, 'ok');
      });

      it('a request that the server refuses is an error, by its event or its parameter', async () => {
        await open((session, { event_id: eventId }) =>
          session.send({
            type: 'error',
            error: {
              type: 'invalid_request_error',
              code: 'invalid_value',
              param: eventId === undefined ? 'response.voice' : null,
              event_id: eventId,
            },
          }),
        );
        client.send({ type: 'response.create', event_id: 'e1' });
        client.send({ type: 'response.create' });
        await until(() => metering.recorded === 2);
        const { records } = await metering.take();
        for (const record of records) {
          assert.deepEqual([record.outcome, record.errorType], ['error', 'invalid_value']);
          assert.equal(record.tokenSource, undefined);
        }
        assert.equal(metering.open, 0);
      });

      it('an error that concerns something else ends no response', async () => {
        const session = await open((_session) =>
          _session.send({
            type: 'error',
            error: { type: 'invalid_request_error', event_id: 'other' },
          }),
        );
        client.send({ type: 'response.create' });
        await until(() => errors.length === 1);
        session.send(created('resp_1'), done('resp_1'));
        await until(() => metering.recorded === 1);
        assert.equal((await onlyRecord(metering)).outcome, 'ok');
      });

      it('an error that may be of a request ends it, and the next response has no user', async () => {
        const session = await withUsageContext({ userId: 'anna' }, () =>
          open((served) =>
            served.send({ type: 'error', error: { code: 'rate_limit_exceeded', param: null } }),
          ),
        );
        withUsageContext({ userId: 'ben' }, () => client.send({ type: 'response.create' }));
        await until(() => metering.recorded === 1);
        for (const id of ['resp_1', 'resp_2']) session.send(created(id), done(id));
        await until(() => metering.recorded === 3);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ userId, outcome }) => [userId, outcome]),
          [
            ['ben', 'error'],
            [undefined, 'ok'],
            ['anna', 'ok'],
          ],
        );
      });

      it('a request that cannot be serialised is an error, and no later response is its own', async () => {
        const session = await open();
        const response = { max_output_tokens: 10n };
        withUsageContext({ userId: 'anna' }, () =>
          client.send({ type: 'response.create', response }),
        );
        session.send(created('resp_1'), done('resp_1'));
        await until(() => metering.recorded === 2);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ userId, outcome, errorType }) => [userId, outcome, errorType]),
          [
            ['anna', 'error', 'TypeError'],
            [undefined, 'ok', undefined],
          ],
        );
      });

      it('a response whose events arrive twice is one call', async () => {
        await open((session) =>
          session.send(created('resp_1'), created('resp_1'), done('resp_1'), done('resp_1')),
        );
        client.send({ type: 'response.create' });
        await until(() => events.length === 5);
        assert.deepEqual([metering.recorded, metering.open], [1, 0]);
      });

      for (const [how, end] of [
        ['cut by the server', (session: ServedSession) => session.cut()],
        ['closed by the client', () => client.close()],
      ] as const) {
        it(`a session ${how} in the middle of a response`, async () => {
          const session = await open((_session) =>
            _session.send(created('resp_1'), delta('resp_1')),
          );
          client.send({ type: 'response.create' });
          await until(() => events.length === 3);
          assert.deepEqual([metering.recorded, metering.open], [0, 1]);
          end(session);
          await until(() => metering.recorded === 1);
          const record = await onlyRecord(metering);
          assert.deepEqual([record.outcome, record.responseId], ['aborted', 'resp_1']);
          assert.deepEqual([record.inputTokens, record.outputTokens], [undefined, undefined]);
          assert.equal(metering.open, 0);
        });
      }

      it('the transcription of what was said is a call of another model', async () => {
        const session = await open();
        const usage = {
          type: 'tokens',
          total_tokens: 48,
          input_tokens: 36,
          input_token_details: { text_tokens: 0, audio_tokens: 36 },
          output_tokens: 12,
        };
        const transcribed = 'conversation.item.input_audio_transcription';
        session.send(
          { type: 'input_audio_buffer.committed', item_id: 'item_1' },
          { type: `${transcribed}.delta`, item_id: 'item_1', delta: 'When' },
          { type: `${transcribed}.completed`, item_id: 'item_1', transcript: 'When?', usage },
          {
            type: `${transcribed}.completed`,
            item_id: 'item_2',
            usage: { type: 'duration', seconds: 2.5 },
          },
          {
            type: `${transcribed}.failed`,
            item_id: 'item_3',
            error: { code: 'audio_unintelligible' },
          },
        );
        await until(() => metering.recorded === 3);
        const { records } = await metering.take();
        for (const { operation, requestModel } of records) {
          assert.deepEqual([operation, requestModel], ['transcription', 'gpt-4o-mini-transcribe']);
        }
        const [byTokens, bySeconds, failed] = records;
        assert.partialDeepStrictEqual(byTokens, { inputTokens: 36, outputTokens: 12 });
        assert.equal(byTokens?.attributes['gen_ai.usage.audio.input_tokens'], 36);
        assert.equal(bySeconds?.attributes['token_meter.usage.audio_input_seconds'], 2.5);
        assert.equal(bySeconds?.inputTokens, undefined);
        assert.deepEqual([failed?.outcome, failed?.errorType], ['error', 'audio_unintelligible']);
      });

      it('each response belongs to the user who asked, others to that of the session', async () => {
        const answer = (session: ServedSession, event: Event): void => {
          const { metadata } = (event['response'] ?? {}) as { readonly metadata?: object };
          const id = metadata === undefined ? 'plain' : 'with-metadata';
          session.send(created(id, { metadata }), done(id, { metadata }));
        };
        const session = await withUsageContext({ userId: 'anna', team: 'tides' }, () =>
          open(answer),
        );
        withUsageContext({ userId: 'ben' }, () => client.send({ type: 'response.create' }));
        client.send({ type: 'response.create', response: { metadata: { topic: 'tides' } } });
        await until(() => metering.recorded === 2);
        session.send(created('by-itself'), done('by-itself'));
        await until(() => metering.recorded === 3);
        const { records } = await metering.take();
        assert.deepEqual(
          Object.fromEntries(
            records.map(({ responseId, userId, team }) => [responseId, [userId, team]]),
          ),
          {
            'by-itself': ['anna', 'tides'],
            plain: ['ben', 'tides'],
            'with-metadata': ['anna', 'tides'],
          },
        );
      });

      it('a budget refuses what is asked for, and is charged what the server begins', async () => {
        const session = await open();
        applyBudgets([{ ...BUDGET, limit: { tokens: 1000 } }], ENVIRONMENT);
        try {
          session.send(created('resp_1'), done('resp_1'));
          await until(() => metering.recorded === 1);
          client.send({ type: 'response.create', response: { max_output_tokens: 500 } });
          await until(() => errors.length === 1);
          const { message, cause } = errors[0] as Error;
          assert.match(message, /tides/);
          assert.equal((cause as { code?: unknown }).code, 'budget_exceeded');
          session.send(created('resp_2'), done('resp_2'));
          await until(() => metering.recorded === 3);
        } finally {
          await stopBudgets();
        }
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ outcome, inputTokens }) => [outcome, inputTokens]),
          [
            ['ok', 650],
            ['blocked', undefined],
            ['ok', 650],
          ],
        );
        assert.deepEqual(session.received, []);
      });

      it('while metering is off nothing is recorded, and events pass', async () => {
        metering.off();
        const session = await open((_session) => _session.send(created('resp_1'), done('resp_1')));
        client.send({ type: 'response.create' });
        await until(() => events.length === 3);
        assert.equal(metering.recorded, 0);
        metering.on();
        session.send(created('resp_2'), done('resp_2'));
        await until(() => metering.recorded === 1);
        assert.equal((await onlyRecord(metering)).responseId, 'resp_2');
      });

      it('a request of the time that metering was off is not taken for the next one', async () => {
        metering.off();
        const session = await open();
        client.send({ type: 'response.create' });
        metering.on();
        client.send({ type: 'response.create' });
        await until(() => session.received.length === 2);
        session.send(created('resp_1'), done('resp_1'), created('resp_2'), done('resp_2'));
        await until(() => metering.recorded === 1);
        assert.equal((await onlyRecord(metering)).responseId, 'resp_2');
        assert.equal(metering.open, 0);
      });

      it('events that no session has are passed on', async () => {
        const session = await open();
        session.send(
          { type: 'response.done' },
          { type: 'response.created', response: null },
          { type: 'x' },
        );
        await until(() => events.length === 4);
        assert.deepEqual(errors, []);
      });
    });
  }

  it('a request that waits for another socket is of its user, or is not sent at all', async () => {
    const [exported, sdk] = loadTogether(['openai/realtime/ws', 'openai']) as [
      { OpenAIRealtimeWS: new (props: object, client: object) => RecoveringClient },
      { OpenAI: new (options: object) => object },
    ];
    openai.patch(exported, metering.current);
    const baseURL = `${server.url.replace('wss', 'https')}/v1`;
    const api = new sdk.OpenAI({ apiKey: 'test', baseURL });
    const sessions: ServedSession[] = [];
    server.serve({
      opened: (session) => {
        sessions.push(session);
        session.send(SESSION);
      },
      received: (_event, session) => session.send(created('resp_1'), done('resp_1')),
    });
    const props = { reconnect: true, reconnectInitialDelay: 20, maxQueueBytes: 1000 };
    const client = withUsageContext(
      { userId: 'anna' },
      () => new exported.OpenAIRealtimeWS({ model: 'gpt-realtime', ...props }, api),
    );
    client.on('error', () => undefined);
    const ask = (userId: string): void =>
      withUsageContext({ userId }, () => client.send({ type: 'response.create' }));
    client.on('reconnecting', () => {
      ask('ben');
      client.takePending();
      ask('carl');
    });
    client.on('reconnected', () => client.flushPending());
    await until(() => sessions.length === 1 && client.socket.readyState === 1);
    sessions[0]?.cut();
    await until(() => metering.recorded === 2);
    client.close();
    const { records } = await metering.take();
    assert.deepEqual(
      records.map(({ userId, outcome }) => [userId, outcome]),
      [
        ['ben', 'aborted'],
        ['carl', 'ok'],
      ],
    );
    assert.equal(metering.open, 0);
  });

  it('sends nothing of its own, and leaves the close event to the application', async () => {
    const [exported, sdk] = loadTogether(['openai/realtime/ws', 'openai']) as [
      { OpenAIRealtimeWS: ClientClass },
      { OpenAI: new (options: object) => object },
    ];
    openai.patch(exported, metering.current);
    const api = new sdk.OpenAI({
      apiKey: 'test',
      baseURL: `${server.url.replace('wss', 'https')}/v1`,
    });
    let served: ServedSession | undefined;
    server.serve({ opened: (session) => (served = session) });
    const client = new exported.OpenAIRealtimeWS({ model: 'gpt-realtime' }, api);
    await once(client.socket as never, 'open');
    client.send({ type: 'session.update', session: {} });
    client.send({ type: 'response.create' });
    client.close();
    await once(client.socket as never, 'close');
    assert.deepEqual(
      served?.received.map(({ type }) => type),
      ['session.update', 'response.create'],
    );
    assert.equal((await onlyRecord(metering)).outcome, 'aborted');
  });
});
