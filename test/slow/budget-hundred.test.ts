import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BudgetedInstance } from '../support/budgeted-instance.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';

const INSTANCES = 100;
const LIMIT = 100_000;

/** Each with connections of its own; in one process, since a hundred need more memory than machines of tests have. */
describe('a hundred instances with one budget', function () {
  this.timeout(300_000);
  let redis: TestServer;
  let fleet: BudgetedInstance[] = [];

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  after(async () => {
    await Promise.all(fleet.map(({ engine }) => engine.stop()));
    fleet = [];
    await redis?.stop();
  });

  it('spend it within 1 %, and refuse none below 99 %', async () => {
    fleet = Array.from(
      { length: INSTANCES },
      () =>
        new BudgetedInstance(new RedisBudgetStore({ url: redis.url }), {
          id: 'b',
          window: 'month',
          limit: { calls: LIMIT },
          mode: 'block',
        }),
    );
    for (const one of fleet) await one.ready();
    const sum = (of: 'admitted' | 'refused'): number =>
      fleet.reduce((all, one) => all + one[of], 0);
    let first = 0;
    while (fleet.some(({ refused }) => refused < 20)) {
      for (const one of fleet) {
        one.call();
        if (sum('refused') > 0) first ||= sum('admitted');
      }
      await sleep(10);
    }
    const spent = sum('admitted');
    console.log(`      first refused at ${first}, ${spent} of ${LIMIT} spent`);
    assert.ok(first >= LIMIT * 0.99, `refused at ${first}`);
    assert.ok(spent >= LIMIT * 0.99 && spent <= LIMIT * 1.01, `spent ${spent}`);
  });
});
