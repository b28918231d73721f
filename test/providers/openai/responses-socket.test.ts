import assert from 'node:assert/strict';
import { applyBudgets, stopBudgets } from '../../../src/budgets/budgets-in-force.ts';
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
interface Client {
  readonly socket: { readonly readyState: number };
  on(event: string, listener: (event: Event) => void): unknown;
  send(event: Event): void;
  sendRaw(data: string): void;
  close(): void;
}

const USAGE = {
  input_tokens: 36,
  output_tokens: 9,
  total_tokens: 45,
  input_tokens_details: { cached_tokens: 16 },
};

/** The events of one response. */
function events(
  id: string,
  { lane, model = 'gpt-4o-2024-08-06' }: { lane?: string; model?: string } = {},
): Event[] {
  const response = { id, object: 'response', model, status: 'in_progress', output: [] };
  return [
    { type: 'response.created', response },
    { type: 'response.output_text.delta', delta: 'Twice a day.', output_index: 0 },
    { type: 'response.completed', response: { ...response, status: 'completed', usage: USAGE } },
  ].map((event) => (lane === undefined ? event : { ...event, stream_id: lane }));
}

for (const [title, place, path] of [
  ['openai 7', 'root', 'openai/resources/responses/ws'],
  ['openai 7, beta,', 'root', 'openai/resources/beta/responses/ws'],
  ['openai 6', 'openai-6', 'openai/resources/responses/ws'],
] as const satisfies readonly (readonly [string, InstalledIn, string])[]) {
  describe(`responses of ${title} over a socket`, () => {
    let server: SocketServer;
    let metering: Metering;
    let connect: (options?: object) => Client;
    let client: Client;
    let arrived: Event[];
    before(async () => {
      server = await startSocketServer();
      metering = startMetering();
      metering.on();
      const [exported, sdk] = loadTogether([path, 'openai'], place) as [
        { ResponsesWS: new (client: object, options?: object) => Client },
        { OpenAI: new (options: object) => object },
      ];
      openai.patch(exported, metering.current);
      const baseURL = `${server.url.replace('wss', 'https')}/v1`;
      const api = new sdk.OpenAI({ apiKey: 'test', baseURL });
      connect = (options) => new exported.ResponsesWS(api, options);
    });
    after(async () => {
      metering.off();
      metering.close();
      await server.close();
    });
    afterEach(async () => {
      client.close();
      metering.shutdown();
      await metering.take();
    });

    async function open(
      answer: (event: Event, session: ServedSession) => void,
    ): Promise<ServedSession> {
      const served = Promise.withResolvers<ServedSession>();
      server.serve({ opened: served.resolve, received: answer });
      client = connect();
      arrived = [];
      client.on('event', (event) => arrived.push(event));
      client.on('error', () => undefined);
      const session = await served.promise;
      await until(() => client.socket.readyState === 1);
      return session;
    }
    const request = { type: 'response.create', model: 'gpt-4o', input: 'When is high tide?' };

    it('each response is a call, with the model that was asked for', async () => {
      let count = 0;
      await open((_event, session) => session.send(...events(`resp_${++count}`)));
      client.send(request);
      client.sendRaw(JSON.stringify(request));
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ responseId }) => responseId),
        ['resp_1', 'resp_2'],
      );
      for (const record of records) {
        assert.partialDeepStrictEqual(record, {
          operation: 'chat',
          requestModel: 'gpt-4o',
          responseModel: 'gpt-4o-2024-08-06',
          inputTokens: 36,
          cacheReadTokens: 16,
          outputTokens: 9,
          tokenSource: 'provider',
          outcome: 'ok',
        });
      }
      assert.deepEqual(arrived, [...events('resp_1'), ...events('resp_2')]);
    });

    it('lanes are apart, each with its user', async () => {
      const asked: Event[] = [];
      await open((event, session) => {
        asked.push(event);
        if (asked.length < 2) return;
        const [a, b] = [events('resp_a', { lane: 'a' }), events('resp_b', { lane: 'b' })];
        // The later one begins and ends first.
        session.send(
          b[0] as Event,
          a[0] as Event,
          b[1] as Event,
          b[2] as Event,
          a[1] as Event,
          a[2] as Event,
        );
      });
      withUsageContext({ userId: 'anna' }, () => client.send({ ...request, stream_id: 'a' }));
      withUsageContext({ userId: 'ben' }, () => client.send({ ...request, stream_id: 'b' }));
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ responseId, userId }) => [responseId, userId]),
        [
          ['resp_b', 'ben'],
          ['resp_a', 'anna'],
        ],
      );
    });

    it('a request of the time that metering was off is not taken for the next one', async () => {
      metering.off();
      const session = await open(() => undefined);
      client.send(request);
      metering.on();
      withUsageContext({ userId: 'ben' }, () => client.send(request));
      await until(() => session.received.length === 2);
      session.send(...events('resp_1'), ...events('resp_2'));
      await until(() => metering.recorded === 1);
      const { userId, responseId } = await onlyRecord(metering);
      assert.deepEqual([userId, responseId], ['ben', 'resp_2']);
      session.send(...events('resp_3'));
      await until(() => metering.recorded === 1);
      assert.equal((await onlyRecord(metering)).responseId, 'resp_3', 'one that nobody asked for');
    });

    it('an error ends the response that was asked for', async () => {
      await open((_event, session) =>
        session.send({
          type: 'error',
          status: 400,
          error: { code: 'model_not_found', message: 'x' },
        }),
      );
      client.send(request);
      await until(() => metering.recorded === 1);
      const record = await onlyRecord(metering);
      assert.deepEqual([record.outcome, record.errorType], ['error', 'model_not_found']);
    });

    it('an error that has a status is that of the request that waits', async () => {
      const [first, text, last] = events('resp_1') as [Event, Event, Event];
      const answers = [
        [first, text],
        [{ type: 'error', status: 400, error: { code: 'bad' } }, last],
      ];
      await open((_event, session) => session.send(...(answers.shift() ?? [])));
      withUsageContext({ userId: 'anna' }, () => client.send(request));
      await until(() => arrived.length === 2);
      withUsageContext({ userId: 'ben' }, () => client.send(request));
      await until(() => metering.recorded === 2);
      const { records } = await metering.take();
      assert.deepEqual(
        records.map(({ userId, outcome }) => [userId, outcome]),
        [
          ['ben', 'error'],
          ['anna', 'ok'],
        ],
      );
    });

    describe('sent before the socket is open', () => {
      /** A session whose first request the SDK queues. */
      function queue(answer: (event: Event, session: ServedSession) => void): void {
        server.serve({ received: answer });
        client = withUsageContext({ userId: 'opener' }, () => connect());
        client.on('error', () => undefined);
        assert.equal(client.socket.readyState, 0);
        withUsageContext({ userId: 'anna' }, () => client.send(request));
      }

      it('a response is of the user who asked', async () => {
        queue((_event, session) => session.send(...events('resp_1')));
        await until(() => metering.recorded === 1);
        const { userId, outcome } = await onlyRecord(metering);
        assert.deepEqual([userId, outcome], ['anna', 'ok']);
      });

      it('metering is switched on while requests wait', async () => {
        metering.off();
        let requests = 0;
        queue((_event, session) => session.send(...events(`resp_${(requests += 1)}`)));
        metering.on();
        withUsageContext({ userId: 'ben' }, () => client.send(request));
        metering.off();
        client.send(request);
        metering.on();
        withUsageContext({ userId: 'carl' }, () => client.send(request));
        await until(() => metering.recorded === 2 && requests === 4);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ userId, responseId }) => [userId, responseId]),
          [
            ['ben', 'resp_2'],
            ['carl', 'resp_4'],
          ],
        );
        assert.equal(metering.open, 0);
      });

      it('a request that the server refuses is recorded', async () => {
        const error = { type: 'error', status: 400, error: { code: 'bad' } };
        queue((_event, session) => session.send(error));
        await until(() => metering.recorded === 1);
        const { userId, errorType } = await onlyRecord(metering);
        assert.deepEqual([userId, errorType], ['anna', 'bad']);
      });

      it('one that is never sent has no tokens', async () => {
        let received = 0;
        queue(() => (received += 1));
        client.close();
        await until(() => metering.recorded === 1);
        const { outcome, inputTokens, tokenSource } = await onlyRecord(metering);
        assert.deepEqual(
          [outcome, inputTokens, tokenSource, received],
          ['aborted', undefined, undefined, 0],
        );
        assert.equal(metering.open, 0);
      });

      it('requests that wait for another socket are each of their user', async () => {
        let requests = 0;
        server.serve({
          received: (_event, session) => {
            requests += 1;
            if (requests === 1) session.cut();
            else session.send(...events(`resp_${requests}`));
          },
        });
        const ask = (userId: string): void =>
          withUsageContext({ userId }, () => client.send(request));
        const onReconnecting = (): void => ask('ben');
        client = connect({ reconnect: { initialDelay: 10, onReconnecting } });
        client.on('error', () => undefined);
        client.on('reconnecting', () => ask('carl'));
        ask('anna');
        await until(() => metering.recorded === 3);
        const { records } = await metering.take();
        assert.deepEqual(
          records.map(({ userId, outcome, responseId }) => [userId, outcome, responseId]),
          [
            ['anna', 'aborted', undefined],
            ['ben', 'ok', 'resp_2'],
            ['carl', 'ok', 'resp_3'],
          ],
        );
      });

      it('a budget refuses it, and it is not sent', async () => {
        let received = 0;
        applyBudgets([{ id: 'tides', window: 'day', mode: 'block', limit: { tokens: 1 } }], {
          isDecision: true,
          store: undefined,
          priceOf: () => undefined,
          identify: (call) => call,
        });
        try {
          queue(() => (received += 1));
          await until(() => client.socket.readyState === 1);
          client.send({ type: 'ping' });
          await until(() => received === 1);
        } finally {
          await stopBudgets();
        }
        assert.equal((await onlyRecord(metering)).outcome, 'blocked');
        assert.equal(received, 1);
      });
    });

    it('a session cut in the middle: what arrived is counted, and marked', async () => {
      const session = await open((_event, served) => served.send(...events('resp_1').slice(0, 2)));
      client.send(request);
      await until(() => arrived.length === 2);
      session.cut();
      await until(() => metering.recorded === 1);
      const record = await onlyRecord(metering);
      assert.deepEqual([record.outcome, record.tokenSource], ['aborted', 'estimated']);
      assert.ok((record.outputTokens ?? 0) > 0);
    });

    it('a session that ends before its response has begun', async () => {
      await open((_event, session) => session.close());
      client.send(request);
      await until(() => metering.recorded === 1);
      const record = await onlyRecord(metering);
      assert.deepEqual([record.outcome, record.outputTokens], ['aborted', undefined]);
    });
  });
}
