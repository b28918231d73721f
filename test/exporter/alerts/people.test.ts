import assert from 'node:assert/strict';
import type { AlertRule } from '../../../exporter/alerts/alert-rule.ts';
import { type AlertStateStore, MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import type { UsageAlert } from '../../../exporter/alerts/usage-alert.ts';
import { UsageAlerts } from '../../../exporter/alerts/usage-alerts.ts';
import type { AlertReceiver } from '../../../exporter/alerts/usage-alerts-options.ts';
import { type LedgerCall, alertLedger } from '../../support/alert-ledger.ts';
import { until } from '../../support/until.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const START = Date.parse('2026-11-24T00:00:00Z');
const burn: AlertRule = {
  name: 'burn',
  metric: 'totalTokens',
  by: 'user',
  windowMs: HOUR,
  warning: 100,
  alert: 200,
};
const root = { by: 'root' };

describe('what people do about alerts', () => {
  let now: number;
  let calls: LedgerCall[];
  let sent: UsageAlert[];
  let states: AlertStateStore;
  const watch = (rule: AlertRule, channels?: readonly AlertReceiver[]): UsageAlerts =>
    new UsageAlerts({
      rules: [rule],
      reader: alertLedger(calls),
      states,
      now: () => now,
      ...(channels ? { channels } : { onAlert: (alert) => void sent.push(alert) }),
    });
  /** The tokens of ann in the current hour. */
  const use = (totalTokens: number): void => {
    now += HOUR;
    calls.push({ atMs: now - 1, user: 'ann', totalTokens });
  };
  const levels = (): string[] => sent.map(({ level, repeat }) => `${level}${repeat ?? ''}`);
  const pass = async (alerts: UsageAlerts, tokens?: number): Promise<void> => {
    if (tokens !== undefined) use(tokens);
    await alerts.evaluate();
    await until(() => alerts.status().undelivered === 0);
  };

  beforeEach(() => {
    now = START;
    calls = [];
    sent = [];
    states = new MemoryAlertStates();
  });

  it('is shared: a mute of one instance holds on all, and what lasts is reported at its end', async () => {
    const one = watch(burn);
    const two = watch(burn);
    await pass(one, 1);
    await one.mute('burn', new Date(now + 90 * MINUTE), { ...root, note: 'load test' });
    await pass(two, 150);
    assert.deepEqual(levels(), []);
    const [active] = two.status().active;
    assert.deepEqual([active?.level, active?.isMuted], ['warning', true]);
    assert.deepEqual(two.status().rules[0]?.muted, {
      until: new Date(START + HOUR + 90 * MINUTE).toISOString(),
      by: 'root',
      at: new Date(START + HOUR).toISOString(),
      note: 'load test',
    });
    await pass(two, 150);
    await pass(two);
    await pass(one);
    assert.deepEqual(levels(), ['warning']);
    assert.equal(sent[0]?.id, active?.id);
    assert.equal(two.status().active[0]?.isMuted, false);
  });

  it('a mute lets the end of what was reported through, and nothing of what was not', async () => {
    const alerts = watch(burn);
    await pass(alerts, 150);
    await alerts.mute('burn', new Date(now + 10 * HOUR), root);
    await pass(alerts, 250);
    await pass(alerts, 1);
    await pass(alerts, 250);
    await pass(alerts, 1);
    assert.deepEqual(levels(), ['warning', 'ok']);
    assert.deepEqual(
      alerts.history().map(({ event, level, actor }) => [event, level ?? actor]),
      [
        ['level', 'ok'],
        ['level', 'alert'],
        ['level', 'ok'],
        ['level', 'alert'],
        ['muted', 'root'],
        ['level', 'warning'],
      ],
    );
  });

  it('keep from a viewer of some teams what was found before a rule was about these', async () => {
    const before = watch({ ...burn, filter: { team: 'zeta' } });
    await pass(before, 150);
    await before.mute('burn', new Date(now + 10 * HOUR), root);
    const after = watch({ ...burn, filter: { team: 'sea' } });
    await after.evaluate();
    assert.equal(after.history().length, 2);
    assert.deepEqual(after.history(['sea']), []);
    assert.deepEqual(after.status(['sea']).active, []);
    assert.deepEqual(
      after.status(['sea']).rules.map(({ rule, muted }) => [rule.name, muted]),
      [['burn', undefined]],
    );
    assert.equal(before.history(['zeta', 'sea']).length, 2);
  });

  it('a mute can be ended, and reports what is there', async () => {
    const alerts = watch(burn);
    await pass(alerts, 1);
    await alerts.mute('burn', new Date(now + 10 * HOUR), root);
    await pass(alerts, 150);
    await alerts.unmute('burn', root);
    await alerts.unmute('burn', root);
    await pass(alerts);
    assert.deepEqual(levels(), ['warning']);
    const events = alerts.history().map(({ event }) => event);
    assert.deepEqual(events, ['unmuted', 'level', 'muted']);
  });

  it('knows the rule of an alert that another instance has reported', async () => {
    const one = watch(burn);
    const two = watch(burn);
    await pass(two);
    await pass(one, 150);
    assert.equal(await two.ruleOfAlert(sent[0]?.id ?? ''), 'burn');
    assert.equal(await two.ruleOfAlert('another'), undefined);
  });

  it('repeats a level that lasts, until somebody acknowledges it', async () => {
    const rule = { ...burn, windowMs: 2 * HOUR, repeatMs: HOUR };
    const alerts = watch(rule);
    await pass(alerts, 150);
    now += HOUR - 1;
    await pass(alerts);
    now += 1;
    calls.push({ atMs: now - 1, user: 'ann', totalTokens: 150 });
    await pass(alerts);
    now += HOUR;
    calls.push({ atMs: now - 1, user: 'ann', totalTokens: 1 });
    await pass(alerts);
    // 300 in the second hour is another level; its repetitions count from one.
    assert.deepEqual(levels(), ['warning', 'alert', 'warning']);
    now += HOUR;
    calls.push({ atMs: now - 1, user: 'ann', totalTokens: 150 });
    await pass(alerts);
    assert.deepEqual(levels().slice(3), ['warning1']);
    const ids = sent.map(({ id }) => id);
    assert.equal(new Set(ids).size, 4);
    assert.equal(new Set(sent.map(({ incident }) => incident)).size, 1);

    const other = watch(rule);
    await other.evaluate();
    assert.equal(await other.acknowledge(ids[2] ?? '', { ...root, note: 'on it' }), true);
    now += HOUR;
    await pass(alerts);
    assert.equal(levels().length, 4);
    assert.deepEqual(alerts.status().active[0]?.acknowledged, {
      by: 'root',
      at: new Date(now - HOUR).toISOString(),
      note: 'on it',
    });
    calls.push({ atMs: now, user: 'ann', totalTokens: 500 });
    now += 1;
    await pass(alerts);
    assert.deepEqual(levels().slice(4), ['alert'], 'a rising level is news');
    assert.equal(alerts.status().active[0]?.acknowledged, undefined);
    assert.equal(await alerts.acknowledge(ids[2] ?? '', root), false);
  });

  it('refuses what cannot be, and changes nothing while the store is away', async () => {
    let isAway = false;
    const memory = new MemoryAlertStates();
    states = {
      read: async () => (isAway ? Promise.reject(new Error('redis://secret-host')) : memory.read()),
      swap: async (changes) => (isAway ? Promise.reject(new Error('away')) : memory.swap(changes)),
    };
    const alerts = watch(burn);
    await pass(alerts, 150);
    const later = new Date(now + HOUR);
    await assert.rejects(alerts.mute('burnt', later, root), { code: 'INVALID_OPTION' });
    await assert.rejects(alerts.mute('burn', new Date(now), root), { code: 'INVALID_OPTION' });
    await assert.rejects(alerts.mute('burn', new Date(NaN), root), { code: 'INVALID_OPTION' });
    isAway = true;
    const isUnavailable = { code: 'STORE_UNAVAILABLE', message: /^alerts: their states/ };
    await assert.rejects(alerts.mute('burn', later, root), isUnavailable);
    await assert.rejects(alerts.unmute('burn', root), isUnavailable);
    const [{ id } = { id: '' }] = alerts.status().active;
    await assert.rejects(alerts.acknowledge(id, root), isUnavailable);
    isAway = false;
    await pass(alerts);
    assert.equal(alerts.status().rules[0]?.muted, undefined);
  });

  it('keeps a mute and the history over a store that comes back empty, and bounds them', async () => {
    const alerts = watch(burn);
    await pass(alerts, 150);
    await alerts.mute('burn', new Date(now + 100 * HOUR), root);
    const entries = await states.read();
    await states.swap([...entries].map(([name, before]) => ({ name, before, after: undefined })));
    await pass(alerts, 150);
    assert.ok(alerts.status().rules[0]?.muted);
    const fresh = watch(burn);
    await fresh.evaluate();
    assert.ok(fresh.status().rules[0]?.muted);
    assert.deepEqual(fresh.history(), alerts.history());
    for (let round = 0; round < 210; round++) await pass(alerts, round % 2 === 0 ? 1 : 250);
    assert.equal(alerts.history().length, 200);
    const kept = (await states.read()).get('history') ?? '';
    assert.equal((JSON.parse(kept) as unknown[]).length, 200);
  });

  it('takes no damage from entries that are none', async () => {
    await states.swap([
      { name: 'history', before: undefined, after: '{"not":"a list"}' },
      { name: '["burn"]', before: undefined, after: '{"revision":1,"muted":{"until":"x"}}' },
    ]);
    const alerts = watch(burn);
    await pass(alerts, 150);
    assert.deepEqual(levels(), ['warning']);
    assert.equal(alerts.history().length, 1);
  });
});

describe('shares of budgets', () => {
  it('are alerts of their account, delivered as others, until the window is over', async () => {
    let now = START;
    let isAway = true;
    const sent: UsageAlert[] = [];
    const memory = new MemoryAlertStates();
    const states: AlertStateStore = {
      read: async () => (isAway ? Promise.reject(new Error('away')) : memory.read()),
      swap: async (changes) => memory.swap(changes),
    };
    const make = (): UsageAlerts =>
      new UsageAlerts({
        rules: [],
        reader: alertLedger([]),
        states,
        onAlert: (alert) => void sent.push(alert),
        now: () => now,
      });
    const alerts = make();
    const budget = {
      id: 'search',
      key: { team: 'search' },
      unit: 'usd',
      limit: 100,
      resetsAt: new Date(START + 10 * HOUR).toISOString(),
    } as const;
    alerts.reportBudget({ ...budget, share: 0.8, spent: 81 });
    await until(() => alerts.status().lastError !== undefined);
    assert.equal(sent.length, 0);
    isAway = false;
    await alerts.evaluate();
    await until(() => sent.length === 1);
    assert.deepEqual(
      [sent[0]?.level, sent[0]?.by, sent[0]?.key, sent[0]?.value, sent[0]?.threshold],
      ['warning', 'team', 'search', 81, 80],
    );
    alerts.reportBudget({ ...budget, share: 1, spent: 101 });
    alerts.reportBudget({ ...budget, key: { team: 'other' }, share: 0.8, spent: 80 });
    await until(() => sent.length === 3);
    assert.deepEqual(
      alerts.status().active.map(({ key, level }) => [key, level]),
      [
        ['search', 'alert'],
        ['other', 'warning'],
      ],
    );
    now = START + 10 * HOUR;
    const other = make();
    await Promise.all([alerts.evaluate(), other.evaluate()]);
    await until(() => sent.length === 5);
    assert.deepEqual(
      sent.slice(3).map(({ level }) => level),
      ['ok', 'ok'],
    );
    assert.equal(new Set(sent.map(({ id }) => id)).size, 5);
    assert.equal(new Set(sent.map(({ incident }) => incident)).size, 2);
    assert.equal(alerts.status().active.length, 0);
    await alerts.close();
    await other.close();
  });
});

describe('several channels', () => {
  const now = START;
  const calls = [{ atMs: now - 1, user: 'ann', totalTokens: 150 }];

  it('confirm each on its own: one that is away makes no other get an alert twice', async () => {
    const states = new MemoryAlertStates();
    const got: Record<string, string[]> = { slack: [], pagerduty: [] };
    let isAway = true;
    const channels: AlertReceiver[] = [
      { name: 'slack', send: async ({ id }) => void got['slack']?.push(id) },
      {
        name: 'pagerduty',
        send: async ({ id }) => {
          if (isAway) return false;
          got['pagerduty']?.push(id);
          return true;
        },
      },
    ];
    const make = (): UsageAlerts =>
      new UsageAlerts({
        rules: [burn],
        reader: alertLedger(calls),
        states,
        channels,
        now: () => now,
      });
    const alerts = make();
    await alerts.evaluate();
    await until(() => got['slack']?.length === 1);
    await alerts.close();
    assert.equal(alerts.status().undelivered, 1);
    const other = make();
    await other.evaluate();
    await other.close();
    isAway = false;
    const last = make();
    await last.evaluate();
    await until(() => last.status().undelivered === 0);
    assert.equal(got['slack']?.length, 1);
    assert.deepEqual(got['pagerduty'], got['slack']);
  });

  it('what was confirmed is not sent again after what followed it, where another one is slow', async () => {
    const states = new MemoryAlertStates();
    const got: string[] = [];
    const slow: ((taken: boolean) => void)[] = [];
    const channels = [
      { name: 'fast', send: ({ level }: UsageAlert) => void got.push(level) },
      { name: 'slow', send: () => new Promise<boolean>((resolve) => slow.push(resolve)) },
    ];
    const reader = alertLedger(calls);
    const make = (): UsageAlerts =>
      new UsageAlerts({ rules: [burn], reader, states, channels, now: () => time });
    let time = now;
    const [one, other] = [make(), make()];
    await one.evaluate();
    await until(() => slow.length === 1);
    time += HOUR;
    await one.evaluate();
    // Within the time that a channel may take for each.
    time += 95_000;
    slow.shift()?.(true);
    await until(() => slow.length === 1);
    time += 35_000;
    await other.evaluate();
    slow.shift()?.(true);
    await until(() => one.status().undelivered === 0);
    assert.deepEqual(got, ['warning', 'ok']);
  });

  it('can be acknowledged on another instance than the one that has reported', async () => {
    const states = new MemoryAlertStates();
    const ids: string[] = [];
    const make = (): UsageAlerts =>
      new UsageAlerts({
        rules: [burn],
        reader: alertLedger(calls),
        states,
        onAlert: ({ id }) => void ids.push(id),
        now: () => now,
      });
    const [one, other] = [make(), make()];
    await one.evaluate();
    assert.equal(await other.acknowledge(ids[0] ?? '', { by: 'ann' }), true);
    await one.evaluate();
    assert.equal(one.status().active[0]?.acknowledged?.by, 'ann');
  });

  it('have names of their own', () => {
    const send = (): boolean => true;
    const rules = [burn];
    for (const names of [['a', 'a'], ['onAlert'], ['']]) {
      const channels = names.map((name) => ({ name, send }));
      assert.throws(() => new UsageAlerts({ rules, reader: alertLedger([]), channels }), {
        code: 'INVALID_OPTION',
      });
    }
  });
});
