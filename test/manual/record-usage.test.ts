import assert from 'node:assert/strict';
import { flush, meterChat, recordUsage, TokenMeterInstrumentation } from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';

const MESSAGES = [{ role: 'user', content: 'How often does the tide come in?' }];

describe('recordUsage', () => {
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;

  before(() => {
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation();
  });
  beforeEach(() => telemetry.reset());
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
  });

  it('counts what is not given and emits it like any call', async () => {
    const timestamp = new Date('2026-11-01T12:00:00Z');
    const record = await recordUsage({
      userId: 'alice',
      model: 'gpt-4o',
      provider: 'openai',
      messages: MESSAGES,
      responseText: 'The tide comes in twice a day.',
      conversationId: 'c-1',
      executionTimeMs: 1500,
      timestamp,
      responseId: 'r-1',
      attributes: { team: 'sea' },
    });
    assert.partialDeepStrictEqual(record, {
      userId: 'alice',
      conversationId: 'c-1',
      provider: 'openai',
      requestModel: 'gpt-4o',
      responseId: 'r-1',
      durationMs: 1500,
      inputTokens: 15,
      outputTokens: 8,
      tokenSource: 'counted',
      outcome: 'ok',
      attributes: { team: 'sea' },
    });
    assert.ok(record?.time.startsWith('2026-11-01T12:00:00.000'));
    const [span] = telemetry.spans();
    assert.equal(span?.name, 'chat gpt-4o');
    assert.equal(span?.startTime[0], timestamp.getTime() / 1000 - 2);
    assert.equal(telemetry.events().length, 1);
  });

  it('takes given counts as they are, and leaves the unknown absent', async () => {
    assert.partialDeepStrictEqual(
      await recordUsage({ model: 'm', inputTokens: 0, outputTokens: 4 }),
      { inputTokens: 0, outputTokens: 4, totalTokens: 4, tokenSource: 'provider' },
    );
    const parts = { cacheReadTokens: 20, cacheWriteTokens: 5, reasoningTokens: 3 };
    assert.partialDeepStrictEqual(
      await recordUsage({ model: 'm', inputTokens: 36, outputTokens: 9, ...parts }),
      { ...parts, totalTokens: 45 },
    );
    const bare = await recordUsage({ model: 'm' });
    assert.deepEqual(
      Object.keys(bare ?? {}).filter((key) => /token/i.test(key)),
      [],
    );
  });

  it('makes the record of the call it is told in', async () => {
    const chat = meterChat(async (_input: { user_id: string; model: string }) => {
      await recordUsage({ model: 'inner', inputTokens: 3, outputTokens: 4 });
      return 'Twice a day.';
    });
    await chat({ user_id: 'alice', model: 'outer' });
    await flush();
    assert.deepEqual(
      telemetry.spans().map(({ name, attributes }) => [name, attributes['user.id']]),
      [['chat inner', 'alice']],
    );
  });

  it('marks a failed call', async () => {
    assert.partialDeepStrictEqual(await recordUsage({ model: 'm', errorType: 'Timeout' }), {
      outcome: 'error',
      errorType: 'Timeout',
    });
  });

  it('never throws, whatever it is given', async () => {
    const circular: Record<string, unknown> = { role: 'user' };
    circular['content'] = [circular];
    const hostile = new Proxy(
      {},
      {
        get() {
          throw new Error('no');
        },
      },
    );
    for (const input of [
      undefined,
      null,
      7,
      'text',
      hostile,
      { model: 7 },
      { model: 'gpt-4o', messages: [circular, null, 5, hostile] },
      { model: 'gpt-4o', inputTokens: -1, outputTokens: Number.NaN, timestamp: 'never' },
      { model: 'gpt-4o', messages: 'one text', executionTimeMs: 'soon' },
    ]) {
      await assert.doesNotReject(() => recordUsage(input as never));
    }
    await flush();
  });

  it('takes a number for a model, and nothing for none', async () => {
    for (const [model, recorded] of [
      [7, '7'],
      ['', 'unknown'],
      [{}, 'unknown'],
    ]) {
      const record = await recordUsage({ model, provider: '' } as never);
      assert.equal(record?.requestModel, recorded);
      assert.equal(record?.provider, 'unknown');
    }
  });

  it('gives nothing while metering is off', async () => {
    instrumentation.applySettings({ enabled: false });
    assert.equal(await recordUsage({ model: 'm', inputTokens: 1 }), undefined);
    instrumentation.applySettings({ enabled: true });
    assert.equal(telemetry.spans().length, 0);
  });
});
