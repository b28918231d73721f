import assert from 'node:assert/strict';
import { TokenMeterError } from '../../src/settings/index.ts';
import { RedisServices } from '../support/redis-services.ts';
import { requireServer, startRedis, startSentinel } from '../support/servers.ts';
import { until } from '../support/until.ts';

const STATE = '{otel-token-meter}:settings';

describe('settings behind Redis Sentinel', () => {
  const redis = new RedisServices();

  before(function () {
    requireServer(this, 'redis-server');
  });

  afterEach(async () => {
    await redis.close();
  });

  it('finds the new primary by Sentinel, and loses no version', async () => {
    const primary = await redis.started(startRedis());
    const replica = await redis.started(
      startRedis([
        '--replicaof',
        '127.0.0.1',
        String(primary.port),
        '--repl-diskless-sync-delay',
        '0',
      ]),
    );
    const sentinel = await redis.started(startSentinel(primary, 'main'));
    const asked = redis.clientOf(sentinel);
    // Before Sentinel has heard from the replica itself it would not promote it.
    await until(async () => {
      const replicas = String(await asked.call('SENTINEL', 'REPLICAS', 'main'));
      return replicas.includes('master-link-status,ok');
    }, 25_000);
    const url = `redis+sentinel://127.0.0.1:${sentinel.port}/main`;
    const [a, b] = [await redis.service(url), await redis.service(url)];
    await a.patch({ enabled: false });
    await until(() => b.version === 1, 1000);
    const copy = redis.clientOf(replica);
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
      // A Sentinel whose own clock stumbled, on a busy machine, waits 30 s before it acts.
    }, 90_000);
    await until(() => a.version === 2, 20_000);
    assert.deepEqual(a.get(), { enabled: false, token_statistics: false });
    assert.equal((await a.audit(1))[0]?.version, 2);
  });
});
