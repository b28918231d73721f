import assert from 'node:assert/strict';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const START = Date.parse('2026-11-24T00:00:00Z');

describe('alerts after a clock that was a day ahead', () => {
  let now: number;
  let isUp: boolean;
  let calls: LedgerCall[];
  let sent: UsageAlert[];
  const watch = (rule: Partial<AlertRule> = {}): UsageAlerts =>
    new UsageAlerts({
      rules: [
        {
          name: 'r',
          metric: 'totalTokens',
          by: 'user',
          windowMs: HOUR,
          alert: 100,
          ...rule,
        } as AlertRule,
      ],
      reader: alertLedger(calls),
      now: () => now,
      onAlert(alert) {
        sent.push(alert);
        return isUp;
      },
    });
  const round = async (alerts: UsageAlerts, byMs: number): Promise<void> => {
    now += byMs;
    calls.push({ atMs: now - 1, user: 'ann', totalTokens: 500 });
    await alerts.evaluate();
    await new Promise((resolve) => setImmediate(resolve));
  };

  beforeEach(() => {
    now = START + DAY;
    isUp = true;
    calls = [];
    sent = [];
  });

  it('are delivered again by what is left of the lease', async () => {
    const alerts = watch();
    isUp = false;
    await round(alerts, 0);
    isUp = true;
    now = START;
    await round(alerts, 5 * MINUTE);
    await round(alerts, 5 * MINUTE);
    assert.equal(alerts.status().undelivered, 0);
    assert.deepEqual(
      sent.map(({ level }) => level),
      ['alert', 'alert'],
    );
  });

  it('wait as long as their rule says, from now on', async () => {
    const alerts = watch({ forMs: 2 * MINUTE });
    await round(alerts, 0);
    now = START;
    await round(alerts, MINUTE);
    await round(alerts, MINUTE);
    assert.deepEqual(sent, []);
    await round(alerts, MINUTE);
    assert.equal(sent.length, 1);
  });

  it('are repeated as their rule says', async () => {
    const alerts = watch({ repeatMs: 10 * MINUTE });
    await round(alerts, 0);
    now = START;
    for (let i = 0; i < 3; i++) await round(alerts, 10 * MINUTE);
    assert.deepEqual(
      sent.map(({ repeat }) => repeat),
      [undefined, 1, 2, 3],
    );
  });
});
