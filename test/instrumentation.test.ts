import assert from 'node:assert/strict';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { OpenAI } from 'openai';
import {
  flush,
  meterChat,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../src/index.ts';
import { chatBareStream, chatError, chatPlain, chatStream } from './support/wire/openai-chat.ts';
import { startTelemetry, type TestTelemetry } from './support/telemetry.ts';
import { startWireServer, type WireServer } from './support/wire/wire-server.ts';

const WIRE = {
  model: 'gpt-4o-2024-08-06',
  usage: { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 },
  streamUsage: { usage: { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 } },
};
const REQUEST = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in? <|endoftext|>' }],
};

describe('TokenMeterInstrumentation', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let client: OpenAI;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    assert.ok(instrumentation.instrument('openai', OpenAI));
    client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  });
  beforeEach(async () => {
    await flush();
    records.length = 0;
    telemetry.reset();
    instrumentation.applySettings({ enabled: true, tokenStatistics: true });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  async function stream(): Promise<string> {
    let text = '';
    for await (const chunk of await client.chat.completions.create({ ...REQUEST, stream: true })) {
      text += chunk.choices[0]?.delta.content ?? '';
    }
    return text;
  }

  it('makes one span, one event and metrics of one awaited call', async () => {
    server.play(chatPlain(WIRE));
    const reply = await withUsageContext(
      { userId: 'alice', conversationId: 'c-1', attributes: { team: 'sea' } },
      () => client.chat.completions.create(REQUEST),
    );
    assert.equal(reply.choices[0]?.message.content, 'The tide comes in twice a day.');
    await flush();

    const [record, ...more] = records;
    assert.equal(more.length, 0);
    assert.partialDeepStrictEqual(record, {
      service: 'test-service',
      operation: 'chat',
      provider: 'openai',
      requestModel: 'gpt-4o',
      responseModel: 'gpt-4o-2024-08-06',
      userId: 'alice',
      conversationId: 'c-1',
      inputTokens: 18,
      outputTokens: 9,
      totalTokens: 27,
      tokenSource: 'provider',
      outcome: 'ok',
      costUsd: 0.000135,
      attributes: { team: 'sea' },
    });
    const [span, ...spans] = telemetry.spans();
    assert.equal(spans.length, 0);
    assert.equal(span?.name, 'chat gpt-4o');
    assert.equal(span?.spanContext().spanId, record?.spanId);
    assert.equal(span?.attributes['gen_ai.usage.input_tokens'], 18);
    assert.equal(span?.attributes['user.id'], 'alice');
    const [event, ...events] = telemetry.events();
    assert.equal(events.length, 0);
    assert.equal(event?.eventName, 'gen_ai.client.inference.operation.details');
    assert.equal(event?.attributes['token_meter.record_id'], record?.id);
    const names = (await telemetry.metrics()).map((metric) => metric.descriptor.name);
    assert.ok(names.includes('gen_ai.client.token.usage'), names.join(', '));
    assert.ok(names.includes('gen_ai.client.operation.duration'), names.join(', '));
  });

  it('takes the usage of a stream, and counts one that reports none', async () => {
    server.play(chatStream(WIRE));
    assert.equal(await stream(), 'The tide comes in twice a day.');
    server.play(chatBareStream(WIRE));
    assert.equal(await stream(), 'The tide comes in twice a day.');
    await flush();
    assert.deepEqual(
      records.map(({ inputTokens, outputTokens, tokenSource, outcome }) => ({
        inputTokens,
        outputTokens,
        tokenSource,
        outcome,
      })),
      [
        { inputTokens: 18, outputTokens: 9, tokenSource: 'provider', outcome: 'ok' },
        // 3 for the message, 3 for the reply, 1 for the role; user text is text, whatever it says
        { inputTokens: 22, outputTokens: 8, tokenSource: 'counted', outcome: 'ok' },
      ],
    );
    assert.ok(records[0]?.timeToFirstChunkMs !== undefined);
  });

  it('records errors and streams that are left early', async () => {
    server.play(chatError);
    await assert.rejects(async () => await client.chat.completions.create(REQUEST), {
      status: 429,
    });
    server.play({ ...chatBareStream(WIRE), held: '' });
    for await (const _chunk of await client.chat.completions.create({ ...REQUEST, stream: true })) {
      break;
    }
    await flush();
    assert.deepEqual(
      records.map(({ outcome, errorType }) => ({ outcome, errorType })),
      [
        { outcome: 'error', errorType: 'RateLimitError' },
        { outcome: 'aborted', errorType: undefined },
      ],
    );
    assert.equal(records[0]?.inputTokens, undefined);
    assert.equal(records[1]?.inputTokens, 22);
  });

  it('reads and counts no token while tokenStatistics is off', async () => {
    instrumentation.applySettings({ tokenStatistics: false });
    server.play(chatStream(WIRE));
    await withUsageContext({ userId: 'bob', conversationId: 'c-2' }, stream);
    await flush();
    const [record] = records;
    assert.partialDeepStrictEqual(record, {
      userId: 'bob',
      conversationId: 'c-2',
      requestModel: 'gpt-4o',
      outcome: 'ok',
    });
    assert.ok((record?.durationMs ?? 0) > 0);
    assert.deepEqual(
      Object.keys(record ?? {}).filter((key) => /token|cost/i.test(key)),
      [],
    );
    const attributes = Object.keys(telemetry.spans()[0]?.attributes ?? {});
    assert.deepEqual(
      attributes.filter((key) => /tokens|token_source|cost/.test(key)),
      [],
    );
  });

  it('emits nothing at all while disabled, and switches without a restart', async () => {
    instrumentation.applySettings({ enabled: false });
    server.play(chatPlain(WIRE));
    await client.chat.completions.create(REQUEST);
    await flush();
    assert.deepEqual(
      [records.length, telemetry.spans().length, telemetry.events().length],
      [0, 0, 0],
    );
    instrumentation.applySettings({ enabled: true });
    await client.chat.completions.create(REQUEST);
    await flush();
    assert.equal(records.length, 1);
  });

  it('records the calls of one team alone, or of all but one', async () => {
    const callOf = async (team?: string): Promise<void> => {
      server.play(chatPlain(WIRE));
      await withUsageContext(
        { userId: team ?? 'nobody', ...(team !== undefined && { team }) },
        () => client.chat.completions.create(REQUEST),
      );
    };
    const recorded = async (): Promise<readonly string[]> => {
      for (const team of ['sea', 'land', undefined]) await callOf(team);
      await flush();
      return records
        .splice(0)
        .map(
          ({ userId, totalTokens }) => `${userId}${totalTokens === undefined ? ' without' : ''}`,
        );
    };
    instrumentation.applySettings({ teams: { sea: { enabled: false } } });
    assert.deepEqual(await recorded(), ['land', 'nobody']);
    instrumentation.applySettings({
      enabled: false,
      teams: { sea: { enabled: true, tokenStatistics: false } },
    });
    assert.deepEqual(await recorded(), ['sea without']);
    assert.equal(instrumentation.settings.enabled, false);
    assert.deepEqual(instrumentation.settingsFor({ team: 'sea' }), {
      enabled: true,
      tokenStatistics: false,
    });
    const ask = meterChat(async ({ team }: { team: string }) => ({ model: 'm', response: team }));
    for (const team of ['land', 'sea']) await ask({ team });
    await flush();
    assert.deepEqual(
      records.splice(0).map(({ team }) => team),
      ['sea'],
      'as an argument',
    );
    await recordUsage({ team: 'land', model: 'm', inputTokens: 1, outputTokens: 1 });
    assert.equal(records.length, 0);
    // Names of members of every object are names of teams like others.
    instrumentation.applySettings({ enabled: true, teams: { constructor: { enabled: false } } });
    assert.deepEqual(await recorded(), ['sea', 'land', 'nobody']);
    instrumentation.applySettings({ teams: {} });
  });

  it('follows the switches of its service from the first call, and those of a team before them', async () => {
    const { service } = await recordOfOne();
    instrumentation.applySettings({ services: { [service]: { enabled: false } } });
    assert.equal(await recordOfOne(), undefined);
    const teams = { sea: { enabled: true } };
    instrumentation.applySettings({ teams });
    assert.equal(await recordOfOne(), undefined);
    const record = await withUsageContext({ team: 'sea' }, recordOfOne);
    assert.equal(record?.team, 'sea');
    assert.equal(instrumentation.settingsFor({ service: 'another' }).enabled, true);
    instrumentation.applySettings({ teams: {}, services: {} });

    async function recordOfOne(): Promise<UsageRecord> {
      records.length = 0;
      server.play(chatPlain(WIRE));
      await client.chat.completions.create(REQUEST);
      await flush();
      return records[0] as UsageRecord;
    }
  });

  it('refuses what cannot be switches, by its name, and changes nothing then', async () => {
    const refused: readonly (readonly [unknown, unknown, string])[] = [
      [{ enabled: false, teams: null }, null, 'an object of switches by name'],
      [{ enabled: false, services: ['chat'] }, ['chat'], 'an object of switches by name'],
      [
        { enabled: false, teams: { sea: false } },
        false,
        'an object with enabled and tokenStatistics',
      ],
      [{ enabled: false, teams: { sea: { enabled: 'no' } } }, 'no', 'true, false'],
      [{ enabled: 'no' }, 'no', 'true, false'],
      [{ enabled: false, hold: 1 }, 1, 'true, false'],
      [null, null, 'an object with enabled and tokenStatistics'],
    ];
    for (const [settings, value, allowed] of refused) {
      assert.throws(() => instrumentation.applySettings(settings as never), {
        name: 'TokenMeterError',
        code: 'INVALID_OPTION',
        value,
        allowed,
      });
    }
    assert.equal(instrumentation.settings.enabled, true);
    assert.equal(instrumentation.settingsFor({ team: 'sea' }).enabled, true);
  });

  it('keeps the switches it was made with when an SDK registers it', () => {
    const off = new TokenMeterInstrumentation({ enabled: false });
    const unregister = registerInstrumentations({ instrumentations: [off] });
    assert.equal(off.settings.enabled, false);
    unregister();
  });

  it('names a wrong option, its value and what is allowed', () => {
    assert.throws(() => new TokenMeterInstrumentation({ counting: 'sometimes' as never }), {
      name: 'TokenMeterError',
      code: 'INVALID_OPTION',
      value: 'sometimes',
      allowed: 'missing, always, never',
    });
  });
});
