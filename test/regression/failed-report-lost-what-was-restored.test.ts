import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Budget } from '../../src/budgets/budget.ts';
import type { AccountReport, SyncAnswer } from '../../src/budgets/stores/budget-store.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BudgetedInstance } from '../support/budgeted-instance.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

/** The first report of more than one bucket does not arrive. */
class LosingStore extends RedisBudgetStore {
  lost = 0;

  override async sync(
    instance: string,
    leaseMs: number,
    reports: readonly AccountReport[],
  ): Promise<SyncAnswer> {
    if (this.lost === 0 && reports.some(({ buckets }) => buckets.length > 1)) {
      this.lost += 1;
      throw new Error('a timeout');
    }
    return await super.sync(instance, leaseMs, reports);
  }
}

const PART_MS = 300_000 / 48 + 100;

describe('what was spent, when Redis is emptied and the report that restores it fails', () => {
  let redis: TestServer;
  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  after(async () => await redis?.stop());

  it('is restored by the next one', async () => {
    // Reports say of earlier parts of a rolling window only what is new, unless Redis has lost it.
    const window = { rolling: '5m' };
    const budget: Budget = { id: 'b', window, limit: { calls: 1000 }, mode: 'block' };
    const store = new LosingStore({ url: redis.url, keyPrefix: 'p' });
    const one = new BudgetedInstance(store, budget);
    const client = new Redis(redis.url);
    const instances = [one];
    try {
      await one.ready();
      for (let index = 0; index < 60; index++) assert.ok(one.call());
      await until(async () => (await one.spent()) === 60);
      await sleep(PART_MS);
      await client.flushall();
      await until(() => store.lost === 1);
      const late = new BudgetedInstance(
        new RedisBudgetStore({ url: redis.url, keyPrefix: 'p' }),
        budget,
      );
      instances.push(late);
      await until(async () => (await late.spent()) === 60);
    } finally {
      client.disconnect();
      await Promise.all(instances.map(({ engine }) => engine.stop()));
    }
  }).timeout(30_000);
});
