import assert from 'node:assert/strict';
import { type HeldRecord, HeldRecords } from '../../src/usage/held-records.ts';

describe('records whose switch is not known yet', () => {
  let nowMs: number;
  let emitted: string[];
  let dropped: string[];
  let held: HeldRecords;

  const call = (id: string, startedAtMs: number, durationMs = 10): HeldRecord =>
    ({ record: { id }, ended: { startedAtMs, durationMs } }) as unknown as HeldRecord;

  beforeEach(() => {
    nowMs = 1000;
    emitted = [];
    dropped = [];
    held = new HeldRecords({
      emit: ({ record }, { tokenStatistics }) =>
        void emitted.push(`${record.id}${tokenStatistics ? '' : ' without tokens'}`),
      drop: ({ record }) => void dropped.push(record.id),
      nowMs: () => nowMs,
    });
  });

  it('concern nobody as long as nothing is held', () => {
    assert.equal(held.concerns(call('a', 1000).ended), false);
    held.decide(() => ({ enabled: false, tokenStatistics: true }));
    assert.equal(held.isHolding, false);
  });

  it('wait in order and are emitted, dropped or emitted without tokens as is decided', () => {
    for (const [enabled, tokenStatistics] of [
      [true, true],
      [true, false],
      [false, true],
    ] as const) {
      held.hold();
      held.take(call('a', nowMs));
      held.take(call('b', nowMs));
      assert.deepEqual(held.status.held, 2);
      held.decide(() => ({ enabled, tokenStatistics }));
      assert.equal(held.status.held, 0);
    }
    assert.deepEqual(emitted, ['a', 'b', 'a without tokens', 'b without tokens']);
    assert.deepEqual(dropped, ['a', 'b']);
    assert.equal(held.status.dropped, 2);
  });

  it('are decided one by one', () => {
    held.hold();
    for (const id of ['a', 'b']) held.take(call(id, nowMs));
    held.decide(({ id }) => ({ enabled: id === 'b', tokenStatistics: false }));
    assert.deepEqual([emitted, dropped], [['b without tokens'], ['a']]);
  });

  it('include calls that run across the decision, and none that start after it', () => {
    held.hold();
    nowMs = 2000;
    held.decide(() => ({ enabled: false, tokenStatistics: true }));
    const across = call('across', 1500, 1000);
    assert.ok(held.concerns(across.ended));
    held.take(across);
    assert.deepEqual(dropped, ['across']);
    assert.equal(held.concerns(call('after', 2001).ended), false);
    assert.equal(held.concerns(call('reported late', 1200).ended), false);
  });

  it('are bounded: the oldest goes first, and is counted', () => {
    held.hold();
    for (let i = 0; i < 5002; i++) held.take(call(String(i), nowMs));
    assert.deepEqual(held.status, { held: 5000, dropped: 2 });
    assert.deepEqual(dropped, ['0', '1']);
  });
});
