import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import { stateName } from '../../../exporter/alerts/alert-state.ts';
import { MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';
import { until } from '../../support/until.ts';

const HOUR = 3_600_000;
const START = Date.parse('2026-11-24T00:00:00Z');
const rule: AlertRule = {
  name: 'burn "安"\n',
  metric: 'totalTokens',
  by: 'user',
  windowMs: HOUR,
  warning: 100,
  alert: 200,
};

describe('alert states under attack', () => {
  let now: number;
  let calls: LedgerCall[];
  let reported: UsageAlert[];
  let states: MemoryAlertStates;
  const start = (onAlert: (alert: UsageAlert) => unknown = () => undefined): UsageAlerts =>
    new UsageAlerts({
      rules: [rule],
      reader: alertLedger(calls),
      states,
      now: () => now,
      onAlert: (alert) => {
        reported.push(alert);
        return onAlert(alert);
      },
    });

  beforeEach(() => {
    now = START;
    calls = [{ atMs: START - 1, user: 'ann', totalTokens: 500 }];
    reported = [];
    states = new MemoryAlertStates();
  });

  it('are replaced where they are no states, whatever they hold', async () => {
    const name = stateName(rule.name, 'ann');
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      fc.constantFrom(
        '',
        '{"revision":1}',
        '{"revision":1e999}',
        '{"revision":5,"alert":null}',
        '{"revision":5,"alert":{"level":"panic"}}',
        '{"revision":5,"pending":{"alert":"soon"}}',
        '{"revision":5,"owed":{}}',
        '{"revision":5,"owed":{"until":0,"alerts":[null]}}',
        '{"__proto__":{"revision":5}}',
      ),
    );
    await fc.assert(
      fc.asyncProperty(text, async (before) => {
        reported = [];
        states = new MemoryAlertStates();
        await states.swap([
          { name, before: undefined, after: before },
          { name: 'of a later release', before: undefined, after: before },
          { name: '["unfinished', before: undefined, after: before },
        ]);
        const alerts = start();
        await alerts.evaluate();
        await alerts.evaluate();
        assert.deepEqual(
          reported.map(({ level }) => level),
          ['alert'],
        );
        assert.equal(alerts.status().lastError, undefined);
        assert.equal((await states.read()).get('of a later release'), before);
      }),
      { numRuns: 200 },
    );
  });

  it('are not turned back by a clock that runs behind', async () => {
    await start().evaluate();
    now = START - 60_000;
    calls.splice(0);
    await start().evaluate();
    assert.equal(reported.length, 1);
    now = START + 1;
    await start().evaluate();
    assert.deepEqual(
      reported.map(({ level }) => level),
      ['alert', 'ok'],
    );
  });

  it('are not held up for ever by a clock that was years ahead', async () => {
    now = Date.parse('2036-01-01T00:00:00Z');
    calls = [{ atMs: now - 1, user: 'ann', totalTokens: 500 }];
    await start().evaluate();
    now = START;
    calls = [];
    await start().evaluate();
    assert.deepEqual(
      reported.map(({ level }) => level),
      ['alert', 'ok'],
    );
  });

  it('deliver in order while a receiver is slow and the level changes on', async () => {
    const releases: (() => void)[] = [];
    const alerts = start(() => new Promise<void>((resolve) => releases.push(resolve)));
    for (const tokens of [150, 250, 0, 150]) {
      now += 1000;
      calls.splice(0, calls.length, { atMs: now - 1, user: 'ann', totalTokens: tokens });
      await alerts.evaluate();
    }
    assert.equal(reported.length, 1);
    assert.equal(alerts.status().undelivered, 4);
    await until(() => {
      for (const release of releases.splice(0)) release();
      return reported.length === 4;
    });
    await until(() => {
      for (const release of releases.splice(0)) release();
      return alerts.status().undelivered === 0;
    });
    assert.deepEqual(
      reported.map(({ level }) => level),
      ['warning', 'alert', 'ok', 'warning'],
    );
    assert.equal(new Set(reported.map(({ id }) => id)).size, 4);
    await alerts.close();
  });

  it('keep at most twenty undelivered changes of one key, and count the rest', async () => {
    const alerts = start(() => false);
    for (let i = 0; i < 30; i++) {
      now += 1000;
      calls.splice(0, calls.length, { atMs: now - 1, user: 'ann', totalTokens: i % 2 ? 0 : 500 });
      await alerts.evaluate();
    }
    assert.equal(alerts.status().undelivered, 20);
    assert.equal(alerts.status().dropped, 10);
  });

  it('end with a close in the middle of a round, even if a receiver never answers', async () => {
    const alerts = start(() => new Promise(() => undefined));
    const round = alerts.evaluate();
    await alerts.close();
    await round;
    await alerts.evaluate();
  });
});
