import assert from 'node:assert/strict';
import { stopBudgets } from '../../src/budgets/budgets-in-force.ts';
import {
  type Budget,
  type BudgetsDocument,
  budgetStatus,
  budgetToJson,
  budgetsDocument,
  budgetsSettings,
  followBudgets,
} from '../../src/budgets/index.ts';
import { TokenMeterInstrumentation } from '../../src/index.ts';
import {
  MemorySettingsStore,
  RedisSettingsStore,
  SettingsService,
} from '../../src/settings/index.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

const month: Budget = { id: 'month', window: 'month', limit: { usd: 500 } };
const daily: Budget = {
  id: 'daily',
  scope: { each: ['user'] },
  window: { calendar: 'day', timeZone: 'Asia/Shanghai' },
  limit: { calls: 10 },
  mode: 'block',
  whenStoreDown: 'block',
};

/** What an instrumentation would have in force. */
class Target {
  inForce: readonly Budget[] = [];
  applyBudgets(budgets: readonly Budget[]): void {
    this.inForce = budgets;
  }
}

describe('live budgets', () => {
  it('begin as configured, follow the store, and go back to the configuration', async () => {
    const settings = new SettingsService({
      schema: budgetsSettings,
      defaults: budgetsDocument([month, daily]),
      store: new MemorySettingsStore(),
    });
    const target = new Target();
    const end = followBudgets(settings, target);
    assert.deepEqual(target.inForce, [month, daily], 'before the store has answered');
    await settings.start();
    await settings.patch({ month: { window: 'month', limit: { usd: 50 } } });
    assert.deepEqual(target.inForce[0], { ...month, limit: { usd: 50 } });
    await settings.patch({ extra: { window: { rolling: '24h' }, limit: { tokens: 5 } } });
    assert.deepEqual(
      target.inForce.map(({ id }) => id),
      ['month', 'daily', 'extra'],
    );
    await settings.patch({ month: null, extra: null });
    assert.deepEqual(target.inForce, [month, daily]);
    end();
    await settings.patch({ month: { window: 'day', limit: { usd: 1 } } });
    assert.deepEqual(target.inForce, [month, daily], 'ended');
    await settings.close();
  });

  it('stay as they are when one of the store is wrong, and the others follow', async () => {
    const store = new MemorySettingsStore();
    const settings = new SettingsService({ schema: budgetsSettings, store });
    const target = new Target();
    followBudgets(settings, target);
    await settings.start();
    await settings.patch({ a: { window: 'day', limit: { usd: 1 } } });
    await store.update((stored) => ({
      state: {
        ...stored,
        version: stored.version + 1,
        values: { a: { window: 'year', limit: {} }, b: { window: 'day', limit: { calls: 2 } } },
      },
      entries: [{ version: 2, time: '', actor: 'x', action: 'change', from: {}, to: {}, undo: {} }],
    }));
    assert.deepEqual(
      new Map(target.inForce.map(({ id, window }) => [id, window])),
      new Map([
        ['a', 'day'],
        ['b', 'day'],
      ]),
    );
    assert.match(settings.status.problem ?? '', /a: budget\.window is "year"/);
    await settings.close();
  });

  describe('with a real Redis', () => {
    let server: TestServer;

    before(async function () {
      requireServer(this, 'redis-server');
      server = await startRedis();
    });

    after(async () => {
      await server?.stop();
    });

    it('reach every instance within a second', async () => {
      const services: SettingsService<BudgetsDocument>[] = [];
      const targets: Target[] = [];
      for (let i = 0; i < 5; i += 1) {
        const store = new RedisSettingsStore({ url: server.url, document: 'budgets' });
        const service = new SettingsService({
          schema: budgetsSettings,
          store,
          lastKnownGoodPath: false,
        });
        await service.start();
        const target = new Target();
        followBudgets(service, target);
        services.push(service);
        targets.push(target);
      }
      await services[0]!.patch(budgetsDocument([daily]), { actor: 'ada' });
      await until(() => targets.every(({ inForce }) => inForce.length === 1), 1000);
      assert.deepEqual(targets[4]!.inForce, [daily]);
      assert.equal(services[4]!.updated.by, 'ada');
      for (const service of services) await service.close();
    });

    it('stay in force while Redis is away, and are brought back to an empty one', async function () {
      this.timeout(20_000);
      const redis = await startRedis();
      const services: SettingsService<BudgetsDocument>[] = [];
      const start = async (): Promise<{ service: (typeof services)[0]; target: Target }> => {
        const service = new SettingsService({
          schema: budgetsSettings,
          defaults: budgetsDocument([month]),
          store: new RedisSettingsStore({ url: redis.url, document: 'budgets' }),
          lastKnownGoodPath: false,
        });
        services.push(service);
        const target = new Target();
        followBudgets(service, target);
        await service.start();
        return { service, target };
      };
      const idsOf = ({ inForce }: Target): string[] => inForce.map(({ id }) => id).toSorted();
      try {
        const [one, two] = [await start(), await start()];
        await one.service.patch(budgetsDocument([daily]), { actor: 'ada' });
        await until(() => two.target.inForce.length === 2);
        await redis.kill('SIGKILL');
        const all = [one, two];
        await until(() => all.every(({ service }) => service.status.state === 'stale'));
        for (const { target } of all) assert.deepEqual(idsOf(target), ['daily', 'month']);
        await assert.rejects(one.service.patch({ daily: null }), { code: 'STORE_UNAVAILABLE' });
        assert.deepEqual(idsOf(one.target), ['daily', 'month'], 'a refused change is no change');
        await redis.restart();
        await until(() => all.every(({ service }) => service.status.state === 'ready'));
        const late = await start();
        await until(() => late.target.inForce.length === 2);
        assert.deepEqual(late.target.inForce, two.target.inForce);
        const [entry] = await late.service.audit();
        assert.deepEqual([entry?.action, entry?.to['daily']], ['restore', budgetToJson(daily)]);
        await late.service.patch({ daily: null });
        await until(() => all.every(({ target }) => target.inForce.length === 1));
      } finally {
        for (const service of services) await service.close();
        await redis.stop();
      }
    });
  });
});

describe('configured budgets', () => {
  const instrumentations: TokenMeterInstrumentation[] = [];
  // Those of other suites in this process.
  beforeEach(stopBudgets);
  afterEach(async () => {
    for (const one of instrumentations.splice(0)) one.disable();
    delete process.env['TOKEN_METER_BUDGETS'];
    await stopBudgets();
  });

  it('hold for an instrumentation without any in its options, unless there are live ones', async () => {
    const ids = async (): Promise<string[]> =>
      (await budgetStatus({ userId: 'alice' })).map(({ id }) => id);
    process.env['TOKEN_METER_BUDGETS'] = '[{"id":"of-env","window":"day","limit":{"usd":1}}]';
    const first = new TokenMeterInstrumentation();
    instrumentations.push(first);
    assert.deepEqual(await ids(), ['of-env']);
    first.applyBudgets([daily]);
    instrumentations.push(new TokenMeterInstrumentation());
    assert.deepEqual(await ids(), ['daily'], 'live ones win over the configuration');
    first.applyBudgets([]);
    assert.deepEqual(await ids(), []);
  });
});
