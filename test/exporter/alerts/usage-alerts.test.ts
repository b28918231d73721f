import assert from 'node:assert/strict';
import { type AlertRule, checkAlertRules } from '../../../exporter/alerts/alert-rule.ts';
import { type UsageAlert, UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import type { UsageQuery, UsageSummary } from '../../../exporter/ledger/usage-query.ts';

interface Call {
  readonly atMs: number;
  readonly user: string;
  readonly totalTokens?: number;
}

/** A ledger in memory that answers the two shapes of query the rules ask. */
function ledger(calls: Call[]): { summary(query: UsageQuery): Promise<UsageSummary> } {
  const numbers = (some: readonly Call[]) => {
    const known = some.flatMap((call) => call.totalTokens ?? []);
    return {
      calls: some.length,
      errors: 0,
      aborted: 0,
      errorRate: 0,
      abortRate: 0,
      unpricedCalls: 0,
      partialCostCalls: 0,
      countedCalls: known.length,
      durationMs: 0,
      ...(known.length > 0 && { totalTokens: known.reduce((a, b) => a + b, 0) }),
    };
  };
  return {
    async summary({ from, to, groupBy = [] }) {
      const hits = calls.filter((call) => call.atMs >= +from && call.atMs < +to);
      const users = groupBy[0] === 'user' ? [...new Set(hits.map((call) => call.user))] : [];
      return {
        from: from.toISOString(),
        to: to.toISOString(),
        groupBy,
        total: numbers(hits),
        rows: users.map((user) => ({ user, ...numbers(hits.filter((c) => c.user === user)) })),
      };
    },
  };
}

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
  let calls: Call[] = [];
  let told: UsageAlert[] = [];
  const watch = (rules: AlertRule[], isRecording = true): UsageAlerts =>
    new UsageAlerts({
      rules,
      reader: ledger(calls),
      onAlert: (alert) => told.push(alert),
      isRecording: () => isRecording,
      now: () => now,
    });

  beforeEach(() => {
    now = START;
    calls = [];
    told = [];
  });

  it('tells each level once as a user climbs, and the way back when the window has rolled on', async () => {
    const alerts = watch([burn]);
    calls.push({ atMs: START - 1000, user: 'ann', totalTokens: 99 });
    await alerts.evaluate();
    assert.deepEqual(told, []);

    calls.push({ atMs: START - 900, user: 'ann', totalTokens: 1 });
    calls.push({ atMs: START - 900, user: 'bob', totalTokens: 50 });
    await alerts.evaluate();
    await alerts.evaluate();
    assert.deepEqual(
      told.map(({ key, level, previousLevel, value, threshold }) => [
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
      told.map(({ level }) => level),
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
    assert.deepEqual(told, []);
    await watch([silence]).evaluate();
    assert.deepEqual(
      told.map(({ level, noData, key }) => [level, noData, key]),
      [['alert', true, null]],
    );
  });

  it('takes unknown tokens for unknown, not for zero or for a breach', async () => {
    calls.push({ atMs: START - 1000, user: 'ann' });
    await watch([{ ...burn, by: 'all' }]).evaluate();
    assert.deepEqual(told, []);
  });

  it('keeps its levels while the store does not answer, and says so', async () => {
    calls.push({ atMs: START - 1000, user: 'ann', totalTokens: 500 });
    const store = ledger(calls);
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
      reader: ledger(calls),
      now: () => now,
      onAlert() {
        throw new Error('host fault');
      },
    });
    await alerts.evaluate();
    assert.equal(alerts.status().active.length, 1);
    await alerts.close();
  });
});

describe('checkAlertRules', () => {
  const wrong: [string, Partial<AlertRule>][] = [
    ['metric', { metric: 'euros' as never }],
    ['windowMs', { windowMs: 10 }],
    ['warning', { warning: Number.NaN }],
    ['alert', { alert: 50 }],
    ['by', { by: 'planet' as never }],
    ['whenNoData', { whenNoData: 'panic' as never }],
    ['name', { name: '' }],
  ];
  for (const [key, change] of wrong) {
    it(`refuses a wrong ${key}, naming it`, () => {
      assert.throws(() => checkAlertRules([{ ...burn, ...change }]), {
        code: 'INVALID_OPTION',
        message: new RegExp(`alert rule: ${key} must be`),
      });
    });
  }

  it('refuses two rules of one name and a rule that can never fire', () => {
    assert.throws(() => checkAlertRules([burn, burn]), /name must be a unique/);
    assert.throws(
      () => checkAlertRules([{ name: 'x', metric: 'calls', windowMs: HOUR }]),
      /warning must be given/,
    );
  });
});
