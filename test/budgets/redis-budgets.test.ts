import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import type { Budget } from '../../src/budgets/budget.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import { BUDGETED_CALL as CALL, BudgetedInstance, SIZE } from '../support/budgeted-instance.ts';
import { RedisServices } from '../support/redis-services.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const instance = (
  url: string,
  keyPrefix: string,
  ...budgets: readonly Budget[]
): BudgetedInstance => new BudgetedInstance(new RedisBudgetStore({ url, keyPrefix }), ...budgets);

describe('budgets of a fleet in Redis', function () {
  let redis: TestServer;
  let instances: BudgetedInstance[] = [];
  let fleets = 0;

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
  });
  afterEach(async () => {
    await Promise.all(instances.map(({ engine }) => engine.stop()));
    instances = [];
  });
  after(async () => await redis?.stop());

  async function start(count: number, ...budgets: readonly Budget[]): Promise<BudgetedInstance[]> {
    const prefix = `fleet-${++fleets}`;
    const started = Array.from({ length: count }, () => instance(redis.url, prefix, ...budgets));
    instances.push(...started);
    await Promise.all(started.map((one) => one.ready()));
    return started;
  }

  const budget = (limit: number, more: Partial<Budget> = {}): Budget => ({
    id: 'b',
    window: 'day',
    limit: { calls: limit },
    mode: 'block',
    ...more,
  });

  it('admit exactly the limit with one instance, however many begin at once', async () => {
    const [one] = await start(1, budget(5000));
    for (let index = 0; index < 10_000; index++) one!.call();
    assert.equal(one!.admitted, 5000);
  });

  it('admit the first calls of a process that still connects, also where a store that is down blocks', async () => {
    const one = instance(redis.url, 'connecting', budget(10_000, { whenStoreDown: 'block' }));
    instances.push(one);
    assert.ok(one.call());
    await one.ready();
    assert.ok(one.call());
    assert.equal(await one.spent(), 2);
  });

  it('are spent within 1 % by ten instances, none refused below 99 %', async () => {
    const limit = 12_000;
    const fleet = await start(10, budget(limit));
    const sum = (of: 'admitted' | 'refused'): number =>
      fleet.reduce((all, one) => all + one[of], 0);
    let first = 0;
    while (fleet.some(({ refused }) => refused < 20)) {
      for (const one of fleet) for (let index = 0; index < 2; index++) one.call();
      if (sum('refused') > 0) first ||= sum('admitted');
      await sleep(5);
    }
    assert.ok(first >= limit * 0.99, `refused at ${first}`);
    const spent = sum('admitted');
    assert.ok(spent >= limit * 0.99 && spent <= limit * 1.01, `spent ${spent}`);
    await until(async () => (await fleet[0]!.spent()) === spent);
  }).timeout(60_000);

  it('give a new instance its part of what another holds', async () => {
    const [first] = await start(1, budget(1000));
    for (let index = 0; index < 300; index++) first!.call();
    await sleep(50);
    const second = instance(redis.url, `fleet-${fleets}`, budget(1000));
    instances.push(second);
    await second.ready();
    assert.equal(await second.spent(), 300);
    for (let index = 0; index < 20; index++) assert.ok(second.call(), String(index));
  });

  it('refuse a user everywhere who has used up his budget on one instance', async () => {
    const fleet = await start(5, budget(20, { scope: { each: ['user'] } }));
    await until(() => fleet[0]!.call() === false || fleet[0]!.admitted > 20);
    assert.equal(fleet[0]!.admitted, 20);
    await sleep(100);
    for (const one of fleet.slice(1)) assert.equal(one.call(), false);
    assert.ok(fleet[1]!.call({ userId: 'bob' }));
    const late = instance(redis.url, `fleet-${fleets}`, budget(20, { scope: { each: ['user'] } }));
    instances.push(late);
    await late.ready();
    assert.equal(late.call(), false);
  });

  it('report a share of the limit by one of the instances', async () => {
    const fleet = await start(3, budget(100, { at: [0.5] }));
    for (let index = 0; index < 20; index++) {
      for (const one of fleet) one.call();
      await sleep(5);
    }
    await until(() => fleet.some(({ shares }) => shares.length > 0));
    await sleep(700);
    assert.deepEqual(
      fleet.flatMap(({ shares }) => shares.map(({ share }) => share)),
      [0.5],
    );
  });

  it('keep what an instance spent that is gone, and lose its lease', async () => {
    const [one] = await start(1, budget(100));
    for (let index = 0; index < 60; index++) one!.call();
    await until(async () => (await one!.spent()) === 60);
    await one!.engine.stop();
    const next = instance(redis.url, `fleet-${fleets}`, budget(100));
    instances.push(next);
    await next.ready();
    assert.equal(await next.spent(), 60);
    for (let index = 0; index < 100; index++) next.call();
    assert.equal(next.admitted, 40);
  });

  it('forget after ten minutes what each instance reported, and count nothing twice for it', async () => {
    const [one, other] = await start(2, budget(100));
    for (let index = 0; index < 5; index++) one!.call();
    await until(async () => (await other!.spent()) === 5);
    const client = new Redis(redis.url);
    try {
      const [account] = await client.keys(`{fleet-${fleets}}:budgets:account:*`);
      const reports = async (): Promise<string[]> =>
        Object.keys(await client.hgetall(account!)).filter((field) => field.startsWith('s:'));
      const [report] = await reports();
      const gone = report!.replace(/[^:]+$/, 'gone');
      await client.hset(account!, gone, `5 ${(await redisTimeMs(client)) - 601_000}`);
      other!.call();
      await until(async () => (await one!.spent()) === 6);
      assert.equal((await reports()).includes(gone), false);
      await client.hdel(account!, report!);
      one!.call();
      await until(async () => (await other!.spent()) === 7);
      assert.equal(await one!.spent(), 7);
    } finally {
      client.disconnect();
    }
  });

  it('say that what an instance has no lease of yet may be free in a second', async () => {
    const limit = 1000;
    const [one] = await start(2, budget(limit, { scope: { each: ['user'] } }));
    const refusals = Array.from({ length: limit }, () =>
      one!.engine.reserve({ ...CALL, userId: 'bob' }, SIZE, true, []),
    ).filter((answer) => answer !== undefined && 'budgetId' in answer);
    assert.ok(refusals.length > 0);
    for (const refusal of refusals) {
      assert.equal(refusal.isReserved, true);
      assert.ok(Date.parse(refusal.resetsAt) - Date.now() < 1500);
    }
  });

  it('tell everybody what running calls of others have reserved', async () => {
    const [one, two] = await start(2, budget(50));
    const running = Array.from({ length: 10 }, () => one!.engine.reserve(CALL, SIZE, true, []));
    const status = async () => (await two!.engine.status(CALL))[0];
    await until(async () => (await status())?.reserved === 10);
    assert.equal((await status())?.remaining, 40);
    for (const set of running) if (set !== undefined && 'release' in set) set.release();
    await until(async () => (await status())?.reserved === 0);
  });

  it('list those who spend now before those whose rolling window is over', async () => {
    const rolling = budget(100, { window: { rolling: '5m' }, scope: { each: ['user'] } });
    const [one, two] = await start(2, rolling);
    one!.call({ userId: 'now' });
    await until(async () => (await two!.engine.accounts({ limit: 9 })).length === 1);
    const client = new Redis(redis.url);
    try {
      const [index] = await client.keys(`{fleet-${fleets}}:budgets:accounts:*`);
      for (const name of ['a', 'b', 'c']) await client.zadd(index!, '20', JSON.stringify([name]));
      const listed = await two!.engine.accounts({ id: 'b', limit: 2 });
      assert.deepEqual(
        listed.map(({ key, spent }) => [key['user'], spent]),
        [['now', 1]],
      );
      assert.deepEqual(await client.zrange(index!, '0', '-1'), ['["now"]']);
    } finally {
      client.disconnect();
    }
  });

  it('bring what was spent to a Redis that was emptied without a lost connection', async () => {
    const each = budget(100, { scope: { each: ['user'] } });
    const [one] = await start(1, each);
    for (let index = 0; index < 60; index++) one!.call({ userId: 'alice' });
    await until(async () => (await one!.spent()) === 60);
    // Nothing is left to say.
    await sleep(1500);
    const client = new Redis(redis.url);
    await client.flushall();
    client.disconnect();
    const late = instance(redis.url, `fleet-${fleets}`, each);
    instances.push(late);
    await until(async () => (await late.spent()) === 60);
  }).timeout(15_000);

  it('hold a limit that is lowered while much of it is leased', async () => {
    const fleet = await start(4, budget(2000));
    const calls = (): number => fleet.reduce((sum, { admitted }) => sum + admitted, 0);
    while (calls() < 1200) {
      for (const one of fleet) for (let index = 0; index < 10; index++) one.call();
      await sleep(5);
    }
    const lowered = calls() + 100;
    for (const { engine } of fleet) engine.apply([budget(lowered)]);
    for (let index = 0; index < 200; index++) for (const one of fleet) one.call();
    await sleep(200);
    for (let index = 0; index < 200; index++) for (const one of fleet) one.call();
    assert.ok(calls() <= lowered + 20, `${calls()} of ${lowered}`);
  });

  it('keep all that an instance with many accounts spent before it ended', async () => {
    const each = budget(1, { scope: { each: ['user'] } });
    const [one, other] = await start(2, each);
    for (let index = 0; index < 1500; index++) one!.call({ userId: `user${index}` });
    await one!.engine.stop();
    const statuses = await Promise.all(
      [0, 700, 1499].map((index) => other!.engine.status({ ...CALL, userId: `user${index}` })),
    );
    assert.deepEqual(
      statuses.map(([status]) => status?.spent),
      [1, 1, 1],
    );
  });

  it('list the accounts with the most spent', async () => {
    const [one, two] = await start(2, budget(100, { scope: { each: ['user'] } }));
    for (const [index, name] of ['a', 'b', 'c'].entries()) {
      for (let times = 0; times <= index; times++) one!.call({ userId: name });
    }
    await until(async () => (await two!.engine.accounts({ id: 'b', limit: 2 })).length === 2);
    const listed = await two!.engine.accounts({ id: 'b', limit: 2 });
    assert.deepEqual(
      listed.map(({ key, spent }) => [key['user'], spent]),
      [
        ['c', 3],
        ['b', 2],
      ],
    );
    const [least] = await two!.engine.accounts({
      limit: 1,
      isWanted: (_, key) => key['user'] === 'a',
    });
    assert.deepEqual([least?.key['user'], least?.spent], ['a', 1]);
  });
});

