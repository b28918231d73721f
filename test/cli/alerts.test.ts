import assert from 'node:assert/strict';
import { alertRoutes } from '../../example-app/routes/alerts.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { alertReceiver, type AlertReceiverServer } from '../support/alert-receiver.ts';
import { ADMIN_TOKEN, type ServedApp, serveApp, VIEWER_TOKEN } from '../support/app.ts';
import { type AppAlerts, appAlerts } from '../support/running-alerts.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter alerts', () => {
  let app: ServedApp;
  let running: AppAlerts;
  let receiver: AlertReceiverServer;
  const alerts = async (
    args: readonly string[],
    token = ADMIN_TOKEN,
  ): Promise<{ code: number; out: string; err: string }> => {
    const io = memoryIo({ TOKEN_METER_URL: app.origin, TOKEN_METER_TOKEN: token });
    const code = await dispatch(['alerts', ...args], io);
    assert.doesNotMatch(io.out() + io.err(), /secret-/);
    return { code, out: io.out(), err: io.err() };
  };

  before(async () => {
    receiver = await alertReceiver();
    running = await appAlerts({ slackUrl: receiver.url });
    app = await serveApp({ routes: alertRoutes({ alerts: () => running.alerts }) });
  });
  after(async () => {
    await app.close();
    await running.close();
    receiver.close();
  });

  it('lists, mutes, unmutes and acknowledges', async () => {
    const first = await alerts(['list'], VIEWER_TOKEN);
    assert.equal(first.code, 0);
    assert.match(first.out, /^hour +threshold$/m);
    assert.match(first.out, /^alert_[\w-]{22} +alert +hour +ann +500 +200 +20\d\d/m);
    assert.match(first.err, /^channels: slack \(\d delivered\); undelivered: \d\n$/);
    assert.match((await alerts(['mute', 'hour', '--for', '2h'])).out, /^hour is muted until 20/);
    assert.match((await alerts(['list'])).out, /^hour +threshold +muted until 20.* by ada$/m);
    assert.equal((await alerts(['unmute', 'hour'])).out, 'hour is not muted\n');
    const id = /alert_[\w-]{22}/.exec(first.out)?.[0] ?? '';
    assert.equal((await alerts(['ack', id, '--note', 'on it'])).code, 0);
    assert.match((await alerts(['list'])).out, /by ada$/m);
    const { active } = JSON.parse((await alerts(['list', '--json'])).out) as {
      active: { acknowledged: { note: string } }[];
    };
    assert.equal(active[0]?.acknowledged.note, 'on it');
  });

  it('tests the channels, and fails where one does not take the sample', async () => {
    const good = await alerts(['test']);
    assert.equal(good.code, 0);
    assert.match(good.out, /^slack +delivered +HTTP 200 +ok$/m);
    receiver.answers.push({ status: 403, body: 'action_prohibited' });
    const bad = await alerts(['test']);
    assert.equal(bad.code, 1);
    assert.match(bad.out, /^slack +not delivered +HTTP 403 +action_prohibited$/m);
  });

  it('explains what is wrong', async () => {
    assert.equal((await alerts([])).code, 2);
    assert.equal((await alerts(['mute'])).code, 2);
    assert.equal((await alerts(['toString', 'x'])).code, 2);
    const cases: readonly [readonly string[], RegExp][] = [
      [['mute', 'hour'], /--for is not valid/],
      [['mute', 'hour', '--for', '0m'], /--for is not valid/],
      [['mute', 'day', '--for', '2h'], /there is no such rule.*hour, month/s],
      [['ack', 'nothing'], /404: There is no such/],
    ];
    for (const [args, message] of cases) {
      const { code, err } = await alerts(args);
      assert.equal(code, 1, err);
      assert.match(err, message);
    }
    assert.match((await alerts(['test'], VIEWER_TOKEN)).err, /403/);
  });
});
