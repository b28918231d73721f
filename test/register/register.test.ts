import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { runApp, type AppOptions, type AppRun } from '../support/run-app.ts';
import { requireServer, startInfluxd, startRedis } from '../support/servers.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = {
  prompt_tokens: 1218,
  completion_tokens: 340,
  total_tokens: 1558,
  prompt_tokens_details: { cached_tokens: 900 },
};
const LINE = /^alice gpt-4o 1\.2k→340 tok \(cached 900\) \$0\.0053 \d+ ms$/m;
const app = (name: string): string => fileURLToPath(new URL(`./apps/${name}`, import.meta.url));
const REGISTER = ['--import', 'otel-token-meter/register'];

describe('node --import otel-token-meter/register', () => {
  let server: WireServer;
  let folder: string;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-register-'))));
  afterEach(() => rmSync(folder, { recursive: true }));
  after(() => server.close());

  const run = async (name: string, options: AppOptions = {}): Promise<AppRun> =>
    await runApp(app(name), {
      node: REGISTER,
      ...options,
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
        ...options.env,
      },
    });
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };

  it('prints one line a call with nothing configured, for ESM, CommonJS and --require', async () => {
    for (const [name, node] of [
      ['chat.mjs', REGISTER],
      ['chat.cjs', REGISTER],
      ['chat.mjs', ['--require', 'otel-token-meter/register']],
    ] as const) {
      const { out, err, code } = await run(name, { node });
      assert.deepEqual([out, code], ['The tide comes in twice a day.\n', 0], err);
      assert.match(err, LINE);
      assert.equal(err.trim().split('\n').length, 1, err);
    }
  });

  it('stays quiet beside an SDK of the application, ESM or CommonJS, and feeds it', async () => {
    for (const name of ['chat-with-sdk.mjs', 'chat-with-sdk.cjs']) {
      const { out, err, code } = await run(name);
      assert.equal(code, 0, err);
      assert.doesNotMatch(err, /tok|duplicate/, name);
      assert.deepEqual(JSON.parse(out.trim().split('\n').at(-1) ?? ''), {
        spans: ['chat gpt-4o'],
        events: ['gen_ai.client.inference.operation.details'],
        metrics: [
          'gen_ai.client.operation.duration',
          'gen_ai.client.token.usage',
          'token_meter.cost',
        ],
      });
    }
    const told = await run('chat-with-sdk.mjs', { env: { TOKEN_METER_PROVIDER: 'console' } });
    assert.match(told.err, LINE);
  });

  it('keeps the ledger in SQLite without any SDK', async () => {
    const path = join(folder, 'usage.db');
    const { err, code } = await run('chat.mjs', {
      env: {
        TOKEN_METER_PROVIDER: 'sqlite',
        TOKEN_METER_SQLITE_PATH: path,
        OTEL_RESOURCE_ATTRIBUTES: 'service.name=tides,deployment.environment.name=test',
      },
    });
    assert.deepEqual([err, code], ['', 0]);
    const reader = new SqliteUsageReader({ path });
    const { records } = await reader.records({
      from: new Date(Date.now() - 3_600_000),
      to: new Date(Date.now() + 60_000),
    });
    await reader.close();
    assert.equal(records.length, 1);
    assert.partialDeepStrictEqual(records[0], {
      service: 'tides',
      userId: 'alice',
      inputTokens: 1218,
      outputTokens: 340,
      cacheReadTokens: 900,
    });
  });

  it('sends ledger and metrics to InfluxDB, by file or environment', async function () {
    requireServer(this, 'influxd');
    const influx = await startInfluxd({ databases: ['llm_metrics'] });
    try {
      const config = file(
        'otel.config.yaml',
        readFileSync(new URL('../../otel.config.yaml', import.meta.url), 'utf8'),
      );
      for (const [service, env] of [
        ['by-env', { OTEL_SERVICE_NAME: 'by-env' }],
        ['by-file', { OTEL_SERVICE_NAME: 'by-file', OTEL_CONFIG_FILE: config }],
      ] as const) {
        const { err, code } = await run('chat.mjs', {
          env: {
            INFLUX_URL: influx.url,
            TOKEN_METER_SPOOL_DIRECTORY: join(folder, 'spool'),
            ...env,
          },
        });
        assert.deepEqual([err, code], ['', 0]);
        for (const measurement of ['llm_usage', 'gen_ai_client_token_usage']) {
          const where = measurement === 'llm_usage' ? ` where service='${service}'` : '';
          const q = encodeURIComponent(`select * from ${measurement}${where}`);
          const answer = await fetch(`${influx.url}/query?db=llm_metrics&q=${q}`);
          const { results } = (await answer.json()) as {
            results: { series?: { values: unknown[] }[] }[];
          };
          assert.ok((results[0]?.series?.[0]?.values.length ?? 0) > 0, measurement);
        }
      }
    } finally {
      await influx.stop();
    }
  });

  it('follows the live switch of a file store, and does not outlive the application', async () => {
    const settings = file('settings.json', '{"version": 3, "values": {"enabled": true}}');
    const { out, err, code } = await run('chat-until-off.mjs', { args: [settings] });
    assert.deepEqual([out.trim().split('\n').at(-1), code], ['switched off', 0], err);
    assert.match(err, LINE);
  });

  it('has the switch of a file in effect from the first call, also one written by hand', async () => {
    const path = file('settings.json', '{"values": {"enabled": false}}');
    for (const enabled of [false, true, false]) {
      writeFileSync(path, JSON.stringify({ values: { enabled } }));
      const { err, code } = await run('chat.mjs');
      assert.equal(code, 0);
      assert.equal(LINE.test(err), enabled, err);
    }
  });

  it('follows Redis without keeping the process alive, up or down', async function () {
    requireServer(this, 'redis-server');
    const redis = await startRedis();
    try {
      await new Promise((resolve) => setTimeout(resolve, 50));
      const { err, code } = await run('chat.mjs', { env: { REDIS_URL: redis.url } });
      assert.equal(code, 0, err);
      assert.match(err, LINE);
    } finally {
      await redis.stop();
    }
    const { err, code } = await run('chat.mjs', { env: { REDIS_URL: redis.url } });
    assert.equal(code, 0, err);
    assert.match(err, LINE);
  });

  it('flushes on a signal and lets it have its effect, unless the application takes it', async () => {
    const path = join(folder, 'usage.db');
    const env = { TOKEN_METER_PROVIDER: 'sqlite', TOKEN_METER_SQLITE_PATH: path };
    const onOutput: AppOptions['onOutput'] = (out, kill) =>
      out.includes('ready') && kill('SIGTERM');
    const alone = await run('chat-and-wait.mjs', { env, onOutput });
    assert.deepEqual([alone.signal, alone.code], ['SIGTERM', null], alone.err);
    const taken = await run('chat-and-wait.mjs', { env, onOutput, args: ['handles'] });
    assert.deepEqual([taken.signal, taken.code], [null, 7], taken.err);
    const reader = new SqliteUsageReader({ path });
    const day = 86_400_000;
    const { records } = await reader.records({
      from: new Date(Date.now() - day),
      to: new Date(Date.now() + day),
    });
    await reader.close();
    assert.equal(records.length, 2);
  });

  it('names a wrong value with its line and starts the application', async () => {
    const config = file(
      'otel.yaml',
      'file_format: "1.1"\ndistribution:\n  token_meter:\n    metrics:\n      provider: influx\n',
    );
    const { err, out, code } = await run('chat.mjs', { env: { OTEL_CONFIG_FILE: config } });
    assert.deepEqual([out, code], ['The tide comes in twice a day.\n', 0]);
    assert.match(
      err,
      /otel\.yaml:5: distribution\.token_meter\.metrics\.provider is "influx"; allowed: influxdb, sqlite, clickhouse, otlp, console, none/,
    );
    assert.equal(err.match(/allowed:/g)?.length, 1, err);
  });

  it('does nothing at all where it is disabled by name', async () => {
    for (const name of ['otel-token-meter', 'http, token_meter']) {
      const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: name };
      const { err, code } = await run('chat.mjs', { env });
      assert.deepEqual([err, code], ['', 0], name);
    }
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'openai' };
    assert.match((await run('chat.mjs', { env })).err, / tok /);
  });

  it('does nothing at all with OTEL_SDK_DISABLED', async () => {
    const { err, code } = await run('chat.mjs', { env: { OTEL_SDK_DISABLED: 'true' } });
    assert.deepEqual([err, code], ['', 0]);
  });
});
