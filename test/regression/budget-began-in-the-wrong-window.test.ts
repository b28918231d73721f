import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Budget } from '../../src/budgets/budget.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BudgetedInstance } from '../support/budgeted-instance.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

/** Calls before the first answer of Redis were lost, or counted again in a later window. */
describe('calls of a process with a wrong clock, before Redis has said the time', () => {
  let redis: TestServer;
  const clock = Date.now;
  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  after(async () => await redis?.stop());
  afterEach(() => {
    Date.now = clock;
  });

  for (const days of [-40, 40]) {
    it(`count in the window of Redis alone, with a clock that is ${days} days wrong`, async () => {
      const client = new Redis(redis.url);
      // Its clock decides, also where that of the test is shifted.
      const redisMs = await redisTimeMs(client);
      const leftMs = 3_600_000 - (redisMs % 3_600_000);
      if (leftMs < 3000) await sleep(leftMs);
      const budget: Budget = { id: 'b', window: 'hour', limit: { calls: 100 }, mode: 'block' };
      const keyPrefix = `days${days}`;
      Date.now = () => clock() + days * 86_400_000;
      const one = new BudgetedInstance(new RedisBudgetStore({ url: redis.url, keyPrefix }), budget);
      try {
        for (let index = 0; index < 10; index++) assert.ok(one.call());
        await one.ready();
        await until(async () => (await one.spent()) === 10);
        const hour = new Date(leftMs < 3000 ? redisMs + leftMs : redisMs).setUTCMinutes(0, 0, 0);
        const account = `{${keyPrefix}}:budgets:account:*`;
        await until(async () => {
          const [key = ''] = await client.keys(account);
          return (await client.hget(key, `t:${hour}`)) === '10';
        });
        const fields = await client.hkeys((await client.keys(account))[0]!);
        assert.deepEqual(
          fields.filter((field) => field.startsWith('t:')),
          [`t:${hour}`],
        );
      } finally {
        client.disconnect();
        await one.engine.stop();
      }
    });
  }
});
