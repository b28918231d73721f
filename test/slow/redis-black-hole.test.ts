import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, type Server, type Socket, connect, createServer } from 'node:net';
import { RedisServices } from '../support/redis-services.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

// A firewall that forgets a connection ends it for nobody: bytes go nowhere, and no error comes.
describe('settings behind a network that swallows bytes', () => {
  let redis: TestServer;
  let proxy: Server;
  let pairs: (readonly [Socket, Socket])[];
  const services = new RedisServices();

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await services.started(startRedis());
    pairs = [];
    proxy = createServer((near) => {
      const far = connect(redis.port, '127.0.0.1');
      pairs.push([near, far]);
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        one.on('data', (data) => other.write(data));
        one.on('close', () => other.destroy());
        one.on('error', () => undefined);
      }
    }).listen(0, '127.0.0.1');
    await once(proxy, 'listening');
  });

  after(async () => {
    for (const [near] of pairs) near.destroy();
    proxy?.close();
    await services.close();
  });

  it('finds out within the poll interval, and listens again', async () => {
    const behind = await services.service(
      `redis://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    );
    const admin = await services.service(redis.url);
    await admin.patch({ enabled: false });
    await until(() => behind.version === 1, 1000);
    for (const [near, far] of pairs) {
      near.removeAllListeners('data').resume();
      far.removeAllListeners('data').resume();
    }
    await admin.patch({ enabled: true });
    const begun = performance.now();
    await until(() => behind.version === 2, 19_500);
    console.log(`      after ${((performance.now() - begun) / 1000).toFixed(1)} s`);
    // By push again, not by the next poll: both connections are new.
    await until(async () => {
      const version = (await admin.patch({ enabled: !admin.get().enabled })).version;
      await new Promise((resolve) => setTimeout(resolve, 300));
      return behind.version === version;
    }, 15_000);
    assert.equal(behind.status.state, 'ready');
  });
});
