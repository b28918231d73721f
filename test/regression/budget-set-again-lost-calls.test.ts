import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Budget } from '../../src/budgets/budget.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BUDGETED_CALL, BudgetedInstance, SIZE } from '../support/budgeted-instance.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const budget: Budget = { id: 'b', window: 'day', limit: { calls: 100 }, mode: 'block' };

/**
 * What an instance had reported under the name of the budget was taken for reported again, and a call that ran during
 * the deletion left a second reporter of the same name behind: 140 of 100 calls were admitted.
 */
describe('a shared budget that is deleted and set again', () => {
  let redis: TestServer;
  const fleet: BudgetedInstance[] = [];

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(fleet.splice(0).map(({ engine }) => engine.stop()));
  });
  after(async () => await redis?.stop());

  for (const [how, other] of [
    ['deleted', []],
    ['given another scope', [{ ...budget, scope: { model: 'gpt-5' } }]],
  ] as const) {
    it(`counts every call when it was ${how} while a call ran`, async () => {
      const store = (): RedisBudgetStore =>
        new RedisBudgetStore({ url: redis.url, keyPrefix: how.replaceAll(' ', '-') });
      const [one, two] = [1, 2].map(() => new BudgetedInstance(store(), budget));
      fleet.push(one!, two!);
      await Promise.all(fleet.map((each) => each.ready()));
      for (let index = 0; index < 40; index++) await until(() => one!.call());
      await until(async () => (await two!.spent()) === 40);
      const running = one!.engine.reserve(BUDGETED_CALL, SIZE, true, []);
      assert.ok(running !== undefined && 'release' in running);
      one!.engine.apply(other);
      running.release();
      await sleep(100);
      one!.engine.apply([budget]);
      for (let begun = 0; begun < 6; begun++) {
        for (let index = 0; index < 10; index++) one!.call();
        await sleep(150);
      }
      await until(async () => (await two!.spent()) === one!.admitted);
    });
  }
});
