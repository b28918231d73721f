import assert from 'node:assert/strict';
import { diag, DiagLogLevel, type Attributes } from '@opentelemetry/api';
import {
  flush,
  meterChat,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { usageRecordFromLog } from '../../exporter/ledger/usage-event.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';

describe('team and dimensions of a record', () => {
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  const warnings: string[] = [];
  const records: UsageRecord[] = [];

  before(() => {
    telemetry = startTelemetry();
    const quiet = (): void => undefined;
    diag.setLogger(
      {
        verbose: quiet,
        debug: quiet,
        info: quiet,
        error: quiet,
        warn: (message) => warnings.push(message),
      },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    instrumentation = new TokenMeterInstrumentation({
      dimensions: ['feature', 'tenant'],
      metricAttributes: ['token_meter.team', 'token_meter.dimension.feature'],
      onUsage: (record) => records.push(record),
    });
  });
  beforeEach(() => {
    telemetry.reset();
    records.length = 0;
    warnings.length = 0;
  });
  after(async () => {
    instrumentation.disable();
    diag.disable();
    await telemetry.close();
  });

  const call = (input: object = {}): Promise<UsageRecord | undefined> =>
    recordUsage({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1, ...input });

  it('come from nested contexts, dimension by dimension', async () => {
    const record = await withUsageContext(
      { team: 'sea', dimensions: { feature: 'search', tenant: 'acme' } },
      () =>
        withUsageContext(
          { userId: 'ann', dimensions: { feature: 'summary', tenant: undefined } },
          () => call(),
        ),
    );
    assert.partialDeepStrictEqual(record, {
      team: 'sea',
      userId: 'ann',
      dimensions: { feature: 'summary', tenant: 'acme' },
    });
  });

  it('are absent, not empty, where nothing is given', async () => {
    const record = await withUsageContext({ team: '', dimensions: {} }, () =>
      call({ dimensions: { feature: '' } }),
    );
    assert.ok(record !== undefined && !('team' in record) && !('dimensions' in record));
  });

  it('are taken from recordUsage, and from the arguments of meterChat', async () => {
    const recorded = await call({ team: 7, dimensions: { feature: 'search' } });
    assert.partialDeepStrictEqual(recorded, { team: '7', dimensions: { feature: 'search' } });

    const ask = meterChat(async (_request: object) => 'The tide comes in twice a day.', {
      dimensions: { feature: 'place', tenant: ['org.id', 'org'] },
    });
    await ask({ model: 'gpt-4o', team: 'sea', place: 'pier', org: { id: 'acme' } });
    await flush();
    assert.partialDeepStrictEqual(records.at(-1), {
      team: 'sea',
      dimensions: { feature: 'pier', tenant: 'acme' },
    });
    const whole = meterChat(async (_request: object) => 'Twice.', { dimensions: 'labels' });
    await whole({ model: 'gpt-4o', labels: { feature: 'pier', tenant: undefined } });
    await flush();
    assert.deepEqual(records.at(-1)?.dimensions, { feature: 'pier' });
    assert.throws(() => meterChat(() => '', { dimensions: { feature: 7 } as never }), {
      code: 'INVALID_OPTION',
    });
  });

  it('are on span, event and the metrics that opted in, and the event gives them back', async () => {
    const record = await call({
      executionTimeMs: 5,
      team: 'sea',
      dimensions: { feature: 'search', tenant: 'acme' },
      attributes: { 'gen_ai.agent.name': 'guide', 'token_meter.run_id': 'run-7' },
    });
    assert.partialDeepStrictEqual(record, { agentName: 'guide', runId: 'run-7', attributes: {} });
    const expected = {
      'token_meter.team': 'sea',
      'token_meter.dimension.feature': 'search',
      'token_meter.dimension.tenant': 'acme',
      'gen_ai.agent.name': 'guide',
      'token_meter.run_id': 'run-7',
    };
    assert.partialDeepStrictEqual(telemetry.spans()[0]?.attributes, expected);
    const [event] = telemetry.events();
    assert.ok(event !== undefined);
    assert.partialDeepStrictEqual(event.attributes, expected);
    const back = usageRecordFromLog(event as never);
    assert.partialDeepStrictEqual(back, {
      team: 'sea',
      dimensions: { feature: 'search', tenant: 'acme' },
      agentName: 'guide',
      runId: 'run-7',
    });
    assert.deepEqual(back?.attributes, record?.attributes);
    const metrics = await telemetry.metrics();
    assert.ok(metrics.length > 0);
    for (const { dataPoints } of metrics) {
      const attributes = dataPoints.map((point): Attributes => point.attributes);
      assert.ok(attributes.every((one) => !('token_meter.dimension.tenant' in one)));
      assert.ok(
        attributes.some(
          (one) =>
            one['token_meter.team'] === 'sea' && one['token_meter.dimension.feature'] === 'search',
        ),
      );
    }
  });

  it('leave out unknown names and wrong values, and say so once', async () => {
    const wrong = {
      team: { name: 'sea' },
      dimensions: { region: 'north', team: 'sea', feature: true, tenant: 'x'.repeat(300) },
      attributes: { 'token_meter.team': 'forged', 'token_meter.dimension.feature': 'forged' },
    };
    for (let i = 0; i < 3; i++) {
      const record = await call(wrong);
      assert.deepEqual(record?.dimensions, { tenant: 'x'.repeat(256) });
      assert.equal(record?.team, undefined);
      assert.deepEqual(Object.keys(record?.attributes ?? {}), []);
    }
    const [event] = telemetry.events();
    assert.ok(!JSON.stringify(event?.attributes).includes('forged'));
    for (const part of [
      /value of team of type object/,
      /dimension "region" is left out .*: feature, tenant/,
      /"team" is left out .* member beside the dimensions/,
      /value of feature of type boolean/,
      /value of tenant is cut to 256/,
      /"token_meter.team" is left out/,
      /"token_meter.dimension.feature" is left out/,
    ]) {
      assert.equal(warnings.filter((warning) => part.test(warning)).length, 1, String(part));
    }
  });

  it('survive what no object is', async () => {
    const record = await withUsageContext({ dimensions: 'search' as never }, () => call());
    assert.ok(record !== undefined && record.dimensions === undefined);
    assert.equal(warnings.filter((warning) => /dimensions of type string/.test(warning)).length, 1);
  });
});
