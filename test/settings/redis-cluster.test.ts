import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

describe('settings in a Redis cluster', () => {
  const servers: TestServer[] = [];
  const services: SettingsService<MetricsSettings>[] = [];
  const clients: Redis[] = [];

  before(function () {
    requireServer(this, 'redis-server');
  });

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.close()));
    for (const client of clients.splice(0)) client.disconnect();
    await Promise.all(servers.splice(0).map((each) => each.stop()));
  });

  async function started(starting: Promise<TestServer>): Promise<TestServer> {
    const server = await starting;
    servers.push(server);
    return server;
  }

  function clientOf(server: TestServer): Redis {
    const client = new Redis(server.url);
    client.on('error', () => undefined);
    clients.push(client);
    return client;
  }

  async function service(url: string): Promise<SettingsService<MetricsSettings>> {
    const made = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url }),
      lastKnownGoodPath: false,
    });
    services.push(made);
    await made.start();
    assert.equal(made.status.state, 'ready');
    return made;
  }

  it('works on a cluster, each key where its slot is', async () => {
    const cluster = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf'];
    const nodes = [await started(startRedis(cluster)), await started(startRedis(cluster))];
    const [first, second] = nodes.map(clientOf) as [Redis, Redis];
    await first.call('CLUSTER', 'ADDSLOTSRANGE', '0', '8191');
    await second.call('CLUSTER', 'ADDSLOTSRANGE', '8192', '16383');
    await first.call('CLUSTER', 'MEET', '127.0.0.1', String(nodes[1]!.port));
    for (const client of [first, second]) {
      await until(async () => String(await client.cluster('INFO')).includes('cluster_state:ok'));
    }
    const url = `redis+cluster://${nodes.map(({ port }) => `127.0.0.1:${port}`).join(',')}`;
    const [a, b] = [await service(url), await service(url)];
    await a.patch({ enabled: false }, { actor: 'ada' });
    await until(() => b.version === 1, 1000);
    await b.patch({ enabled: null }, { ifVersion: 1 });
    await until(() => a.version === 2, 1000);
    await assert.rejects(a.patch({ enabled: false }, { ifVersion: 1 }));
    assert.equal((await a.audit()).length, 2);
    await until(async () => (await b.instances()).length === 2);
  });
});
