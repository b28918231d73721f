import assert from 'node:assert/strict';
import type { Redis } from 'ioredis';
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
    await until(() => b.version === 1, 1000);
    await b.patch({ enabled: null }, { ifVersion: 1 });
    await until(() => a.version === 2, 1000);
    await assert.rejects(a.patch({ enabled: false }, { ifVersion: 1 }));
    assert.equal((await a.audit()).length, 2);
    await until(async () => (await b.instances()).length === 2);
  });
});
