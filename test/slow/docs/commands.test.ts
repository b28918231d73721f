import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { settingsRoutes } from '../../../example-app/routes/settings.ts';
import {
  MemorySettingsStore,
  metricsSettings,
  SettingsService,
} from '../../../src/settings/index.ts';
import { separateLibrary } from '../../../src/prices/list-library.ts';
import { ADMIN_TOKEN, serveApp, type ServedApp } from '../../support/app.ts';
import { startBillApi } from '../../support/bill-api.ts';
import { commandsOf, isNotRun, shellBlocks } from '../../support/doc-commands.ts';
import { documentedApp, REGISTER, type DocumentedApp } from '../../support/documented-app.ts';
import { influxRows } from '../../support/influx.ts';
import { attributesOf, startOtlpReceiver } from '../../support/otlp-receiver.ts';
import { requireServer, startInfluxd } from '../../support/servers.ts';

/** Blocks run in this file, in newcomer.test.ts and checkout.test.ts beside it, and in slow tests of their topic. */
const RUN: readonly string[] = [
  'npm ci && npm start',
  'bun --preload otel-token-meter/register',
  'npm install otel-token-meter openai',
  'node --import otel-token-meter/register app.mjs',
  'npm install @opentelemetry/sdk-metrics',
  `echo '{"values": {"enabled": false}}' > .token-meter/settings.json`,
  'pip install openai opentelemetry-distro',
  'go mod init summaries',
  'mvn -q dependency:copy-dependencies',
  'npm run release -- --dry-run',
  'npx otel-token-meter reprice --dry-run',
  'npx otel-token-meter report ',
  'npx otel-token-meter forecast ',

  'npx otel-token-meter prices show',
  'npx otel-token-meter prices update',
  'npx otel-token-meter reconcile openai',
  'npx otel-token-meter export --format focus',
  'npx otel-token-meter rollup --verify',
  'INFLUX_ROLLUP_BUCKET=llm_metrics_sums',
  'curl --data-binary @dead-letters-usage.lines',
  'TOKEN_METER_PROVIDER=otlp',
  'export TOKEN_METER_URL=',
  'curl -s -H "Authorization: Bearer $TOKEN"',
];

