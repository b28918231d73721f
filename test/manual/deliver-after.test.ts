import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import { deliver, deliverAfter, TokenMeterInstrumentation } from '../../src/index.ts';
import { startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };

describe('deliverAfter', () => {
  let server: WireServer;
  let receiver: OtlpReceiver;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
    receiver = await startOtlpReceiver();
  });
  after(async () => {
    await receiver.close();
    await server.close();
  });

  /** Killed as soon as it has replied. */
  async function invoke(way: 'wrapped' | 'plain'): Promise<readonly string[]> {
    const before = receiver.requests.length;
    const { signal, err } = await runApp(
      fileURLToPath(new URL('../register/apps/invoked.mjs', import.meta.url)),
      {
        node: ['--import', 'otel-token-meter/register'],
        args: [way],
        env: {
          OPENAI_BASE_URL: server.url,
          OPENAI_API_KEY: 'test',
          OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
          TOKEN_METER_SETTINGS_STORE: 'memory',
        },
        onOutput: (out, kill) => {
          if (out.includes('twice a day')) kill('SIGKILL');
        },
      },
    );
    assert.deepEqual([signal, err], ['SIGKILL', '']);
    return receiver.requests
      .slice(before)
      .map((request) => request.signal)
      .toSorted();
  }

  it('replies when span, metrics and event have arrived', async () => {
    assert.deepEqual(await invoke('wrapped'), ['logs', 'metrics', 'traces']);
    assert.deepEqual(await invoke('plain'), []);
  });

  it('hands on this, arguments, reply and error as they are', async () => {
    const wrapped = deliverAfter(async function (this: unknown, ...args: readonly unknown[]) {
      await Promise.resolve();
      return [this, ...args];
    });
    const self = {};
    assert.deepEqual(await wrapped.call(self, 1, 'two'), [self, 1, 'two']);
    const error = new Error('of the host');
    await assert.rejects(
      deliverAfter(async () => await Promise.reject(error))(),
      (thrown) => thrown === error,
    );
    assert.throws(
      deliverAfter(() => {
        throw error;
      }),
      (thrown) => thrown === error,
    );
    assert.equal(deliverAfter(() => 7)(), 7);
  });

  describe('with a provider that never sends', () => {
    let flushes = 0;
    const provider = {
      getTracer: () => trace.getTracer('other'),
      forceFlush: async () => {
        flushes += 1;
        await new Promise(() => undefined);
      },
    };
    let instrumentation: TokenMeterInstrumentation;
    before(() => (instrumentation = new TokenMeterInstrumentation()));
    after(() => instrumentation.disable());
    beforeEach(() => {
      flushes = 0;
      trace.setGlobalTracerProvider(provider);
    });
    afterEach(() => trace.disable());

    /** Within what is left; a busy machine takes longer. */
    async function lasts(fn: () => unknown): Promise<number> {
      const startedAt = performance.now();
      await fn();
      return performance.now() - startedAt;
    }

    it('takes no longer than it may', async () => {
      const ms = await lasts(async () => await deliver({ timeoutMs: 50 }));
      assert.ok(ms >= 45 && ms < 1500, `${ms}`);
    });

    it('leaves time for the reply', async () => {
      const context = { getRemainingTimeInMillis: () => 300 };
      const handler = deliverAfter(async (_event: object, _context: object) => {
        await Promise.resolve();
        return 'reply';
      });
      const ms = await lasts(async () => assert.equal(await handler({}, context), 'reply'));
      assert.ok(ms >= 195 && ms < 1500, `${ms}`);
    });

    it('calls a callback late, and once', async () => {
      type Callback = (error: null, reply: string) => void;
      const handler = deliverAfter((_event: object, _context: object, callback: Callback) => {
        setImmediate(() => callback(null, 'reply'));
      });
      const replies: unknown[] = [];
      const ms = await lasts(async () => {
        await new Promise<void>((resolve) => {
          const returned: unknown = handler(
            {},
            { getRemainingTimeInMillis: () => 150 },
            (...reply) => {
              replies.push(reply);
              resolve();
            },
          );
          assert.equal(returned, undefined);
        });
      });
      assert.deepEqual(replies, [[null, 'reply']]);
      assert.ok(ms >= 45, `${ms}`);
    });

    it('asks it even where a proxy of the API is in between', async () => {
      await deliver({ timeoutMs: 1 });
      assert.ok(flushes > 0);
    });
  });
});
