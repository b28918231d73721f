import assert from 'node:assert/strict';
import { attributesOf, startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { installedApp, type UserApp } from '../support/packed.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const APP = `import OpenAI from 'openai';
const request = { model: 'gpt-4o', user: 'alice', messages: [{ role: 'user', content: 'High tide?' }] };
const chat = new OpenAI().chat.completions;
if (process.argv[2] === 'plain') await chat.create(request);
else {
  for await (const _ of await chat.create({ ...request, stream: true })) if (process.argv[2] === 'break') break;
}
`;
const OURS = 'otel-token-meter/register';
const THEIRS = '@opentelemetry/auto-instrumentations-node/register';

/** Its instrumentation of openai patches the same calls, up to openai 6. */
describe('beside @opentelemetry/auto-instrumentations-node', () => {
  let wire: WireServer;
  let app: UserApp;
  let receiver: OtlpReceiver;
  before(async () => {
    wire = await startWireServer();
    app = await installedApp(['openai@6', '@opentelemetry/auto-instrumentations-node@^0.82.0']);
    await app.write('app.mjs', APP);
  });
  beforeEach(async () => (receiver = await startOtlpReceiver()));
  afterEach(async () => await receiver?.close());
  after(async () => {
    await app?.remove();
    await wire?.close();
  });

  async function run(
    preloads: readonly string[],
    way: 'plain' | 'stream' | 'break',
    env: Readonly<Record<string, string>> = {},
  ) {
    wire.play(way === 'plain' ? chatPlain(WIRE) : chatStream(WIRE));
    const imports = preloads.flatMap((preload) => ['--import', preload]);
    const { code, err } = await app.run('node', [...imports, 'app.mjs', way], {
      OPENAI_BASE_URL: wire.url,
      OPENAI_API_KEY: 'test',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'openai',
      OTEL_NODE_RESOURCE_DETECTORS: 'none',
      TOKEN_METER_SETTINGS_STORE: 'memory',
      ...env,
    });
    assert.equal(code, 0, err);
    const all = <T>(signal: string, list: (body: never) => readonly T[]): readonly T[] =>
      receiver.requests
        .filter((request) => request.signal === signal)
        .flatMap(({ body }) => list(body as never));
    type Scoped = { scopeSpans: { spans: { name: string; attributes: never }[] }[] };
    type Logged = { scopeLogs: { logRecords: { eventName: string; attributes: never }[] }[] };
    const spans = all('traces', ({ resourceSpans }: { resourceSpans: Scoped[] }) =>
      resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)),
    ).filter(({ name }) => name === 'chat gpt-4o');
    const records = all('logs', ({ resourceLogs }: { resourceLogs: Logged[] }) =>
      resourceLogs.flatMap(({ scopeLogs }) => scopeLogs.flatMap((scope) => scope.logRecords)),
    ).filter(({ eventName }) => eventName === 'gen_ai.client.inference.operation.details');
    return {
      err,
      spans: spans.map(({ attributes }) => attributesOf(attributes)),
      records: records.map(({ attributes }) => attributesOf(attributes)),
    };
  }

  for (const preloads of [
    [OURS, THEIRS],
    [THEIRS, OURS],
  ]) {
    for (const way of ['plain', 'stream'] as const) {
      it(`one record and one span: ${preloads.join(', then ')}, ${way}`, async () => {
        const { spans, records, err } = await run(preloads, way);
        assert.deepEqual([spans.length, records.length], [1, 1], err);
        for (const attributes of [spans[0], records[0]]) {
          assert.equal(attributes?.['user.id'], 'alice');
          assert.equal(Number(attributes?.['gen_ai.usage.input_tokens']), 18);
          assert.equal(Number(attributes?.['gen_ai.usage.output_tokens']), 9);
          assert.equal(attributes?.['token_meter.outcome'], 'ok');
        }
      });
    }
  }

  it('one span of a stream that is left, which theirs would never end', async () => {
    const { spans, records } = await run([THEIRS, OURS], 'break');
    assert.deepEqual([spans.length, records.length], [1, 1]);
    assert.equal(spans[0]?.['token_meter.outcome'], 'aborted');
    assert.ok(Number(spans[0]?.['gen_ai.usage.input_tokens']) > 0);
  });

  it('two spans where ours is wanted beside theirs', async () => {
    const env = { TOKEN_METER_NATIVE_SPANS: 'separate' };
    const { spans, records } = await run([THEIRS, OURS], 'plain', env);
    assert.deepEqual([spans.length, records.length], [2, 1]);
  });

  it('one span of ours where theirs is off', async () => {
    const env = {
      OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http',
      OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'openai',
    };
    const { spans, records } = await run([THEIRS, OURS], 'plain', env);
    assert.deepEqual([spans.length, records.length], [1, 1]);
  });

  it('is not affected where its list of enabled ones names us', async () => {
    const env = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'openai,otel-token-meter' };
    const { spans, records, err } = await run([OURS, THEIRS], 'plain', env);
    assert.deepEqual([spans.length, records.length, err], [1, 1, '']);
  });

  it('is left as without us where its list of disabled ones names us', async () => {
    const env = { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'otel-token-meter' };
    // Alone it has no loader hook for ES modules.
    const { spans, records, err } = await run([OURS, THEIRS], 'plain', env);
    assert.deepEqual([spans.length, records.length, err], [0, 0, '']);
  });
});
