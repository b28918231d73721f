import assert from 'node:assert/strict';
import { Cluster, type Redis } from 'ioredis';
import { RedisSettingsStore, SettingsService, metricsSettings } from '../../src/settings/index.ts';
import { RedisServices } from '../support/redis-services.ts';
import { requireServer, startRedis } from '../support/servers.ts';
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
    const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
    const nodes = [
      await redis.started(startRedis(cluster)),
      await redis.started(startRedis(cluster)),
    ];
    const [first, second] = nodes.map((node) => redis.clientOf(node)) as [Redis, Redis];
    await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await second.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await first.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[1]!.port));
    for (const client of [first, second]) {
      await until(async () => String(await client.cluster('INFO')).includes('cluster_state:ok'));
    }
    const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
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
