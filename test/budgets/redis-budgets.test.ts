import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { BudgetEngine } from '../../src/budgets/budget-engine.ts';
import type { Budget } from '../../src/budgets/budget.ts';
import type { BudgetShare } from '../../src/budgets/budget-status.ts';
import { RedisBudgetStore } from '../../src/budgets/stores/redis.ts';
import type { BudgetedCall } from '../../src/domain/call-budgets.ts';
import { requireServer, startRedis, type TestServer } from '../support/servers.ts';
import { until } from '../support/until.ts';

const CALL: BudgetedCall = { userId: 'alice', provider: 'openai', model: 'gpt-5' };
const SIZE = { operation: 'chat', request: {}, inputOnly: false };

/** One instance of a fleet, in this process. */
class Instance {
  readonly engine: BudgetEngine;
  readonly shares: BudgetShare[] = [];
  admitted = 0;
  refused = 0;

  constructor(url: string, keyPrefix: string, ...budgets: readonly Budget[]) {
    this.engine = new BudgetEngine({
      store: new RedisBudgetStore({ url, keyPrefix }),
      priceOf: () => undefined,
      onShare: (share) => this.shares.push(share),
    });
    this.engine.apply(budgets);
  }

  /** One call that takes no time. */
  call(call: Partial<BudgetedCall> = {}): boolean {
    const whole = { ...CALL, ...call };
    const answer = this.engine.reserve(whole, SIZE, true, []);
    if (answer !== undefined && 'budgetId' in answer) {
      this.refused += 1;
      return false;
    }
    answer?.release();
    this.engine.charge({
      ...whole,
      id: 'r',
      time: '',
      service: 's',
      operation: 'chat',
      requestModel: 'gpt-5',
      durationMs: 1,
      outcome: 'ok',
      attributes: {},
    } as never);
    this.admitted += 1;
    return true;
  }

  async spent(): Promise<number> {
    return (await this.engine.status(CALL))[0]?.spent ?? Number.NaN;
  }

  async ready(): Promise<void> {
    await until(async () => (await this.engine.status(CALL))[0]?.stale === false);
  }
}

describe('budgets of a fleet in Redis', function () {
  let redis: TestServer;
  let instances: Instance[] = [];
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

  async function start(count: number, ...budgets: readonly Budget[]): Promise<Instance[]> {
    const prefix = `fleet-${++fleets}`;
    const started = Array.from(
      { length: count },
      () => new Instance(redis.url, prefix, ...budgets),
    );
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
    const one = new Instance(redis.url, 'connecting', budget(10_000, { whenStoreDown: 'block' }));
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
    const second = new Instance(redis.url, `fleet-${fleets}`, budget(1000));
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
    const late = new Instance(
      redis.url,
      `fleet-${fleets}`,
      budget(20, { scope: { each: ['user'] } }),
    );
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
    const next = new Instance(redis.url, `fleet-${fleets}`, budget(100));
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
      const [account] = await client.keys(`{fleet-${fleets}}:budgets:account*`);
      const reports = async (): Promise<string[]> =>
        Object.keys(await client.hgetall(account!)).filter((field) => field.startsWith('s:'));
      const [report] = await reports();
      const gone = report!.replace(/[^:]+$/, 'gone');
      await client.hset(account!, gone, `5 ${Date.now() - 601_000}`);
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
      const fleet = [1, 2].map(() => new Instance(first.url, 'p', budget));
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
        const third = new Instance(first.url, 'p', budget);
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