describe('budgets of a fleet with wrong clocks', () => {
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

  for (const minutes of [-65, 65]) {
    it(`have the windows of Redis on a clock that is ${minutes} minutes wrong`, async () => {
      const hourly: Budget = {
        id: 'hourly',
        window: 'hour',
        limit: { calls: 100 },
        mode: 'block',
        whenStoreDown: 'block',
      };
      const right = instance(redis.url, `clock${minutes}`, hourly);
      await right.ready();
      for (let index = 0; index < 60; index++) assert.ok(right.call());
      await until(async () => (await right.spent()) === 60);
      const [own] = await right.engine.status(CALL);
      await right.engine.stop();

      Date.now = () => clock() + minutes * 60_000;
      const wrong = instance(redis.url, `clock${minutes}`, hourly);
      try {
        await wrong.ready();
        const [status] = await wrong.engine.status(CALL);
        assert.deepEqual([status?.spent, status?.from], [60, own?.from]);
        for (let index = 0; index < 60; index++) wrong.call();
        assert.equal(wrong.admitted, 40);
      } finally {
        await wrong.engine.stop();
      }
    });
  }
});

describe('budgets in a Redis cluster', () => {
  const services = new RedisServices();
  before(function () {
    requireServer(this, 'redis-server');
  });
  afterEach(async () => await services.close());

  it('have all keys of a fleet in one slot, and hold', async () => {
    const { url } = await services.cluster(2);
    const fleet = [1, 2].map(() =>
      instance(url, 'fleet', {
        id: 'b',
        window: 'day',
        limit: { calls: 500 },
        mode: 'block',
      }),
    );
    try {
      await Promise.all(fleet.map((one) => one.ready()));
      const until1 = performance.now() + 10_000;
      while (fleet.every(({ refused }) => refused < 20) && performance.now() < until1) {
        for (const one of fleet) one.call();
        await sleep(2);
      }
      const admitted = fleet.reduce((sum, one) => sum + one.admitted, 0);
      assert.ok(admitted >= 495 && admitted <= 508, `${admitted} admitted`);
    } finally {
      await Promise.all(fleet.map(({ engine }) => engine.stop()));
    }
  });
});