describe('commands of the documents', () => {
  let app: DocumentedApp;
  before(async () => (app = await documentedApp(['@opentelemetry/sdk-node@^0.301.0'])));
  after(async () => await app?.remove());

  /** As a shell takes it; addresses of the document stand for those of the test. */
  async function shell(
    line: string,
    {
      env = {},
      instead = {},
      code: expected = 0,
    }: {
      readonly env?: Readonly<Record<string, string>>;
      readonly instead?: Readonly<Record<string, string>>;
      readonly code?: number;
    } = {},
  ): Promise<{ readonly out: string; readonly err: string }> {
    let command = line;
    for (const [from, to] of Object.entries(instead)) command = command.replaceAll(from, to);
    const { code, out, err } = await app.run('sh', ['-c', command], env);
    assert.equal(code, expected, `${line}\n${out}${err}`);
    return { out, err };
  }

  it('are all run, or the reason stands in doc-commands.ts', () => {
    for (const block of shellBlocks()) {
      const isRun = RUN.some((start) => block.text.startsWith(start));
      assert.ok(isRun !== isNotRun(block), `${block.doc}:${block.line}`);
    }
    for (const start of RUN) {
      assert.ok(
        shellBlocks().some(({ text }) => text.startsWith(start)),
        start,
      );
    }
  });

  it('README: to InfluxDB', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd({ databases: ['llm_metrics'] });
    try {
      const instead = { 'http://localhost:8086': influxd.url, '…': 'token' };
      for (const line of commandsOf('README.md', 'npm install @opentelemetry/sdk-metrics')) {
        await shell(line, { instead });
      }
      const [row, ...more] = await influxRows(
        influxd.url,
        'llm_metrics',
        'SELECT * FROM llm_usage',
      );
      assert.deepEqual([row?.['user'], row?.['input_tokens'], more.length], ['alice', 18, 0]);
    } finally {
      await influxd.stop();
    }
  });

  it('docs/reports.md and docs/costs.md: of a SQLite ledger', async () => {
    const env = { TOKEN_METER_PROVIDER: 'sqlite' };
    const { code, err } = await app.call(REGISTER, env);
    assert.equal(code, 0, err);
    const reports = ['docs/reports.md', 'docs/costs.md'].flatMap((doc) =>
      commandsOf(doc, 'npx otel-token-meter report'),
    );
    for (const line of reports) {
      const { out } = await shell(line, { env });
      if (line.includes('> usage.csv')) {
        assert.match(
          readFileSync(join(app.folder, 'usage.csv'), 'utf8'),
          /^.?day,model,.*\r\n.*,gpt-4o,/,
        );
      } else assert.match(out, /alice|gpt-4o|20\d\d-\d\d-\d\d|27/, line);
    }
    for (const line of commandsOf('docs/agents.md', 'npx otel-token-meter report')) {
      const isTree = line.includes('report --run');
      const { out, err: why } = await shell(line, { env, code: isTree ? 1 : 0 });
      if (isTree) assert.match(why, /No calls of the run order-4711 are recorded/);
      else assert.match(out, /^TOTAL /m);
    }
    for (const line of commandsOf('docs/reports.md', 'npx otel-token-meter forecast')) {
      const { out, err: basis } = await shell(line, { env });
      assert.match(out, /^calls +1 +- +- +-$/m);
      assert.match(basis, /no projection, the ledger has 0 complete days of the 14 required/);
    }
    await app.write(
      'prices.json',
      '{"prices": [{"model": "gpt-4o", "perMillionTokens": {"input": 1000000, "output": 1000000}}]}',
    );
    const lines = commandsOf('docs/costs.md', 'npx otel-token-meter reprice');
    const output = [];
    for (const line of lines) output.push(await shell(line, { env }));
    assert.match(output.at(-1)?.out ?? '', /27/, 'a dollar a token');
  });

  it('docs/costs.md: a price explained, and the current list', async () => {
    for (const line of commandsOf('docs/costs.md', 'npx otel-token-meter prices show')) {
      assert.match((await shell(line)).out, /input_tokens[^]*per million tokens/, line);
    }
    const { bundled } = await separateLibrary();
    const server = await startBillApi(() => ({ body: bundled }));
    try {
      const env = { TOKEN_METER_PRICES_REFRESH_URL: `${server.url}/data.json` };
      const [line = ''] = commandsOf('docs/costs.md', 'npx otel-token-meter prices update');
      assert.match(
        (await shell(line, { env })).out,
        /^\.token-meter\/price-list\.json: [\d,]+ models/,
      );
      const [show = ''] = commandsOf('docs/costs.md', 'npx otel-token-meter prices show');
      assert.match((await shell(show)).out, /genai-prices download of 20/);
    } finally {
      await server.close();
    }
  });

  it('docs/bill.md: beside the figures of a provider, and for finance', async () => {
    const server = await startBillApi(() => ({ body: { data: [], has_more: false } }));
    const columns = 'ChargePeriodStart,ChargeCategory,BilledCost,BillingCurrency,ResourceName';
    await app.write('invoice.csv', 'Date,SKU,Amount\n');
    await app.write('focus.csv', `${columns}\n`);
    try {
      const instead = Object.fromEntries(
        ['openai', 'anthropic', 'openrouter'].map((name) => [
          `reconcile ${name}`,
          `reconcile ${name} --base-url ${server.url}`,
        ]),
      );
      const env = {
        TOKEN_METER_PROVIDER: 'sqlite',
        OPENAI_ADMIN_KEY: 'a',
        ANTHROPIC_ADMIN_API_KEY: 'b',
        OPENROUTER_MANAGEMENT_KEY: 'c',
      };
      const { code, err } = await app.call(REGISTER, env);
      assert.equal(code, 0, err);
      for (const line of commandsOf('docs/bill.md', 'npx otel-token-meter reconcile openai')) {
        const { out } = await shell(line, { env, instead, code: 4 });
        assert.match(out, /NOT COMPARED|"equal": false/, line);
      }
      await app.run('rm', ['focus.csv'], {});
      const [line = ''] = commandsOf('docs/bill.md', 'npx otel-token-meter export --format focus');
      await shell(line, { env });
      assert.match(readFileSync(join(app.folder, 'focus.csv'), 'utf8'), /^BilledCost,/);
    } finally {
      await server.close();
    }
  });

  it('docs/sqlite.md: a copy, and the calls of one user', async () => {
    const env = { TOKEN_METER_PROVIDER: 'sqlite' };
    const { code, err } = await app.call(REGISTER, env);
    assert.equal(code, 0, err);
    const [rollUp = '', backup = '', exported = '', erase = '', doctor = ''] = commandsOf(
      'docs/sqlite.md',
      'npx otel-token-meter rollup',
    );
    await shell(rollUp, { env });
    await shell(backup, { env });
    assert.ok(existsSync(join(app.folder, 'copies/usage.db')));
    await shell(exported, { env });
    assert.match(readFileSync(join(app.folder, 'alice.jsonl'), 'utf8'), /"user_id":"alice"/);
    const { out } = await shell(erase, { env });
    assert.match(out, /calls found, 0 deleted/);
    assert.match((await shell(doctor, { env })).out, /usage\.db/);
  });

  it('docs/influxdb.md: a bucket of roll-ups', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd();
    try {
      const [line = ''] = commandsOf('docs/influxdb.md', 'INFLUX_ROLLUP_BUCKET');
      await shell(line, { env: { INFLUX_URL: influxd.url } });
      for (const [database, duration] of [
        ['llm_metrics', '2160h0m0s'],
        ['llm_metrics_sums', '26208h0m0s'],
      ] as const) {
        const [policy] = await influxRows(influxd.url, database, 'SHOW RETENTION POLICIES');
        assert.equal(policy?.['duration'], duration);
      }
    } finally {
      await influxd.stop();
    }
  });

  it('docs/influxdb.md: a segment sent by hand', async function () {
    requireServer(this, 'influxd');
    const influxd = await startInfluxd({ databases: ['llm'] });
    try {
      await app.write(
        'dead-letters-usage.lines',
        'llm_usage,model=gpt-4o calls=1i 1790000000000000000\n',
      );
      const [line = ''] = commandsOf('docs/influxdb.md', 'curl');
      await shell(line, { instead: { 'http://localhost:8086': influxd.url } });
      const rows = await influxRows(influxd.url, 'llm', 'SELECT * FROM llm_usage');
      assert.equal(rows[0]?.['calls'], 1);
    } finally {
      await influxd.stop();
    }
  });

  it('docs/scale.md: the environment of a process', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const variables = Object.fromEntries(
        commandsOf('docs/scale.md', 'TOKEN_METER_PROVIDER=otlp').map((line) => line.split('=')),
      ) as Record<string, string>;
      const { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, ...rest } = variables;
      assert.equal(endpoint, 'http://localhost:4317');
      const { code, err } = await app.call(REGISTER, {
        ...rest,
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.grpcUrl,
        OTEL_TRACES_EXPORTER: '',
        OTEL_METRICS_EXPORTER: '',
        OTEL_LOGS_EXPORTER: '',
      });
      assert.equal(code, 0, err);
      const logs = receiver.requests.filter(({ signal }) => signal === 'logs');
      assert.equal(logs.length, 1, err);
      assert.equal(logs[0]?.contentType, 'application/grpc');
      const [event] = logs[0]?.body.resourceLogs[0].scopeLogs[0].logRecords ?? [];
      assert.equal(attributesOf(event?.attributes)['user.id'], 'alice');
      const metrics = receiver.requests.find(({ signal }) => signal === 'metrics');
      const [metric] = metrics?.body.resourceMetrics[0].scopeMetrics[0].metrics ?? [];
      assert.equal(
        metric?.histogram?.aggregationTemporality ?? metric?.sum?.aggregationTemporality,
        1,
      );
    } finally {
      await receiver.close();
    }
  });

  describe('docs/settings.md: of a running application', () => {
    let served: ServedApp;
    let settings: SettingsService<{ enabled: boolean; token_statistics: boolean }>;
    beforeEach(async () => {
      const store = new MemorySettingsStore();
      settings = new SettingsService({ schema: metricsSettings, store, instance: { id: 'one' } });
      await settings.start();
      served = await serveApp({ routes: settingsRoutes({ settings, instancesEveryMs: 50 }) });
    });
    afterEach(async () => {
      await served.close();
      await settings.close();
    });

    it('the command line', async () => {
      const [variables = '', ...lines] = commandsOf('docs/settings.md', 'export TOKEN_METER_URL');
      const set = variables
        .replace('https://chat.example.com', served.origin)
        .replace('TOKEN_METER_TOKEN=…', `TOKEN_METER_TOKEN=${ADMIN_TOKEN}`);
      const states = [];
      for (const line of lines) {
        if (line.endsWith('settings watch')) {
          const args = ['-c', `${set}; exec ${line}`];
          await app.serve('sh', args, {}, ({ out }) => /version 2/.test(out));
          continue;
        }
        await shell(`${set}; ${line}`);
        states.push(settings.get().token_statistics);
      }
      assert.deepEqual(states, [true, false, true]);
      assert.equal((await settings.audit()).at(-1)?.reason, 'load test');
    });

    it('HTTP', async () => {
      const [line = ''] = commandsOf('docs/settings.md', 'curl -s');
      await shell(line, { env: { TOKEN: ADMIN_TOKEN, URL: served.origin } });
      assert.equal(settings.get().enabled, false);
      assert.equal((await settings.audit())[0]?.reason, 'incident');
    });
  });
});
