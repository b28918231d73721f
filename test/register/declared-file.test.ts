import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { attributesOf, startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp, type AppRun } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const app = (name: string): string => fileURLToPath(new URL(`./apps/${name}`, import.meta.url));
const shipped = readFileSync(new URL('../../otel.config.yaml', import.meta.url), 'utf8');

const providers = (endpoint: string): string => `
tracer_provider:
  processors: [{ simple: { exporter: { otlp_http: { endpoint: '${endpoint}/v1/traces' } } } }]
logger_provider:
  processors: [{ simple: { exporter: { otlp_http: { endpoint: '${endpoint}/v1/logs' } } } }]
meter_provider:
  readers:
    - periodic:
        interval: 60000
        timeout: 5000
        exporter: { otlp_http: { endpoint: '${endpoint}/v1/metrics' } }
`;

/** OTEL_CONFIG_FILE: the SDK's own blocks and ours in one file. */
describe('a declarative configuration file', () => {
  let server: WireServer;
  let receiver: OtlpReceiver;
  let folder: string;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-declared-'));
  });
  afterEach(async () => {
    await receiver.close();
    rmSync(folder, { recursive: true });
  });
  after(() => server.close());

  const run = async (name: string, yaml: string, node: readonly string[] = []): Promise<AppRun> => {
    const config = join(folder, 'otel.config.yaml');
    writeFileSync(config, yaml);
    return await runApp(app(name), {
      node,
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        OTEL_CONFIG_FILE: config,
        OTEL_SERVICE_NAME: 'tides',
        TOKEN_METER_PROVIDER: 'none',
        TOKEN_METER_SETTINGS_STORE: 'memory',
      },
    });
  };

  const received = (): Record<string, unknown> => ({
    signals: [...new Set(receiver.requests.map(({ signal }) => signal))].toSorted(),
    services: [
      ...new Set(
        receiver.requests.map(({ body }) => {
          const [first] = body.resourceSpans ?? body.resourceLogs ?? body.resourceMetrics;
          return attributesOf(first.resource.attributes)['service.name'];
        }),
      ),
    ],
    metrics: receiver.requests
      .filter(({ signal }) => signal === 'metrics')
      .flatMap(({ body }) => body.resourceMetrics)
      .flatMap((resource) => resource.scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .map(({ name }) => String(name))
      .toSorted(),
  });
  const everything = {
    signals: ['logs', 'metrics', 'traces'],
    services: ['tides'],
    metrics: ['gen_ai.client.operation.duration', 'gen_ai.client.token.usage', 'token_meter.cost'],
  };

  // With a file the SDK never hands its MeterProvider to the instrumentations.
  it('serves traces, metrics and ledger under plain startNodeSdk', async () => {
    const { err, code } = await run(
      'chat-declared.mjs',
      `${shipped}${providers(receiver.httpUrl)}`,
    );
    assert.deepEqual([err, code], ['', 0]);
    assert.deepEqual(received(), everything);
  });

  it('starts the SDK it describes in register mode', async () => {
    const { err, code } = await run('chat.mjs', `${shipped}${providers(receiver.httpUrl)}`, [
      '--import',
      'otel-token-meter/register',
    ]);
    assert.deepEqual([err, code], ['', 0]);
    assert.deepEqual(received(), everything);
  });

  it('is accepted with our block under the name of the scope, and disables us', async () => {
    const named = shipped.replace(
      'token_meter:\n      counting: missing',
      'otel-token-meter:\n      enabled: ${METERED:-false}\n      counting: missing',
    );
    assert.notEqual(named, shipped);
    const yaml = `${named}${providers(receiver.httpUrl)}`;
    for (const node of [[], ['--import', 'otel-token-meter/register']]) {
      const name = node.length === 0 ? 'chat-declared.mjs' : 'chat.mjs';
      const { err, code } = await run(name, yaml, node);
      assert.deepEqual([err, code, receiver.requests.length], ['', 0, 0]);
    }
    const { err, code } = await run('chat-declared.mjs', yaml.replace('METERED:-false', 'X:-true'));
    assert.deepEqual([err, code], ['', 0]);
    assert.deepEqual(received(), everything);
  });

  it('is accepted as it is shipped, and takes our blocks from it', async () => {
    const { err, code } = await run(
      'chat-declared.mjs',
      shipped.replace('counting: missing', 'counting: sometimes'),
    );
    assert.equal(code, 0);
    assert.match(
      err,
      /otel\.config\.yaml:\d+: instrumentation\/development\.js\.token_meter\.counting is "sometimes"; allowed: missing, always, never/,
    );
    assert.doesNotMatch(err, /Could not/);
  });
});
