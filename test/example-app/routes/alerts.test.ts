import assert from 'node:assert/strict';
import { alertHistory, alertsState, channelTest } from '../../../example-app/routes/alerts-wire.ts';
import { alertRoutes } from '../../../example-app/routes/alerts.ts';
import { TokenMeterError } from '../../../src/errors.ts';
import { alertReceiver, type AlertReceiverServer } from '../../support/alert-receiver.ts';
import { asAdmin, asViewer, type ServedApp, serveApp } from '../../support/app.ts';
import { type AppAlerts, appAlerts } from '../../support/running-alerts.ts';
import { until } from '../../support/until.ts';

describe('routes of /api/alerts', () => {
  let app: ServedApp;
  let running: AppAlerts;
  let receiver: AlertReceiverServer;
  const call = async (
    path: string,
    {
      headers = asAdmin as Record<string, string>,
      body,
      method = 'GET',
    }: {
      headers?: Record<string, string>;
      body?: object;
      method?: string;
    } = {},
  ): Promise<Response> =>
    await fetch(`${app.origin}/api/alerts${path}`, {
      method: body === undefined ? method : 'POST',
      headers: { ...headers, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    });
  const state = async () => alertsState.parse(await (await call('')).json());
  const history = async () => alertHistory.parse(await (await call('/history')).json()).entries;

  before(async () => {
    receiver = await alertReceiver();
    running = await appAlerts({ slackUrl: receiver.url, publicUrl: 'https://meter.example' });
    app = await serveApp({ routes: alertRoutes({ alerts: () => running.alerts }) });
  });
  after(async () => {
    await app.close();
    await running.close();
    receiver.close();
  });

  it('show rules, what is active, and channels, without their secrets', async () => {
    const answer = await call('', { headers: asViewer });
    const text = await answer.text();
    assert.ok(!text.includes('secret-path'));
    const { rules, active, channels } = alertsState.parse(JSON.parse(text));
    assert.deepEqual(
      rules.map(({ name, kind, window_ms: windowMs }) => [name, kind, windowMs]),
      [
        ['hour', 'threshold', 3_600_000],
        ['month', 'forecast', undefined],
      ],
    );
    const [alert] = active;
    assert.deepEqual([alert?.key, alert?.value, alert?.rule_id], ['ann', 500, rules[0]?.id]);
    assert.deepEqual(
      channels.map(({ name }) => name),
      ['slack'],
    );
  });

  it('list a budget once it has alerts, to mute it', async () => {
    running.alerts.reportBudget({
      id: 'per-user',
      key: { user: 'bob' },
      share: 0.8,
      unit: 'usd',
      limit: 3,
      spent: 2.4,
      resetsAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    await until(async () => (await state()).active.some(({ kind }) => kind === 'budget'));
    const budget = async () => (await state()).rules.find(({ kind }) => kind === 'budget');
    const { id, name, metric: of, by } = (await budget())!;
    assert.deepEqual([name, of, by], ['budget per-user', 'costUsd', 'user']);
    assert.equal((await call(`/${id}/mute`, { body: { minutes: 60 } })).status, 200);
    assert.equal((await budget())?.muted?.by, 'ada');
    assert.equal((await call(`/${id}/mute`, { method: 'DELETE' })).status, 204);
    assert.equal((await budget())?.muted, undefined);
  });

  it('mute a rule by its id or that of an alert, and end the mute', async () => {
    const { rules, active } = await state();
    for (const id of [rules[0]?.id, active[0]?.id]) {
      const muted = await call(`/${id}/mute`, { body: { minutes: 60, note: 'load test' } });
      assert.equal(muted.status, 200);
      const { until, by } = (await muted.json()) as { until: string; by: string };
      assert.equal(by, 'ada');
      assert.ok(Math.abs(Date.parse(until) - Date.now() - 3_600_000) < 60_000);
      const shown = await state();
      assert.equal(shown.rules[0]?.muted?.note, 'load test');
      assert.equal(shown.active[0]?.is_muted, true);
      assert.equal((await call(`/${id}/mute`, { method: 'DELETE' })).status, 204);
      assert.equal((await state()).rules[0]?.muted, undefined);
    }
    const [unmuted, muted] = await history();
    assert.deepEqual([unmuted?.event, muted?.event], ['unmuted', 'muted']);
    assert.deepEqual([muted?.actor, muted?.note, muted?.rule], ['ada', 'load test', 'hour']);
  });

  it('acknowledge an active alert', async () => {
    const { active } = await state();
    const path = `/${active[0]?.id}/acknowledge`;
    assert.equal((await call(path, { body: { note: 'on it' } })).status, 204);
    const { by, note } = (await state()).active[0]?.acknowledged ?? {};
    assert.deepEqual([by, note], ['ada', 'on it']);
    const [entry] = await history();
    assert.deepEqual([entry?.event, entry?.key, entry?.level], ['acknowledged', 'ann', 'alert']);
  });

  it('send a sample through every channel, and show what came back', async () => {
    receiver.answers.push({ status: 404, body: 'no_service' });
    const answer = await call('/test', { method: 'POST' });
    const { channels } = channelTest.parse(await answer.json());
    assert.deepEqual(channels, [
      { name: 'slack', result: 'refused', detail: 'HTTP 404', answer: 'no_service' },
    ]);
    assert.match(receiver.received.at(-1)?.body ?? '', /This is a test of the alert channel/);
  });

  it('refuse viewers, wrong bodies and unknown ids', async () => {
    const { rules } = await state();
    const path = `/${rules[0]?.id}/mute`;
    const status = async (...of: Parameters<typeof call>) => (await call(...of)).status;
    assert.equal(await status(path, { headers: asViewer, body: { minutes: 5 } }), 403);
    assert.equal(await status(path, { headers: asViewer, method: 'DELETE' }), 403);
    assert.equal(await status('/x/acknowledge', { headers: asViewer, body: {} }), 403);
    assert.equal(await status('/test', { headers: asViewer, method: 'POST' }), 403);
    assert.equal(await status('', { headers: {} }), 401);
    for (const body of [{}, { minutes: 0 }, { minutes: 1e9 }, { minutes: 5, note: 'a\nb' }]) {
      assert.equal(await status(path, { body }), 422, JSON.stringify(body));
    }
    assert.equal(await status('/nothing/mute', { body: { minutes: 5 } }), 404);
    assert.equal(await status('/nothing/mute', { method: 'DELETE' }), 404);
    assert.equal(await status('/nothing/acknowledge', { body: {} }), 404);
    assert.equal(await status('/history?limit=0'), 422);
  });

  it('mute a budget by its alert, and answer 404 where it is over', async () => {
    running.alerts.reportBudget({
      id: 'b1',
      key: { user: 'ann' },
      share: 0.8,
      unit: 'usd',
      limit: 10,
      spent: 8,
      resetsAt: new Date(Date.now() + 3_600_000).toISOString(),
    });
    const budget = async () => (await state()).active.find(({ kind }) => kind === 'budget');
    await until(async () => (await budget()) !== undefined);
    const path = `/${(await budget())?.id}/mute`;
    assert.equal((await call(path, { body: { minutes: 5 } })).status, 200);
    assert.equal((await budget())?.is_muted, true);
    assert.equal((await call(path, { method: 'DELETE' })).status, 204);
    assert.equal((await budget())?.is_muted, false);
    const over = await serveApp({
      routes: alertRoutes({
        alerts: () => ({ ...running.alerts, ruleOfAlert: async () => 'budget of another' }),
      }),
    });
    const answer = await fetch(`${over.origin}/api/alerts/x/mute`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json' },
      body: '{"minutes":5}',
    });
    assert.equal(answer.status, 404);
    await over.close();
  });

  it('answer 503 while the store is away, without its words', async () => {
    const away = await serveApp({
      routes: alertRoutes({
        alerts: () => ({
          ...running.alerts,
          acknowledge: async () => {
            throw new TokenMeterError('STORE_UNAVAILABLE', 'redis://secret-host is away');
          },
        }),
      }),
    });
    const answer = await fetch(`${away.origin}/api/alerts/x/acknowledge`, {
      method: 'POST',
      headers: { ...asAdmin, 'content-type': 'application/json' },
      body: '{}',
    });
    assert.equal(answer.status, 503);
    assert.equal(answer.headers.get('retry-after'), '5');
    assert.ok(!(await answer.text()).includes('secret-host'));
    await away.close();
  });

  it('are empty without rules', async () => {
    const none = await serveApp({ routes: alertRoutes({ alerts: () => undefined }) });
    const get = async (path: string): Promise<unknown> =>
      await (await fetch(`${none.origin}/api/alerts${path}`, { headers: asAdmin })).json();
    assert.deepEqual(await get(''), { rules: [], active: [], undelivered: 0, channels: [] });
    assert.deepEqual(await get('/history'), { entries: [] });
    await none.close();
  });
});
