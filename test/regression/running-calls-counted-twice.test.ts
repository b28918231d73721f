import assert from 'node:assert/strict';
import { Redis } from 'ioredis';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import type { AccountReport, AccountState } from '../../src/budgets/stores/budget-store.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const HOUR = 3_600_000;
const REPORT = {
  budgetId: 'b',
  identity: 'i',
  key: '',
  values: [],
  serial: 1,
  limit: 100,
  shares: [0.9],
  reserved: 0,
  keep: 0,
  want: 0,
  least: 0,
};

describe('the running calls of an instance that is not heard of for a minute', () => {
  let redis: TestServer;
  let client: Redis;
  let store: RedisBudgetStore;
  let prefixes = 0;
  let account = '';
  let fromMs = 0;

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
    client = new Redis(redis.url);
    fromMs = Math.floor((await redisTimeMs(client)) / HOUR) * HOUR;
  });
  beforeEach(async () => {
    const keyPrefix = `p${++prefixes}`;
    account = `{${keyPrefix}}:budgets:account:*`;
    store = new RedisBudgetStore({ url: redis.url, keyPrefix });
    let isReady = false;
    store.start({ onReady: () => (isReady = true), onLost: () => {}, onAnnounced: () => {} });
    await until(() => isReady);
  });
  afterEach(async () => await store.stop('other'));
  after(async () => {
    client?.disconnect();
    await redis?.stop();
  });

  const report = async (
    instance: string,
    own: number,
    more: Partial<AccountReport> = {},
  ): Promise<AccountState> => {
    const window = {
      indexMs: fromMs,
      oldestMs: fromMs,
      bucketEndsMs: fromMs + HOUR,
      endsAtMs: fromMs + HOUR,
      buckets: [{ fromMs, own, acknowledged: 0, total: 0 }],
    };
    const { states } = await store.sync(instance, 6000, [{ ...REPORT, ...window, ...more }]);
    return states[0]!;
  };
  const forgetInstances = async (): Promise<void> => {
    const [key = ''] = await client.keys(account);
    const longAgoMs = (await redisTimeMs(client)) - 61_000;
    for (const field of await client.hkeys(key)) {
      if (field.startsWith('l:')) await client.hset(key, field, `10 10 ${longAgoMs}`);
    }
  };

  it('count as spent once, in the sum that shares are compared with too', async () => {
    // In which order a script sees the fields depends on their names.
    for (let round = 0; round < 20; round++) {
      await client.flushdb();
      await report('first', 35);
      for (const dead of ['a', 'b', 'c']) {
        await report(`${round}${dead}`, 0, { reserved: 10, want: 10, least: 1 });
      }
      await forgetInstances();
      const state = await report('other', 0);
      assert.deepEqual([state.totals.get(fromMs), state.reached], [65, []]);
    }
  });

  it('are not counted again when it was only cut off', async () => {
    await report('one', 5, { reserved: 10, want: 10, least: 1 });
    await forgetInstances();
    assert.equal((await report('other', 0)).totals.get(fromMs), 15);
    assert.equal((await report('one', 12)).totals.get(fromMs), 15);
    assert.equal((await report('one', 15)).totals.get(fromMs), 15);
    assert.equal((await report('one', 18)).totals.get(fromMs), 18);
  });
});
