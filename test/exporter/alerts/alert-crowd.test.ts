import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { alertLedger } from '../../support/alert-ledger.ts';
import { until } from '../../support/until.ts';

describe('alerts of a crowd', () => {
  it('reach a channel at the pace of its queue, and share their changes of states', async () => {
    const now = Date.parse('2026-11-24T00:00:00Z');
    const calls = Array.from({ length: 450 }, (_, index) => ({
      atMs: now - 1,
      user: `user ${index}`,
      totalTokens: 500,
    }));
    const got = new Set<string | null>();
    let sending = 0;
    let most = 0;
    let swaps = 0;
    const memory = new MemoryAlertStates();
    const alerts = new UsageAlerts({
      rules: [{ name: 'r', metric: 'totalTokens', by: 'user', windowMs: 3_600_000, alert: 100 }],
      reader: alertLedger(calls),
      now: () => now,
      states: {
        read: async () => await memory.read(),
        async swap(changes) {
          swaps += 1;
          await sleep(2);
          return await memory.swap(changes);
        },
      },
      channels: [
        {
          name: 'slow',
          maxQueued: 50,
          async send({ key }) {
            sending += 1;
            most = Math.max(most, sending);
            await sleep(5);
            sending -= 1;
            assert.ok(!got.has(key));
            got.add(key);
          },
        },
      ],
    });
    await alerts.evaluate();
    await until(() => alerts.status().undelivered === 0);
    assert.equal(got.size, 450);
    assert.equal(most, 50);
    assert.ok(swaps < 100, `${swaps} changes of the store`);
    await alerts.close();
  });
});
