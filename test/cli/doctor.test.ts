import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import { createServer as createHttps } from 'node:https';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/doctor.ts';
import type { Finding } from '../../src/cli/doctor/finding.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { InfluxUsageProcessor } from '../../exporter/influxdb/write/influx-usage-processor.ts';
import { FileSettingsStore, metricsSettings, SettingsService } from '../../src/settings/index.ts';
import { childEnv } from '../support/child-env.ts';
import { ForwardProxy } from '../support/forward-proxy.ts';
import { InfluxAdmin } from '../support/influx-admin.ts';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { requireServer, startInfluxd, startRedis } from '../support/servers.ts';
import { memoryIo } from './memory-io.ts';
import { until } from '../support/until.ts';
import { logOf, usageRecord } from '../support/usage-logs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CLI = join(ROOT, 'src/cli/main.ts');

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

describe('otel-token-meter doctor', function () {
  this.timeout(60_000);
  let folder: string;
  /** An application with OpenTelemetry and without LLM SDKs, whose loading takes seconds of CPU. */
  let app: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-doctor-'));
    app = join(folder, 'app');
    mkdirSync(join(app, 'node_modules'), { recursive: true });
    writeFileSync(join(app, 'package.json'), '{}');
    symlinkSync(
      join(ROOT, 'node_modules', '@opentelemetry'),
      join(app, 'node_modules', '@opentelemetry'),
    );
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  /** In a separate process, as users run it: it loads and patches every SDK that it finds in `cwd`. */
  async function runProcess(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
    cwd: string = app,
  ): Promise<Ran> {
    return await new Promise((resolve) => {
      execFile(
        process.execPath,
        ['--conditions=otel-token-meter/source', CLI, 'doctor', ...args],
        { cwd, env: childEnv({ HOME: folder, ...env }) },
        (error, stdout, stderr) =>
          resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
      );
    });
  }

  /** In this process, where it must not find an SDK to patch. */
  async function runHere(
    args: readonly string[],
    env: Readonly<Record<string, string>>,
    cwd: string = app,
  ): Promise<Ran> {
    const io = memoryIo(env);
    const code = await run(args, io, cwd);
    return { code, stdout: io.out(), stderr: io.err() };
  }

  async function examine(
    env: Readonly<Record<string, string>>,
    { cwd = app, args = [] as readonly string[], runs = runHere } = {},
  ): Promise<{ code: number; of: (check: string) => readonly string[] }> {
    const settled = { TOKEN_METER_SETTINGS_STORE: 'memory', ...env };
    const { code, stdout, stderr } = await runs(['--json', ...args], settled, cwd);
    const { findings, healthy } = JSON.parse(stdout) as {
      findings: Finding[];
      healthy: boolean;
    };
    assert.equal(healthy, code === 0, `${stdout}\n${stderr}`);
    return {
      code,
      of: (check) =>
        findings.filter((one) => one.check === check).map(({ state, says }) => `${state}: ${says}`),
    };
  }

  it('patches the SDKs that are installed, and says what it found of OpenTelemetry', async () => {
    const { code, of } = await examine({}, { cwd: ROOT, runs: runProcess });
    assert.equal(code, 0);
    assert.match(of('node')[0] ?? '', /^ok: v\d+/);
    assert.match(of('loader hook')[0] ?? '', /^ok: ES module imports are intercepted/);
    assert.match(of('opentelemetry')[0] ?? '', /^ok: api 1\.10\.0, sdk-node 0\.301\./);
    const sdks = of('llm sdk');
    for (const name of ['openai 7', '@anthropic-ai/sdk', '@langchain/core']) {
      assert.ok(
        sdks.some((says) => says.startsWith(`ok: ${name}`) && says.endsWith('is patched')),
        sdks.join('\n'),
      );
    }
    assert.match(of('records')[0] ?? '', /^ok: one line per call/);
  });

  it('tells of an SDK of an unknown shape, and of none', async () => {
    writeFileSync(
      join(folder, 'package.json'),
      '{"scripts":{"start":"node --import otel-token-meter/register app.js"}}',
    );
    const empty = await examine({}, { cwd: folder });
    assert.match(empty.of('llm sdk')[0] ?? '', /^warning: no supported SDK/);
    assert.match(empty.of('start')[0] ?? '', /^ok: /);
    assert.match(empty.of('opentelemetry')[0] ?? '', /^problem: @opentelemetry\/api is missing/);
    const openai = join(folder, 'node_modules', 'openai');
    mkdirSync(openai, { recursive: true });
    writeFileSync(join(openai, 'package.json'), '{"version":"99.0.0","main":"index.js"}');
    writeFileSync(join(openai, 'index.js'), 'exports.Other = class {};');
    const odd = await examine({}, { cwd: folder });
    assert.deepEqual(odd.of('llm sdk'), [
      'problem: openai 99.0.0 has an unknown shape: its calls are not metered',
    ]);
  });

  it('tells of the metrics of OpenTelemetry’s own openai instrumentation', async () => {
    writeFileSync(join(folder, 'package.json'), '{}');
    for (const name of ['api', 'sdk-metrics', 'instrumentation-openai']) {
      const at = join(folder, 'node_modules', '@opentelemetry', name);
      mkdirSync(at, { recursive: true });
      writeFileSync(join(at, 'package.json'), '{"version":"0.22.0"}');
    }
    const both = await examine({}, { cwd: folder });
    assert.match(both.of('metrics')[0] ?? '', /^note: .*instrumentation-openai 0\.22\.0.* twice/);
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'http, openai' };
    assert.deepEqual((await examine(env, { cwd: folder })).of('metrics'), []);
  });

  it('names wrong values, and exits with 1', async () => {
    const { code, of } = await examine({ TOKEN_METER_PROVIDER: 'influx' });
    assert.equal(code, 1);
    assert.match(
      of('configuration')[0] ?? '',
      /TOKEN_METER_PROVIDER is "influx"; allowed: influxdb/,
    );
  });

  it('writes to SQLite beside the ledger, reads back, and leaves nothing', async () => {
    const env = {
      TOKEN_METER_PROVIDER: 'sqlite',
      TOKEN_METER_SQLITE_PATH: join(folder, 'usage.db'),
      TOKEN_METER_SETTINGS_STORE: 'file',
      TOKEN_METER_SETTINGS_PATH: join(folder, 'settings', 'settings.json'),
    };
    const { code, of } = await examine(env, { runs: runProcess });
    assert.equal(code, 0);
    assert.match(of('test write')[0] ?? '', /^ok: written and read back/);
    assert.match(of('ledger')[0] ?? '', /^note: .*created with the first call/);
    assert.match(of('settings')[0] ?? '', /^ok: .*version 0/);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith('usage')),
      [],
    );
  });

  it('writes to InfluxDB and reads back; says why where it cannot', async function () {
    requireServer(this, 'influxd');
    const influx = await startInfluxd({ databases: ['llm_metrics'] });
    const env = { INFLUX_URL: influx.url, TOKEN_METER_SPOOL_DIRECTORY: join(folder, 'spool') };
    try {
      const well = await examine(env, { runs: runProcess });
      assert.equal(well.code, 0);
      assert.match(well.of('influxdb')[0] ?? '', /^ok: .* answers, \S+/);
      // `npm run test:dates` shifts the clock of this process alone.
      const clock = process.env['FAKETIME'] === undefined ? /^ok/ : /^warning: clocks .* differ/;
      assert.match(well.of('clock')[0] ?? '', clock);
      assert.match(well.of('test write')[0] ?? '', /^ok: written and read back/);
      assert.match(well.of('cardinality')[0] ?? '', /^ok: 0 calls of 0 users in llm_metrics/);
      assert.match(well.of('disk')[0] ?? '', /^ok: the spool/);
      const dry = await examine(env, { args: ['--no-write'] });
      assert.deepEqual(dry.of('test write'), []);
      const other = await examine({ ...env, INFLUX_BUCKET: 'nowhere' });
      assert.equal(other.code, 1);
      assert.match(other.of('test write')[0] ?? '', /^problem: .*(?:not found|404|nowhere)/i);
      assert.equal(existsSync(join(folder, 'spool')), false);
    } finally {
      await influx.stop();
    }
    const down = await examine(env);
    assert.equal(down.code, 1);
    assert.match(down.of('influxdb')[0] ?? '', /^problem: .*is not reachable: .*ECONNREFUSED/);
  });

  it('says whether sums of InfluxDB outlive their calls', async function () {
    requireServer(this, 'influxd');
    const influx = await startInfluxd({ databases: ['llm_metrics'] });
    const env = { INFLUX_URL: influx.url, TOKEN_METER_SPOOL_DIRECTORY: join(folder, 'spool') };
    const own = { ...env, INFLUX_ROLLUP_BUCKET: 'llm_metrics/sums' };
    const args = ['--no-write'];
    try {
      assert.deepEqual((await examine(env, { args })).of('roll-ups'), []);
      const missing = await examine(own, { args });
      assert.equal(missing.code, 1);
      assert.match(missing.of('read')[0] ?? '', /^problem: .*setup influxdb` makes the bucket/);
      const io = memoryIo(own);
      const kept = ['--retention', '90d', '--rollup-retention', '520w'];
      assert.equal(await dispatch(['setup', 'influxdb', ...kept], io), 0, io.out());
      const well = await examine(own, { args });
      assert.equal(well.code, 0);
      assert.deepEqual(well.of('roll-ups'), [
        'ok: llm_metrics/sums keeps sums for 3640 days, llm_metrics calls for 90 days',
      ]);
      assert.match(
        well.of('ledger')[0] ?? '',
        /0 hours and 0 days are summed up in llm_metrics.sums/,
      );
      await dispatch(['setup', 'influxdb', '--retention', 'infinite'], io);
      const ends = await examine(own, { args });
      assert.match(ends.of('roll-ups')[0] ?? '', /^warning: .* calls for ever: sums do not stay/);
    } finally {
      await influx.stop();
    }
  });

  it('lists what waits for another destination, and sends it to this one when asked to', async function () {
    requireServer(this, 'influxd');
    const influx = await startInfluxd({ databases: ['llm_metrics'] });
    const directory = join(folder, 'spool');
    const url = 'http://127.0.0.1:1';
    const away = { url, bucket: 'llm_metrics', spool: { directory }, timeoutMs: 500 };
    const env = { INFLUX_URL: influx.url, TOKEN_METER_SPOOL_DIRECTORY: directory };
    try {
      const before = new InfluxUsageProcessor(away);
      for (let i = 0; i < 5; i++) before.onEmit(logOf(usageRecord(Date.now())));
      await before.shutdown();
      const listed = await examine(env, { cwd: folder, args: ['--no-write'] });
      assert.match(
        listed.of('backlog')[0] ?? '',
        /^warning: 5 lines .* wait for llm_metrics at http:\/\/127\.0\.0\.1:1, .*--send-backlog/,
      );
      const sent = await examine(env, { cwd: folder, args: ['--no-write', '--send-backlog'] });
      assert.match(sent.of('backlog')[0] ?? '', /^ok: 5 lines .* 1 files moved/);
      const now = new InfluxUsageProcessor({ ...away, url: influx.url });
      await until(() => now.status().delivered === 5);
      await now.shutdown();
      const after = await examine(env, { cwd: folder, args: ['--no-write'] });
      assert.deepEqual(after.of('backlog'), []);
    } finally {
      await influx.stop();
    }
  });

  it('sees a missing bucket of 2.x and a full 3 Core', async () => {
    const admin = await InfluxAdmin.start();
    const env = { INFLUX_URL: admin.url, INFLUX_ORG: 'acme', INFLUX_TOKEN: 'secret' };
    const missing = await examine(env, { cwd: folder, args: ['--no-write'] });
    assert.match(missing.of('bucket')[0] ?? '', /^problem: .*setup influxdb makes it/);
    await admin.stop();
    const server = createServer((request, response) => {
      const isPing = request.url === '/ping';
      if (!isPing && request.url?.startsWith('/api/v3/configure') !== true) response.writeHead(404);
      response.end(
        isPing
          ? '{"version":"3.6.0"}'
          : JSON.stringify(['a', 'b', 'c', 'd', 'e'].map((name) => ({ 'iox::database': name }))),
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const full = await examine(
      { INFLUX_URL: `http://127.0.0.1:${port}`, INFLUX_TOKEN: 't' },
      { cwd: folder, args: ['--no-write'] },
    );
    assert.match(full.of('database')[0] ?? '', /^problem: .*takes no more than 5/);
    server.closeAllConnections();
    server.close();
  });

  it('reaches InfluxDB through a proxy and by its own authority', async () => {
    const admin = await InfluxAdmin.start();
    admin.buckets.push({
      id: '0000000000000001',
      orgID: '00000000000000aa',
      name: 'llm',
      retentionRules: [],
    });
    const tls = (name: string): string => join(ROOT, 'test/fixtures/tls', name);
    const server = createHttps(
      { key: readFileSync(tls('server.key')), cert: readFileSync(tls('server.pem')) },
      (incoming, response) => {
        const { url = '/', method, headers } = incoming;
        const upstream = request(admin.url + url, { method, headers }, (answer) => {
          response.writeHead(answer.statusCode ?? 502, answer.headers);
          answer.pipe(response);
        });
        incoming.pipe(upstream);
      },
    ).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as { port: number };
    const proxy = await ForwardProxy.start();
    proxy.hosts.set('influx.test', '127.0.0.1');
    const env = {
      INFLUX_URL: `https://influx.test:${port}`,
      INFLUX_ORG: 'acme',
      INFLUX_BUCKET: 'llm',
      INFLUX_TOKEN: 'secret',
      TOKEN_METER_SPOOL: 'false',
      TOKEN_METER_INFLUX_PROXY_URL: proxy.url,
      TOKEN_METER_INFLUX_CA_FILE: tls('ca.pem'),
    };
    try {
      const well = await examine(env, { cwd: folder, args: ['--no-write'] });
      assert.match(well.of('influxdb')[0] ?? '', /^ok: https:\/\/influx\.test:\d+ answers, 2\.7/);
      assert.equal(well.of('bucket')[0], 'ok: llm of acme keeps records for ever');
      assert.ok(proxy.requests.every((line) => line === `CONNECT influx.test:${port}`));
      const { TOKEN_METER_INFLUX_CA_FILE: _, ...without } = env;
      const untrusted = await examine(without, { cwd: folder, args: ['--no-write'] });
      assert.match(
        untrusted.of('influxdb')[0] ?? '',
        /^problem: .* is not reachable: .*certificate/,
      );
      const wrong = { ...env, TOKEN_METER_INFLUX_CA_FILE: join(folder, 'none.pem') };
      const missing = await examine(wrong, { cwd: folder, args: ['--no-write'] });
      assert.match(
        missing.of('influxdb')[0] ?? '',
        /^problem: .*caFile must be a file of PEM text/,
      );
    } finally {
      server.closeAllConnections();
      server.close();
      await proxy.stop();
      await admin.stop();
    }
  });

  it('shows what a running instance holds in memory only, and what others took over', async () => {
    const path = join(folder, 'settings.json');
    const store = new FileSettingsStore({ path });
    const service = new SettingsService({
      schema: metricsSettings,
      store,
      instance: {
        name: 'chat',
        details: () => ({
          exporter: { state: 'failing', dropped: {}, volatile: 7, handedOver: 3 },
        }),
      },
    });
    await service.start();
    try {
      await until(async () => (await store.instances()).length > 0);
      const env = { TOKEN_METER_SETTINGS_STORE: 'file', TOKEN_METER_SETTINGS_PATH: path };
      const { of } = await examine(env, { cwd: folder });
      assert.match(
        of('instance')[0] ?? '',
        /^warning: chat on .*7 records in memory only: .*3 .*taken over/,
      );
    } finally {
      await service.close();
    }
  });

  it('reaches a collector by each protocol, and not one that is away', async () => {
    const receiver = await startOtlpReceiver();
    const env = { TOKEN_METER_PROVIDER: 'otlp' };
    for (const [protocol, endpoint] of [
      ['http/protobuf', receiver.httpUrl],
      ['http/json', receiver.httpUrl],
      ['grpc', receiver.grpcUrl],
    ] as const) {
      const target = {
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint,
      };
      const runs = protocol === 'http/protobuf' ? runProcess : runHere;
      const { code, of } = await examine({ ...env, ...target }, { runs });
      assert.equal(code, 0, protocol);
      for (const signal of ['traces', 'metrics', 'logs']) {
        assert.match(of(`otlp ${signal}`)[0] ?? '', /^ok: /);
      }
    }
    const endpoint = receiver.httpUrl;
    await receiver.close();
    const { code, of } = await examine({ ...env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint });
    assert.equal(code, 1);
    assert.match(of('otlp traces')[0] ?? '', /^problem: .*(?:ECONNREFUSED|closed)/);
  });

  it('reaches a collector that standard variables name, as the preload does', async () => {
    const receiver = await startOtlpReceiver();
    try {
      const env = {
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
        OTEL_METRICS_EXPORTER: 'prometheus',
        OTEL_LOGS_EXPORTER: 'none',
      };
      const { code, of } = await examine(env, { runs: runHere });
      assert.equal(code, 0);
      assert.match(of('otlp traces')[0] ?? '', /^ok: .*takes exports/);
      assert.match(of('otlp metrics')[0] ?? '', /^ok: goes to the exporter prometheus$/);
      assert.deepEqual([...of('otlp logs'), ...of('records')], []);
      const explicit = await examine(
        { ...env, TOKEN_METER_PROVIDER: 'console' },
        { runs: runHere },
      );
      assert.match(explicit.of('records')[0] ?? '', /one line per call/);
      assert.deepEqual(explicit.of('otlp traces'), []);
    } finally {
      await receiver.close();
    }
  });

  it('says what disables the preload or the instrumentation', async () => {
    const named = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'otel-token-meter' };
    const { code, of } = await examine(named, { runs: runHere });
    assert.equal(code, 1);
    assert.match(of('start')[0] ?? '', /OTEL_NODE_DISABLED_INSTRUMENTATIONS names it/);
    const off = { OTEL_INSTRUMENTATION_TOKEN_METER_ENABLED: 'false' };
    assert.match((await examine(off, { runs: runHere })).of('switch')[0] ?? '', /disabled/);
  });

  it('asks Redis for settings and instances', async function () {
    requireServer(this, 'redis-server');
    const redis = await startRedis();
    const env = { REDIS_URL: redis.url, TOKEN_METER_SETTINGS_STORE: 'redis' };
    try {
      const { code, of } = await examine(env, { runs: runProcess });
      assert.equal(code, 0);
      assert.match(of('settings')[0] ?? '', /^ok: Redis: version 0/);
      assert.match(of('instances')[0] ?? '', /^note: none running/);
    } finally {
      await redis.stop();
    }
    const { code, of } = await examine(env);
    assert.equal(code, 1);
    assert.match(of('settings')[0] ?? '', /^problem: /);
  });

  it('speaks plainly without --json', async () => {
    const plain = await runProcess([], { TOKEN_METER_SETTINGS_STORE: 'memory' });
    assert.equal(plain.code, 0);
    assert.match(plain.stdout, /^ok {2}node +v\d+/);
    assert.match(plain.stdout, /Calls are metered and recorded/);
    const help = await runHere(['--help'], {});
    assert.equal(help.code, 0);
    assert.match(help.stdout, /Exits with 1/);
  });
});