for (const whenStoreDown of ['allow', 'block'] as const) {
  describe(`a fleet whose Redis goes away, whenStoreDown ${whenStoreDown}`, function () {
    it('goes on as that says, and brings what was spent to an empty Redis', async function () {
      requireServer(this, 'redis-server');
      this.timeout(30_000);
      const first = await startRedis();
      const budget: Budget = {
        id: 'b',
        window: 'day',
        limit: { calls: 2000 },
        mode: 'block',
        whenStoreDown,
      };
      const fleet = [1, 2].map(() => instance(first.url, 'p', budget));
      try {
        await Promise.all(fleet.map((one) => one.ready()));
        for (let index = 0; index < 40; index++) {
          for (const one of fleet) for (let times = 0; times < 5; times++) one.call();
          await sleep(5);
        }
        await until(async () => (await fleet[0]!.spent()) === 400);
        await first.kill('SIGKILL');
        await until(async () => (await fleet[0]!.engine.status(CALL))[0]?.stale === true);
        // A lease may be used until its end.
        await sleep(5100);
        const isAdmitted = fleet[0]!.call();
        assert.equal(isAdmitted, whenStoreDown === 'allow');
        await first.restart();
        await Promise.all(fleet.map((one) => one.ready()));
        const spent = 400 + Number(isAdmitted);
        await until(async () => (await fleet[1]!.spent()) === spent);
        const third = instance(first.url, 'p', budget);
        fleet.push(third);
        await third.ready();
        assert.equal(await third.spent(), spent);
        for (let index = 0; index < 200; index++) {
          for (const one of fleet) for (let times = 0; times < 5; times++) one.call();
          await sleep(5);
        }
        const all = fleet.reduce((sum, { admitted }) => sum + admitted, 0);
        assert.ok(all >= 1980 && all <= 2020, String(all));
      } finally {
        await Promise.all(fleet.map(({ engine }) => engine.stop()));
        await first.stop();
      }
    });
  });
}
