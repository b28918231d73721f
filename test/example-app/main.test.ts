import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApp, startExampleApp } from '../support/example-app.ts';
import { requireServer, startInfluxd, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const HELLO = { user_id: 'alice', model: 'gpt-4o', message: 'How often does the tide come in?' };

async function records(app: RunningApp): Promise<readonly Record<string, unknown>[]> {
  const answer = await app.api('/api/usage/records');
  assert.equal(answer.status, 200);
  return ((await answer.json()) as { records: Record<string, unknown>[] }).records;
}

/** Waits for the records, newest first: exporters write in the background. */
async function recordsOnce(
  app: RunningApp,
  count: number,
): Promise<readonly Record<string, unknown>[]> {
  let found: readonly Record<string, unknown>[] = [];
  await until(async () => {
    found = await records(app);
    return found.length >= count;
  }, 15_000);
  assert.equal(found.length, count);
  return found;
}

async function patch(app: RunningApp, body: object): Promise<void> {
  const answer = await app.api('/api/settings/metrics', { method: 'PATCH', body });
  assert.equal(answer.status, 200);
}

describe('example app', function () {
  this.timeout(60_000);
  let app: RunningApp | undefined;

  afterEach(async () => {
    await app?.close();
    app = undefined;
  });

  it('starts on nothing but Node, meters a chat, and obeys the two switches', async () => {
    app = await startExampleApp();
    const answer = await app.chat(HELLO);
    assert.equal(answer.status, 200);
    const [first] = await recordsOnce(app, 1);
    assert.equal(first?.['user_id'], 'alice');
    assert.equal(first?.['token_source'], 'provider');
    assert.ok(Number(first?.['input_tokens']) > 10);
    assert.ok(Number(first?.['cost_usd']) > 0);

    await patch(app, { token_statistics: false });
    await app.chat(HELLO);
    const [second] = await recordsOnce(app, 2);
    assert.equal(second?.['user_id'], 'alice');
    assert.deepEqual(
      Object.keys(second ?? {}).filter((key) => /tokens|token_source|cost/.test(key)),
      [],
    );

    await patch(app, { enabled: false });
    await app.chat(HELLO);
    await patch(app, { enabled: true, token_statistics: true });
    await app.chat({ ...HELLO, user_id: 'bob', stream: true }).then((reply) => reply.text());
    const all = await recordsOnce(app, 3);
    assert.deepEqual(
      all.map((record) => record['user_id']),
      ['bob', 'alice', 'alice'],
    );
    const summary = (await (await app.api('/api/usage/summary?group_by=user')).json()) as {
      total: { calls: number };
      rows: { user: string; calls: number }[];
    };
    assert.equal(summary.total.calls, 3);
    assert.deepEqual(Object.fromEntries(summary.rows.map(({ user, calls }) => [user, calls])), {
      alice: 2,
      bob: 1,
    });
    assert.equal((await fetch(`${app.origin}/healthz`)).status, 200);
    assert.equal((await fetch(`${app.origin}/readyz`)).status, 200);
    assert.equal(await app.stop(), 0);
  });

  it('makes what was recorded before SIGTERM durable', async () => {
    app = await startExampleApp();
    const { chat } = app;
    await Promise.all(Array.from({ length: 20 }, () => chat(HELLO)));
    assert.equal(await app.stop(), 0);
    assert.equal(await app.storedCalls(), 20);
  });

  it('answers and keeps the records while InfluxDB is away, and delivers them later', async function () {
    requireServer(this, 'influxd');
    const influx: TestServer = await startInfluxd({ databases: ['metrics'] });
    try {
      await influx.kill();
      app = await startExampleApp({
        env: {
          INFLUX_URL: influx.url,
          INFLUX_BUCKET: 'metrics',
          TOKEN_METER_FLUSH_INTERVAL: '0.2',
          TOKEN_METER_SPOOL_DIRECTORY: await mkdtemp(join(tmpdir(), 'spool-')),
        },
      });
      assert.match(app.output(), /ledger +InfluxDB at http/);
      for (let i = 0; i < 3; i += 1) assert.equal((await app.chat(HELLO)).status, 200);
      assert.equal((await app.api('/api/usage/summary')).status, 503);
      await influx.restart();
      const [record] = await recordsOnce(app, 3);
      assert.equal(record?.['user_id'], 'alice');
    } finally {
      await influx.stop();
    }
  });

  it('keeps settings in Redis, and answers while Redis is away', async function () {
    requireServer(this, 'redis-server');
    const redis = await startRedis();
    try {
      app = await startExampleApp({ env: { REDIS_URL: redis.url } });
      assert.match(app.output(), /settings +redis/);
      await patch(app, { token_statistics: false });
      await redis.kill();
      assert.equal((await app.chat(HELLO)).status, 200);
      assert.equal((await app.api('/api/settings/metrics')).status, 200);
      await until(async () => {
        const body = { token_statistics: true };
        const refused = await app?.api('/api/settings/metrics', { method: 'PATCH', body });
        return refused?.status === 503;
      });
      const [record] = await recordsOnce(app, 1);
      assert.equal(record?.['input_tokens'], undefined);
    } finally {
      await redis.stop();
    }
  });

  it('names an unwritable ledger and a wrong configuration, and works on', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'example-app-'));
    const config = join(directory, 'otel.config.yaml');
    writeFileSync(
      config,
      [
        "file_format: '1.1'",
        'distribution:',
        '  token_meter:',
        `    metrics: { provider: oracle, sqlite: { path: ${config}/usage.db } }`,
        '',
      ].join('\n'),
    );
    app = await startExampleApp({ directory, env: { OTEL_CONFIG_FILE: config } });
    assert.match(
      app.output(),
      /otel\.config\.yaml:4: .*provider is "oracle"; allowed: influxdb, sqlite/,
    );
    assert.equal((await app.chat(HELLO)).status, 200);
    const answer = await app.api('/api/usage/summary');
    assert.equal(answer.status, 503);
    const problem = (await answer.json()) as { code: string; detail: string };
    assert.equal(problem.code, 'ledger_unavailable');
  });

  it('refuses to listen to the network without a token, with a weak one, or a short session secret, and names a taken port', async () => {
    await assert.rejects(
      () => startExampleApp({ env: { HOST: '0.0.0.0', TOKEN_METER_ADMIN_TOKEN: '' } }),
      /TOKEN_METER_ADMIN_TOKEN is not set/,
    );
    await assert.rejects(
      () => startExampleApp({ env: { HOST: '0.0.0.0', TOKEN_METER_ADMIN_TOKEN: 'a' } }),
      /ended with 1:[^]*an access token is shorter than 16 characters/,
    );
    await assert.rejects(
      () => startExampleApp({ env: { TOKEN_METER_SESSION_SECRET: 'too-short-by-far' } }),
      (error: Error) =>
        /ended with 1:[^]*TOKEN_METER_SESSION_SECRET is too short/.test(error.message) &&
        !error.message.includes('too-short-by-far'),
    );
    app = await startExampleApp();
    const { port } = new URL(app.origin);
    await assert.rejects(() => startExampleApp({ env: { PORT: port } }), /Port \d+ .* is in use/);
  });
});
