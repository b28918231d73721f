import assert from 'node:assert/strict';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import { type RunningApp, startExampleApp } from '../support/example-app.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

const HELLO = { user_id: 'alice', model: 'gpt-4o', message: 'How often does the tide come in?' };

interface Readiness {
  readonly status: string;
  readonly checks: { readonly settings: { readonly state: string } };
}

// An instance with an empty disk that starts while Redis hangs: it cannot know whether it may record.
describe('the example app while its settings are unknown', function () {
  this.timeout(60_000);
  let redis: TestServer;
  let app: RunningApp | undefined;

  before(function () {
    requireServer(this, 'redis-server');
  });

  beforeEach(async () => {
    redis = await startRedis();
  });

  afterEach(async () => {
    redis.process.kill('SIGCONT');
    await app?.close();
    app = undefined;
    await redis.stop();
  });

  async function decide(enabled: boolean): Promise<void> {
    const settings = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url: redis.url }),
      lastKnownGoodPath: false,
    });
    await settings.start();
    await settings.patch({ enabled: !enabled });
    await settings.patch({ enabled }, { actor: 'ada' });
    await settings.close();
  }

  async function readiness(of: RunningApp): Promise<Readiness> {
    const answer = await fetch(`${of.origin}/readyz`);
    assert.equal(answer.status, 200, 'it stays in the load balancer');
    return (await answer.json()) as Readiness;
  }

  async function records(of: RunningApp): Promise<number> {
    const answer = await of.api('/api/usage/records');
    return ((await answer.json()) as { records: readonly unknown[] }).records.length;
  }

  /** Of the one instance, as it reports to the store. */
  async function held(of: RunningApp): Promise<unknown> {
    const answer = await of.api('/api/settings/metrics/instances');
    if (!answer.ok) return undefined;
    const { instances } = (await answer.json()) as {
      instances: readonly { details?: { held?: unknown } }[];
    };
    return instances[0]?.details?.held;
  }

  for (const enabled of [true, false]) {
    it(`holds its records, and ${enabled ? 'emits' : 'drops'} them once metering turns out ${enabled ? 'on' : 'off'}`, async () => {
      await decide(enabled);
      redis.process.kill('SIGSTOP');
      app = await startExampleApp({ env: { REDIS_URL: redis.url } });
      const of = app;
      const { status, checks } = await readiness(of);
      assert.deepEqual([status, checks.settings.state], ['degraded', 'unknown']);
      for (let i = 0; i < 3; i++) assert.equal((await of.chat(HELLO)).status, 200);
      assert.equal(await records(of), 0);

      redis.process.kill('SIGCONT');
      await until(async () => (await readiness(of)).status === 'ready', 20_000);
      const wanted = { held: 0, dropped: enabled ? 0 : 3 };
      await until(async () => {
        try {
          assert.deepEqual(await held(of), wanted);
          return true;
        } catch {
          return false;
        }
      }, 20_000);
      if (enabled) await until(async () => (await records(of)) === 3);
      await of.chat(HELLO);
      if (enabled) await until(async () => (await records(of)) === 4);
      assert.equal(await of.stop(), 0);
      assert.equal(await of.storedCalls(), enabled ? 4 : 0);
    });
  }

  it('drops what it holds when it ends before anybody knew', async () => {
    await decide(false);
    redis.process.kill('SIGSTOP');
    app = await startExampleApp({ env: { REDIS_URL: redis.url } });
    for (let i = 0; i < 3; i++) await app.chat(HELLO);
    assert.equal(await app.stop(), 0);
    assert.match(app.output(), /records are dropped \(settings_unknown\)/);
    assert.equal(await app.storedCalls(), 0);
  });
});
