import assert from 'node:assert/strict';
import { Cluster } from 'ioredis';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import { RedisServices } from '../support/redis-services.ts';
import { requireServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

describe('settings in a Redis cluster', () => {
  const redis = new RedisServices();

  before(function () {
    requireServer(this, 'redis-server');
  });

  afterEach(async () => {
    await redis.close();
  });

  it('works on a cluster, each key where its slot is', async () => {
    const { url, nodes } = await redis.cluster(2);
    const [a, b] = [await redis.service(url), await redis.service(url)];
    await a.patch({ enabled: false }, { actor: 'ada' });
    await until(() => b.version === 1);
    await b.patch({ enabled: null }, { ifVersion: 1 });
    await until(() => a.version === 2);
    await assert.rejects(a.patch({ enabled: false }, { ifVersion: 1 }));
    assert.equal((await a.audit()).length, 2);
    await until(async () => (await b.instances()).length === 2);

    const client = new Cluster(nodes.map(({ port }) => ({ host: '127.0.0.1', port })));
    const copied = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ client }),
      lastKnownGoodPath: false,
    });
    await copied.start();
    assert.equal(copied.version, 2, 'connections copied from a client of the application');
    await a.patch({ token_statistics: false });
    await until(() => copied.version === 3);
    await copied.close();
    assert.equal(await client.ping(), 'PONG', 'which is left alone');
    client.disconnect();
  });
});
