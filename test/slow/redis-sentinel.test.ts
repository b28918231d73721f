import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  TokenMeterError,
  metricsSettings,
} from '../../src/settings/index.ts';
import { type TestServer, requireServer, startRedis, startSentinel } from '../support/servers.ts';
import { until } from '../support/until.ts';

const STATE = '{otel-token-meter}:settings';

describe('settings behind Redis Sentinel', () => {
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

  it('finds the new primary by Sentinel, and loses no version', async () => {
    const primary = await started(startRedis());
    const replica = await started(
      startRedis([
        '--replicaof',
        '127.0.0.1',
        String(primary.port),
        '--repl-diskless-sync-delay',
        '0',
      ]),
    );
    const sentinel = await started(startSentinel(primary, 'main'));
    const asked = clientOf(sentinel);
    // Before Sentinel has heard from the replica itself it would not promote it.
    await until(async () => {
      const replicas = String(await asked.call('SENTINEL', 'REPLICAS', 'main'));
      return replicas.includes('master-link-status,ok');
    }, 25_000);
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    const [a, b] = [await service(url), await service(url)];
    await a.patch({ enabled: false });
    await until(() => b.version === 1, 1000);
    const copy = clientOf(replica);
    await until(async () => (await copy.hget(STATE, 'version')) === '1');
    await primary.kill('SIGKILL');
    await until(async () => {
      try {
        await b.patch({ token_statistics: false });
        return true;
      } catch (error) {
        assert.ok(error instanceof TokenMeterError && error.code === 'STORE_UNAVAILABLE');
        return false;
      }
    }, 20_000);
    await until(() => a.version === 2, 5000);
    assert.deepEqual(a.get(), { enabled: false, token_statistics: false });
    assert.equal((await a.audit(1))[0]?.version, 2);
  });
});
