import assert from 'node:assert/strict';
import { settingsRoutes } from '../../example-app/routes/settings.ts';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import { asAdmin, serveApp } from '../support/app.ts';
import { patchStorm } from '../support/patch-storm.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { startFleet } from '../support/settings-fleet.ts';
import { until } from '../support/until.ts';

// The small sister of test/slow/settings-fleet.test.ts.
describe('settings of a fleet', () => {
  let server: TestServer;

  before(function () {
    requireServer(this, 'redis-server');
  });

  beforeEach(async () => {
    server = await startRedis();
  });

  afterEach(async () => {
    await server.stop();
  });

  it('reach 20 instances in 2 processes, each change once and in order', async () => {
    const fleet = await startFleet({ url: server.url, processes: 2, perProcess: 10 });
    const admin = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url: server.url }),
      lastKnownGoodPath: false,
    });
    try {
      for (let i = 1; i <= 5; i++) {
        await admin.patch({ enabled: i % 2 === 0 });
        await until(() => fleet.appliedAt(i).size === 20);
      }
      for (const { id, version, settings } of await fleet.states()) {
        assert.deepEqual([version, settings.enabled], [5, false], id);
        const times = [1, 2, 3, 4, 5].map((each) => fleet.appliedAt(each).get(id) ?? 0);
        assert.deepEqual(
          times,
          times.toSorted((a, b) => a - b),
        );
      }
    } finally {
      await admin.close();
      await fleet.close();
    }
  });

  it('let one of two administrators win who change them at two instances at once', async () => {
    const services = [1, 2].map(
      () =>
        new SettingsService({
          schema: metricsSettings,
          store: new RedisSettingsStore({ url: server.url }),
          lastKnownGoodPath: false,
        }),
    );
    await Promise.all(services.map((each) => each.start()));
    const apps = await Promise.all(
      services.map((settings) => serveApp({ routes: settingsRoutes({ settings }) })),
    );
    try {
      for (let round = 0; round < 10; round++) {
        await until(() => services.every(({ version }) => version === round));
        const { enabled, token_statistics } = services[0]!.get();
        const patches = [{ enabled: !enabled }, { token_statistics: !token_statistics }];
        const answers = await Promise.all(
          patches.map((patch, i) =>
            fetch(`${apps[i]!.origin}/api/settings/metrics`, {
              method: 'PATCH',
              headers: { ...asAdmin, 'content-type': 'application/json', 'if-match': `"${round}"` },
              body: JSON.stringify(patch),
            }),
          ),
        );
        const statuses = answers.map(({ status }) => status);
        assert.deepEqual(new Set(statuses), new Set([200, 412]));
      }
    } finally {
      await Promise.all(apps.map((app) => app.close()));
      await Promise.all(services.map((each) => each.close()));
    }
  });

  it('raise the version strictly under 400 PATCHes at once, and log each change', async () => {
    await patchStorm(server.url, 400);
  });
});
