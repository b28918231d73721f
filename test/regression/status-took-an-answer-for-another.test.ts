import assert from 'node:assert/strict';
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Budget } from '../../src/budgets/budget.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BUDGETED_CALL, BudgetedInstance } from '../support/budgeted-instance.ts';
import { requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

/** Whoever asked while another question was on its way had the answer to that one: nothing spent. */
describe('the status of an account, asked for while that of another one is', () => {
  it('is what the fleet has spent', async function () {
    requireServer(this, 'redis-server');
    const budget: Budget = {
      id: 'b',
      scope: { each: ['user'] },
      window: 'day',
      limit: { calls: 4 },
      mode: 'block',
    };
    const redis = await startRedis();
    const [one, two] = [1, 2].map(
      () => new BudgetedInstance(new RedisBudgetStore({ url: redis.url }), budget),
    );
    try {
      await Promise.all([one!.ready(), two!.ready()]);
      const users = Array.from({ length: 20 }, (_, index) => `user${index}`);
      for (const userId of users) {
        await until(() => one!.call({ userId }));
      }
      await sleep(100);
      const statusOf = async (userId: string) =>
        (await two!.engine.status({ ...BUDGETED_CALL, userId }))[0];
      for (const userId of users) {
        const another = statusOf(`not ${userId}`);
        await sleep(1);
        await turn();
        assert.equal((await statusOf(userId))?.spent, 1, userId);
        await another;
      }
    } finally {
      await Promise.all([one!.engine.stop(), two!.engine.stop()]);
      await redis.stop();
    }
  });
});
