import assert from 'node:assert/strict';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { OpenAI } from 'openai';
import {
  createTokenMeterInstrumentation,
  flush,
  shutdown,
  type TokenMeterInstrumentation,
  type TokenMeterOptions,
  type UsageRecord,
} from '../src/index.ts';
import { properties } from './support/config-properties.ts';
import { startTelemetry, type TestTelemetry } from './support/telemetry.ts';
import { chatBareStream, chatPlain } from './support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from './support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const REQUEST = {
  model: 'gpt-4o',
  user: 'alice',
  messages: [{ role: 'user' as const, content: 'When is high tide?' }],
};

describe('an instrumentation that an SDK sets up', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let client: OpenAI;
  let made: TokenMeterInstrumentation[] = [];
  let records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  });
  beforeEach(() => {
    records = [];
    telemetry.reset();
    server.play(chatPlain(WIRE));
  });
  afterEach(() => {
    for (const instrumentation of made) instrumentation.disable();
    made = [];
  });
  after(async () => {
    await telemetry.close();
    await server.close();
  });

  function create(options: TokenMeterOptions = {}): TokenMeterInstrumentation {
    const onUsage = (record: UsageRecord): number => records.push(record);
    const instrumentation = createTokenMeterInstrumentation({ onUsage, ...options });
    instrumentation.instrument('openai', OpenAI);
    made.push(instrumentation);
    return instrumentation;
  }

  async function call(): Promise<void> {
    await client.chat.completions.create(REQUEST);
    await flush();
  }

  const declare = (instrumentation: TokenMeterInstrumentation, block: object): void =>
    instrumentation.setConfigProvider({
      getInstrumentationConfig: (name) =>
        properties(name === 'otel-token-meter' ? { ...block } : undefined),
    });

  it('takes over its block, for calls that begin from then on', async () => {
    const instrumentation = create();
    await call();
    declare(instrumentation, { request_identity: 'never', metric_names: 'latest' });
    await call();
    assert.deepEqual(
      records.map(({ userId }) => userId),
      ['alice', undefined],
    );
    const names = (await telemetry.metrics()).map(({ descriptor }) => descriptor.name);
    assert.ok(names.includes('gen_ai.client.token.usage'));
    assert.ok(names.includes('gen_ai.client.inference.duration'), names.join(', '));
    assert.equal(telemetry.spans().length, 2);
  });

  it('prefers its options to the block, and reports what is wrong in it', async () => {
    const warnings: string[] = [];
    const listen = (warning: Error): number => warnings.push(warning.message);
    process.on('warning', listen);
    const instrumentation = create({ requestIdentity: 'plain' });
    declare(instrumentation, {
      request_identity: 'never',
      counting: 'sometimes',
      capture_contents: true,
    });
    await call();
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', listen);
    assert.equal(records[0]?.userId, 'alice');
    const [warning = ''] = warnings;
    assert.match(
      warning,
      /configuration of the OpenTelemetry SDK: instrumentation\/development\.js\.otel-token-meter\.counting is "sometimes"; allowed: missing, always, never/,
    );
    assert.match(
      warning,
      /capture_contents; allowed: no such key \(did you mean capture_content\?/,
    );
  });

  it('keeps its switches, and a call that runs', async () => {
    const instrumentation = create();
    server.play({ ...chatBareStream(WIRE), held: '' });
    const stream = await client.chat.completions.create({ ...REQUEST, stream: true });
    await stream[Symbol.asyncIterator]().next();
    instrumentation.applySettings({ tokenStatistics: false });
    declare(instrumentation, { request_identity: 'never' });
    assert.deepEqual(instrumentation.settings, { enabled: true, tokenStatistics: false });
    server.play(chatPlain(WIRE));
    await call();
    await shutdown();
    assert.deepEqual(
      records.map(({ userId, outcome, inputTokens }) => [
        userId,
        outcome,
        inputTokens !== undefined,
      ]),
      [
        [undefined, 'ok', false],
        ['alice', 'aborted', true],
      ],
    );
    stream.controller.abort();
  });

  it('decides on records that were held before', async () => {
    const instrumentation = create();
    instrumentation.applySettings({ hold: true });
    await call();
    declare(instrumentation, { request_identity: 'never' });
    await call();
    assert.deepEqual([records.length, instrumentation.held.held], [0, 2]);
    instrumentation.applySettings({ enabled: true, hold: false });
    assert.equal(records.length, 2);
  });

  it('is disabled by its block, until it is enabled', async () => {
    const instrumentation = create();
    declare(instrumentation, { enabled: false });
    assert.equal(instrumentation.isEnabled(), false);
    await call();
    assert.equal(records.length, 0);
    instrumentation.enable();
    await call();
    assert.equal(records.length, 1);
  });

  it('is not hurt by a provider that throws or has nothing', async () => {
    const instrumentation = create();
    instrumentation.setConfigProvider({
      getInstrumentationConfig() {
        throw new Error('not ready');
      },
    });
    declare(instrumentation, {});
    await call();
    assert.equal(records.length, 1);
  });

  it('is disabled and enabled again by hand and by the function that registering returns', async () => {
    const instrumentation = create();
    const counts: number[] = [];
    const count = async (): Promise<void> => {
      await call();
      counts.push(records.length);
    };
    instrumentation.disable();
    await count();
    instrumentation.enable();
    await count();
    const unregister = registerInstrumentations({ instrumentations: [instrumentation] });
    await count();
    unregister();
    await count();
    registerInstrumentations({ instrumentations: [instrumentation] });
    // As with others: registering enables only what was created with `enabled: false`.
    assert.equal(instrumentation.isEnabled(), false);
    instrumentation.enable();
    await count();
    assert.deepEqual(counts, [0, 1, 2, 2, 3]);
  });

  it('meters after enable(), created with enabled: false', async () => {
    const instrumentation = create({ enabled: false });
    await call();
    instrumentation.enable();
    await call();
    assert.deepEqual([records.length, instrumentation.settings.enabled], [1, true]);
  });

  it('leaves a switch that the operator has set to enable()', async () => {
    const instrumentation = create({ enabled: false });
    instrumentation.applySettings({ enabled: false });
    instrumentation.enable();
    await call();
    assert.equal(records.length, 0);
    process.env['TOKEN_METER_ENABLED'] = 'false';
    try {
      create().enable();
      await call();
    } finally {
      delete process.env['TOKEN_METER_ENABLED'];
    }
    assert.equal(records.length, 0);
  });
});
