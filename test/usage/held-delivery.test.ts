import assert from 'node:assert/strict';
import { flush, recordUsage, TokenMeterInstrumentation } from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';

describe('a held record and its delivery', () => {
  let telemetry: TestTelemetry;
  let older: TokenMeterInstrumentation;
  let newer: TokenMeterInstrumentation;
  let ofOlder: (number | undefined)[];
  let ofNewer: (number | undefined)[];

  beforeEach(() => {
    telemetry = startTelemetry();
    ofOlder = [];
    ofNewer = [];
    const onUsage = (to: (number | undefined)[]) => ({
      onUsage: ({ inputTokens }: { inputTokens?: number }) => void to.push(inputTokens),
    });
    older = new TokenMeterInstrumentation({ ...onUsage(ofOlder), enabled: false });
    newer = new TokenMeterInstrumentation({ ...onUsage(ofNewer), enabled: false });
  });
  afterEach(async () => {
    older.disable();
    newer.disable();
    await telemetry.close();
  });

  const call = async (): Promise<void> => {
    await recordUsage({ userId: 'alice', model: 'gpt-4o', provider: 'openai', inputTokens: 7 });
    await flush();
  };
  const emitted = (): readonly [spans: number, events: number] => [
    telemetry.spans().length,
    telemetry.events().length,
  ];
  const valuesOf = async (name: string): Promise<readonly unknown[] | undefined> =>
    (await telemetry.metrics())
      .find(({ descriptor }) => descriptor.name === name)
      ?.dataPoints.map(({ value, attributes }) => [value, attributes]);

  it('reaches all its targets once the store says on, once each', async () => {
    newer.applySettings({ hold: true });
    await call();
    assert.deepEqual([newer.held.held, ...emitted(), ofNewer.length], [1, 0, 0, 0]);
    newer.applySettings({ enabled: true, hold: false });
    assert.deepEqual([newer.held.held, ...emitted()], [0, 1, 1]);
    assert.deepEqual([ofOlder, ofNewer], [[], [7]]);
    assert.ok((await valuesOf('gen_ai.client.token.usage'))?.length);
  });

  it('has no tokens where the store says so', async () => {
    newer.applySettings({ tokenStatistics: false, hold: true });
    await call();
    newer.applySettings({ enabled: true, hold: false });
    assert.deepEqual([...emitted(), ofNewer], [1, 1, [undefined]]);
    assert.equal(await valuesOf('gen_ai.client.token.usage'), undefined);
  });

  it('goes nowhere and is counted where the store says off', async () => {
    newer.applySettings({ hold: true });
    await call();
    newer.applySettings({ enabled: false, hold: false });
    assert.deepEqual([newer.held, ...emitted(), ofNewer], [{ held: 0, dropped: 1 }, 0, 0, []]);
    assert.deepEqual(await valuesOf('token_meter.records.dropped'), [
      [1, { reason: 'settings_unknown' }],
    ]);
    await call();
    assert.deepEqual([newer.held.dropped, ...emitted()], [1, 0, 0]);
  });

  it('of one instrumentation delays no other that is known to be on', async () => {
    older.applySettings({ hold: true });
    newer.applySettings({ enabled: true });
    await call();
    assert.deepEqual([...emitted(), ofOlder, ofNewer], [1, 1, [], [7]]);
    older.applySettings({ enabled: true, hold: false });
    assert.deepEqual([...emitted(), ofOlder, ofNewer], [1, 1, [7], [7]]);
  });

  it('of a newer instrumentation takes nothing from an older one that is on', async () => {
    newer.applySettings({ hold: true });
    older.applySettings({ enabled: true });
    await call();
    assert.deepEqual([...emitted(), ofOlder, ofNewer], [1, 1, [7], []], 'nothing waits');
    newer.applySettings({ enabled: false, hold: false });
    assert.deepEqual([...emitted(), ofOlder, ofNewer], [1, 1, [7], []]);
    assert.equal(newer.held.dropped, 1);
    assert.ok((await valuesOf('gen_ai.client.token.usage'))?.length);
    assert.equal(await valuesOf('token_meter.records.dropped'), undefined, 'the record is there');
  });

  it('comes once from an older instrumentation that is on and a newer one that turns out so', async () => {
    newer.applySettings({ hold: true });
    older.applySettings({ enabled: true });
    await call();
    newer.applySettings({ enabled: true, hold: false });
    assert.deepEqual([...emitted(), ofOlder, ofNewer], [1, 1, [7], [7]]);
  });

  for (const [first, second] of [
    ['newer', 'older'],
    ['older', 'newer'],
  ] as const) {
    it(`comes from the ${second} of two when the ${first} one drops it before`, async () => {
      const both = { newer, older };
      for (const each of [newer, older]) each.applySettings({ hold: true });
      await call();
      both[first].applySettings({ enabled: false, hold: false });
      assert.deepEqual(emitted(), [0, 0]);
      both[second].applySettings({ enabled: true, hold: false });
      assert.deepEqual(emitted(), [1, 1]);
      assert.deepEqual([...ofOlder, ...ofNewer], [7]);
    });
  }

  it('is counted as dropped once by what two instrumentations have in common', async () => {
    for (const each of [newer, older]) each.applySettings({ hold: true });
    await call();
    for (const each of [newer, older]) each.applySettings({ enabled: false, hold: false });
    assert.deepEqual(emitted(), [0, 0]);
    assert.deepEqual(await valuesOf('token_meter.records.dropped'), [
      [1, { reason: 'settings_unknown' }],
    ]);
  });
});
