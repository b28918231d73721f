import assert from 'node:assert/strict';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import type { ReachedBudgetShare } from '../../../exporter/alerts/budget-alerts.ts';
import { type AlertStateStore, MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-11-24T00:00:00Z');
const rule: AlertRule = {
  name: 'burn',
  metric: 'totalTokens',
  by: 'user',
  windowMs: HOUR,
  alert: 100,
};
const root = { by: 'root' };

describe('mutes, while a receiver is away, and of budgets', () => {
  let now: number;
  let isUp: boolean;
  let calls: LedgerCall[];
  let attempts: string[];
  let states: AlertStateStore;
  const watch = (rules: readonly AlertRule[] = [rule]): UsageAlerts =>
    new UsageAlerts({
      rules,
      reader: alertLedger(calls),
      states,
      now: () => now,
      onAlert({ level, id }) {
        attempts.push(`${level} ${id}`);
        return isUp;
      },
    });
  const use = (totalTokens: number): number =>
    calls.push({ atMs: now - 1, user: 'ann', totalTokens });
  const levels = (): (string | undefined)[] => attempts.map((line) => line.split(' ')[0]);
  /** A round after the lease of whoever was sending. */
  const later = async (alerts: UsageAlerts, byMs = 3 * MINUTE): Promise<void> => {
    now += byMs;
    await alerts.evaluate();
    await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    now = START;
    isUp = false;
    calls = [];
    attempts = [];
    states = new MemoryAlertStates();
  });

  it('hold what is owed, and report it with its id at their end if it is still there', async () => {
    const alerts = watch();
    use(500);
    await later(alerts, 0);
    await alerts.mute('burn', new Date(now + 20 * MINUTE), root);
    isUp = true;
    attempts = [];
    for (let round = 0; round < 4; round++) await later(alerts);
    assert.deepEqual(attempts, []);
    const [active] = alerts.status().active;
    await later(alerts, 10 * MINUTE);
    assert.deepEqual(attempts, [`alert ${active?.id}`]);
    await until(() => alerts.status().undelivered === 0);
    await later(alerts);
    assert.equal(attempts.length, 1);
  });

  it('drop what is over meanwhile, and nobody has heard of', async () => {
    const alerts = watch();
    use(500);
    await later(alerts, 0);
    await alerts.mute('burn', new Date(now + 10 * HOUR), root);
    isUp = true;
    attempts = [];
    await later(alerts, HOUR);
    await later(alerts);
    await later(alerts, 10 * HOUR);
    assert.deepEqual(attempts, []);
    assert.equal(alerts.status().undelivered, 0);
  });

  it('let the end of what was reported through when its receiver is back', async () => {
    const alerts = watch();
    isUp = true;
    use(500);
    await later(alerts, 0);
    await until(() => alerts.status().undelivered === 0);
    isUp = false;
    await alerts.mute('burn', new Date(now + 10 * HOUR), root);
    await later(alerts, HOUR);
    use(500);
    await later(alerts);
    attempts = [];
    isUp = true;
    await later(alerts);
    await later(alerts);
    assert.deepEqual(levels(), ['ok']);
  });

  describe('of a budget', () => {
    const share = (of: number): ReachedBudgetShare => ({
      id: 'b1',
      key: { user: 'ann' },
      share: of,
      unit: 'usd',
      limit: 10,
      spent: of * 10,
      // A window begins every five hours.
      resetsAt: new Date(
        START + (Math.floor((now - START) / (5 * HOUR)) + 1) * 5 * HOUR,
      ).toISOString(),
    });
    const reach = async (alerts: UsageAlerts, of: number): Promise<void> => {
      const before = alerts.history().length;
      alerts.reportBudget(share(of));
      await until(() => alerts.history().length > before);
      await until(() => alerts.status().undelivered === 0);
    };
    beforeEach(() => {
      isUp = true;
    });

    it('hold its shares back on every instance until their end', async () => {
      const one = watch([]);
      await one.evaluate();
      await reach(one, 0.5);
      const two = watch([]);
      await two.mute('budget b1', new Date(now + HOUR), root);
      await one.evaluate();
      await reach(one, 0.8);
      await reach(one, 1);
      assert.deepEqual(levels(), ['warning']);
      const [active] = one.status().active;
      assert.deepEqual([active?.level, active?.isMuted], ['alert', true]);
      await later(one, HOUR);
      await later(two, 0);
      assert.deepEqual(attempts.slice(1), [`alert ${active?.id}`]);
      await later(one, 5 * HOUR);
      assert.deepEqual(levels(), ['warning', 'alert', 'ok']);
    });

    it('can be ended, say nothing of a window that came and went, and need a known name', async () => {
      const alerts = watch([]);
      await alerts.evaluate();
      const at = new Date(now + 20 * HOUR);
      await assert.rejects(alerts.mute('budget b1', at, root), { code: 'INVALID_OPTION' });
      await reach(alerts, 0.5);
      await alerts.mute('budget b1', at, root);
      await later(alerts, 5 * HOUR);
      assert.deepEqual(levels(), ['warning', 'ok']);
      await reach(alerts, 0.5);
      await later(alerts, 5 * HOUR);
      assert.deepEqual(levels(), ['warning', 'ok']);
      await alerts.unmute('budget b1', root);
      assert.deepEqual(alerts.status().active, []);
    });
  });
});
