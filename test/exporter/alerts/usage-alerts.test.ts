import assert from 'node:assert/strict';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';
import { until } from '../../support/until.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-24T00:00:00Z');
const burn: AlertRule = {
  name: 'burn',
  metric: 'totalTokens',
  by: 'user',
  windowMs: HOUR,
  warning: 100,
  alert: 200,
};

describe('UsageAlerts', () => {
  let now = START;
  let calls: LedgerCall[] = [];
  let reported: UsageAlert[] = [];
  const watch = (rules: AlertRule[], isRecording = true): UsageAlerts =>
    new UsageAlerts({
      rules,
      reader: alertLedger(calls),
      onAlert: (alert) => reported.push(alert),
      isRecording: () => isRecording,
      now: () => now,
    });

  beforeEach(() => {
    now = START;
    calls = [];
    reported = [];
  });

  it('reports each level once as a user climbs, and the way back when the window has rolled on', async () => {
    const alerts = watch([burn]);
    calls.push({ atMs: START - 1000, user: 'ann', totalTokens: 99 });
    await alerts.evaluate();
    assert.deepEqual(reported, []);

    calls.push({ atMs: START - 900, user: 'ann', totalTokens: 1 });
    calls.push({ atMs: START - 900, user: 'bob', totalTokens: 50 });
    await alerts.evaluate();
    await alerts.evaluate();
    assert.deepEqual(
      reported.map(({ key, level, previousLevel, value, threshold }) => [
        key,
        level,
        previousLevel,
        value,
        threshold,
      ]),
      [['ann', 'warning', 'ok', 100, 100]],
    );

    calls.push({ atMs: START - 800, user: 'ann', totalTokens: 150 });
    await alerts.evaluate();
    assert.deepEqual(
      alerts.status().active.map(({ key, level, value }) => [key, level, value]),
      [['ann', 'alert', 250]],
    );

    now = START + HOUR;
    await alerts.evaluate();
    assert.deepEqual(
      reported.map(({ level }) => level),
      ['warning', 'alert', 'ok'],
    );
    assert.deepEqual(alerts.status().active, []);
  });

  it('reports missing data only while recording is on', async () => {
    const silence: AlertRule = {
      name: 'silence',
      metric: 'calls',
      windowMs: HOUR,
      whenNoData: 'alert',
    };
    await watch([silence], false).evaluate();
    assert.deepEqual(reported, []);
    await watch([silence]).evaluate();
    assert.deepEqual(
      reported.map(({ level, noData, key }) => [level, noData, key]),
      [['alert', true, null]],
    );
  });

  it('takes unknown tokens for unknown, not for zero or for a breach', async () => {
    calls.push({ atMs: START - 1000, user: 'ann' });
    await watch([{ ...burn, by: 'all' }]).evaluate();
    assert.deepEqual(reported, []);
  });

  it('keeps its levels while the store does not answer, and says so', async () => {
    calls.push({ atMs: START - 1000, user: 'ann', totalTokens: 500 });
    const store = alertLedger(calls);
    let isDown = false;
    const alerts = new UsageAlerts({
      rules: [burn],
      reader: {
        summary: (query) => (isDown ? Promise.reject(new Error('gone')) : store.summary(query)),
      },
      now: () => now,
    });
    await alerts.evaluate();
    isDown = true;
    now += 2 * HOUR;
    await alerts.evaluate();
    assert.equal(alerts.status().active.length, 1);
    assert.equal(alerts.status().lastError?.message, 'gone');
  });

  it('survives a callback that throws', async () => {
    calls.push({ atMs: START - 1000, user: 'ann', totalTokens: 500 });
    const alerts = new UsageAlerts({
      rules: [burn],
      reader: alertLedger(calls),
      now: () => now,
      onAlert() {
        throw new Error('host fault');
      },
    });
    await alerts.evaluate();
    assert.equal(alerts.status().active.length, 1);
    await alerts.close();
  });

  it('waits for `forMs` before it reports a level, and starts over when the value falls', async () => {
    const alerts = watch([{ ...burn, forMs: 120_000 }]);
    const at = async (ms: number, tokens: number): Promise<void> => {
      now = START + ms;
      calls.splice(0, calls.length, { atMs: now - 1, user: 'ann', totalTokens: tokens });
      await alerts.evaluate();
    };
    await at(0, 150);
    await at(60_000, 250);
    await at(90_000, 90);
    await at(100_000, 150);
    await at(219_000, 250);
    assert.deepEqual(reported, []);
    await at(220_000, 250);
    await at(338_000, 250);
    assert.deepEqual(
      reported.map(({ level, value, time }) => [level, value, Date.parse(time) - START]),
      [['warning', 250, 220_000]],
    );
    await at(339_000, 250);
    await at(340_000, 0);
    assert.deepEqual(
      reported.map(({ level }) => level),
      ['warning', 'alert', 'ok'],
    );
  });

  it('leaves a level only below its threshold less the hysteresis', async () => {
    const alerts = watch([{ ...burn, hysteresis: 0.1 }]);
    for (const tokens of [200, 199, 181, 200, 179.9, 95, 90, 89, 99]) {
      now += 1000;
      calls.splice(0, calls.length, { atMs: now - 1, user: 'ann', totalTokens: tokens });
      await alerts.evaluate();
    }
    assert.deepEqual(
      reported.map(({ level, value }) => [level, value]),
      [
        ['alert', 200],
        ['warning', 179.9],
        ['ok', 89],
      ],
    );
  });

  it('says "at least" where a part of the cost has no price', async () => {
    const rule: AlertRule = { name: 'bill', metric: 'costUsd', windowMs: HOUR, alert: 5 };
    calls.push({ atMs: START - 2, user: 'ann', costUsd: 4 });
    calls.push({ atMs: START - 1, user: 'bob', costUsd: 2, isPartialCost: true });
    const alerts = watch([rule, { ...burn, by: 'all', metric: 'calls', alert: 2, warning: 1 }]);
    await alerts.evaluate();
    assert.deepEqual(
      reported.map(({ rule: name, value, atLeast }) => [name, value, atLeast]),
      [
        ['bill', 6, true],
        ['burn', 2, undefined],
      ],
    );
  });

  it('keeps a level while the calls of the window have no such number', async () => {
    const alerts = watch([{ ...burn, by: 'all' }]);
    calls.push({ atMs: START - 1, user: 'ann', totalTokens: 500 });
    await alerts.evaluate();
    now += HOUR;
    calls.push({ atMs: now - 1, user: 'ann' });
    await alerts.evaluate();
    assert.deepEqual(
      alerts.status().active.map(({ level, value }) => [level, value]),
      [['alert', 500]],
    );
    now += HOUR;
    await alerts.evaluate();
    assert.deepEqual(alerts.status().active, []);
  });

  it('asks again for a user who is no longer among the first thousand', async () => {
    const alerts = watch([burn]);
    calls.push({ atMs: START - 1, user: 'ann', totalTokens: 150 });
    await alerts.evaluate();
    for (let i = 0; i < 1001; i++) {
      calls.push({ atMs: START - 1, user: `user ${i}`, totalTokens: 180 });
    }
    await alerts.evaluate();
    assert.equal(
      reported.find(({ level }) => level === 'ok'),
      undefined,
    );
    calls.splice(0, 1, { atMs: START - 1, user: 'ann', totalTokens: 99 });
    await alerts.evaluate();
    await until(() => alerts.status().undelivered === 0);
    const resolved = reported.filter(({ level }) => level === 'ok');
    assert.deepEqual(
      resolved.map(({ key, value }) => [key, value]),
      [['ann', 99]],
    );
  });

  it('delivers again what was not taken, in order, with the same id, for a day', async () => {
    let isAway = true;
    const taken: string[] = [];
    const alerts = new UsageAlerts({
      rules: [burn],
      reader: alertLedger(calls),
      now: () => now,
      onAlert: async ({ id, level }) => {
        reported.push({ id, level } as UsageAlert);
        if (isAway) throw new Error('no receiver');
        taken.push(level);
        return level !== 'ok';
      },
    });
    calls.push({ atMs: START - 1, user: 'ann', totalTokens: 150 });
    await alerts.evaluate();
    await alerts.evaluate();
    await until(() => reported.length === 2);
    now += HOUR;
    await alerts.evaluate();
    await until(() => reported.length === 3);
    assert.equal(new Set(reported.map(({ id }) => id)).size, 1);
    assert.equal(alerts.status().undelivered, 2);
    isAway = false;
    await alerts.evaluate();
    await until(() => taken.length === 2);
    assert.deepEqual(taken, ['warning', 'ok']);
    await until(() => alerts.status().undelivered === 1);
    now += 86_400_001;
    await alerts.evaluate();
    assert.deepEqual([alerts.status().undelivered, alerts.status().dropped], [0, 1]);
    assert.equal(taken.length, 2);
  });
});
