import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { TokenMeterError } from '../../src/errors.ts';
import {
  FileSettingsStore,
  MemorySettingsStore,
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  type SettingsStore,
  metricsSettings,
} from '../../src/settings/index.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

type Service = SettingsService<MetricsSettings>;

const DAY_MS = 86_400_000;
const inMs = (ms: number): Date => new Date(Date.now() + ms);

describe('changes of settings for a time', () => {
  const services: Service[] = [];
  let folder: string;

  async function started(
    store: SettingsStore = new MemorySettingsStore(),
    defaults: Partial<MetricsSettings> = {},
    now: () => number = Date.now,
  ): Promise<Service> {
    const made = new SettingsService({
      schema: metricsSettings,
      defaults,
      store,
      now,
      lastKnownGoodPath: false,
    });
    services.push(made);
    await made.start();
    return made;
  }

  async function actionsOf(settings: Service): Promise<readonly string[]> {
    return (await settings.audit()).map(({ action, actor }) => `${action} ${actor}`);
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-passing-'));
  });

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('end by themselves on every instance, and once in the audit log', async () => {
    const store = new MemorySettingsStore();
    const [one, other] = [await started(store), await started(store)];
    const seen: boolean[] = [];
    other.subscribe(({ settings }) => seen.push(settings.enabled));
    const end = inMs(400);
    await one.patch({ enabled: false }, { actor: 'ada', reason: 'load test', until: end });
    assert.equal(other.get().enabled, false);
    assert.deepEqual(other.passing, {
      enabled: { until: end.toISOString(), value: false, after: null, by: 'ada' },
    });
    await until(() => one.get().enabled && other.get().enabled);
    assert.ok(Date.now() >= end.getTime(), 'not before its time');
    assert.deepEqual(seen, [false, true]);
    assert.deepEqual(other.passing, {});
    const [ended, made] = await one.audit();
    assert.deepEqual(
      [ended?.action, ended?.actor, ended?.from, ended?.to, ended?.version],
      ['end', 'ada', { enabled: false }, { enabled: true }, 2],
    );
    assert.deepEqual(
      [made?.action, made?.reason, made?.until],
      ['change', 'load test', end.toISOString()],
    );
    assert.equal((await one.audit()).length, 2);
  });

  it('give back what was set before, not the default', async () => {
    const settings = await started(undefined, { enabled: true });
    await settings.patch({ enabled: false });
    await settings.patch({ enabled: null }, { until: inMs(200) });
    assert.equal(settings.get().enabled, true);
    await until(() => !settings.get().enabled);
    assert.equal((await settings.audit())[0]?.action, 'end');
  });

  it('last longer or shorter by another change, and end with what was before the first', async () => {
    const settings = await started();
    await settings.patch({ enabled: false }, { until: inMs(DAY_MS) });
    const { changed } = await settings.patch({ enabled: false }, { until: inMs(200) });
    assert.equal(changed, true);
    await until(() => settings.get().enabled);
  });

  it('stay for good, or are taken back, by a change without a time', async () => {
    const settings = await started();
    await settings.patch({ enabled: false }, { until: inMs(300) });
    await settings.patch({ token_statistics: false }, { until: inMs(300) });
    await settings.patch({ enabled: false });
    await settings.patch({ token_statistics: true });
    assert.deepEqual(settings.passing, {});
    await sleep(500);
    assert.deepEqual(settings.get(), { enabled: false, token_statistics: true });
  });

  it('are not undone by a patch of values, which would have no end', async () => {
    const settings = await started();
    const end = inMs(DAY_MS);
    await settings.patch({ enabled: false }, { until: end });
    await settings.patch({ enabled: false }, { until: inMs(2 * DAY_MS) });
    await settings.patch({ enabled: true, token_statistics: false });
    const [replaced, longer, made] = await settings.audit();
    assert.deepEqual(made?.undo, { enabled: null });
    assert.deepEqual(
      [longer?.from, longer?.to, longer?.undo],
      [{ enabled: false }, { enabled: false }, {}],
    );
    assert.deepEqual(replaced?.to, { enabled: true, token_statistics: false });
    assert.deepEqual(replaced?.undo, {});
  });

  it('end also while the store is away, and that is written when it is back', async () => {
    const store = new MemorySettingsStore();
    const settings = await started(store);
    await settings.patch({ enabled: false }, { actor: 'ada', until: inMs(300) });
    store.update = () => Promise.reject(new TokenMeterError('STORE_UNAVAILABLE', 'away'));
    await until(() => settings.get().enabled);
    assert.equal(settings.version, 1, 'nothing is written yet');
    store.update = MemorySettingsStore.prototype.update.bind(store);
    await settings.patch({ token_statistics: false }, { actor: 'bob' });
    assert.deepEqual(await actionsOf(settings), ['change bob', 'end ada', 'change ada']);
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: false });
  });

  it('have ended where nobody ran at that time', async () => {
    const path = join(folder, 'settings.json');
    const first = await started(new FileSettingsStore({ path }));
    await first.patch({ enabled: false }, { actor: 'ada', until: inMs(300) });
    await first.close();
    await sleep(400);
    const next = await started(new FileSettingsStore({ path }));
    assert.equal(next.get().enabled, true);
    await until(() => next.version === 2);
    assert.deepEqual(await actionsOf(next), ['end ada', 'change ada']);
  });

  it('leave alone what was changed in the store meanwhile', async () => {
    const path = join(folder, 'settings.json');
    const settings = await started(new FileSettingsStore({ path }), { token_statistics: false });
    await settings.patch({ enabled: true, token_statistics: true }, { until: inMs(700) });
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { readonly values: object };
    const values = { ...stored.values, enabled: false };
    writeFileSync(path, JSON.stringify({ ...stored, values }));
    await until(() => !settings.get().enabled);
    await until(() => !settings.get().token_statistics);
    await sleep(100);
    assert.equal(settings.get().enabled, false);
  });

  it('come after what was edited in the store meanwhile, and end with it', async () => {
    const path = join(folder, 'settings.json');
    const settings = await started(new FileSettingsStore({ path }));
    const edit = async (enabled: boolean): Promise<void> => {
      const stored = JSON.parse(readFileSync(path, 'utf8')) as { readonly values: object };
      writeFileSync(path, JSON.stringify({ ...stored, values: { ...stored.values, enabled } }));
      const { version } = settings;
      await until(() => settings.version > version && settings.get().enabled === enabled);
    };
    await settings.patch({ enabled: false }, { until: inMs(DAY_MS) });
    await edit(true);
    await edit(false);
    assert.deepEqual(settings.passing, {}, 'the second edit is for good');
    await settings.patch({ enabled: true }, { until: inMs(300) });
    await until(() => !settings.get().enabled);
  });

  it('end by the clock of the store, and not by that of one machine', async () => {
    const store = new MemorySettingsStore();
    await endsForAll(() => store);
    const path = join(folder, 'settings.json');
    await endsForAll(() => new FileSettingsStore({ path }));
  });

  it('of single teams and services end too', async () => {
    const settings = await started();
    await settings.patch({ enabled: false });
    await settings.patch(
      { 'enabled@team:sea': true, 'token_statistics@service:chat app': false },
      { until: inMs(300) },
    );
    assert.deepEqual(settings.get(), {
      enabled: false,
      token_statistics: true,
      'enabled@team:sea': true,
      'token_statistics@service:chat app': false,
    });
    await until(() => settings.version === 3);
    assert.deepEqual(settings.get(), { enabled: false, token_statistics: true });
  });

  /** One of two instances is an hour ahead of this machine, and this machine `behindMs` behind the store. */
  async function endsForAll(open: () => SettingsStore, behindMs = 0): Promise<void> {
    const HOUR_MS = 3_600_000;
    const right = await started(open());
    const fast = await started(open(), {}, () => Date.now() + HOUR_MS);
    const end = inMs(behindMs + 1500);
    await fast.patch({ enabled: false }, { actor: 'ada', until: end });
    await until(() => !right.get().enabled && !fast.get().enabled);
    assert.deepEqual(Object.keys(fast.passing), ['enabled']);
    await until(() => right.get().enabled && fast.get().enabled);
    assert.ok(Date.now() + behindMs >= end.getTime(), 'not before its time');
    assert.deepEqual(await actionsOf(right), ['end ada', 'change ada']);
    const [{ time } = { time: '' }] = await right.audit();
    const aheadMs = Date.parse(time) - behindMs - Date.now();
    assert.ok(aheadMs < HOUR_MS / 2, 'the log has the time of the store');
  }

  it('refuse a time in the past or beyond a year', async () => {
    const settings = await started();
    for (const time of [inMs(-1), inMs(400 * DAY_MS), new Date(Number.NaN)]) {
      await assert.rejects(
        settings.patch({ enabled: false }, { until: time }),
        (error) => error instanceof TokenMeterError && error.code === 'INVALID_SETTINGS',
      );
    }
    assert.equal(settings.version, 0);
  });

  describe('in Redis', () => {
    let server: TestServer;
    /** Redis has the true time where the clock of the tests is shifted. */
    let behindMs = 0;

    before(async function () {
      requireServer(this, 'redis-server');
      server = await startRedis();
      const client = new Redis(server.url);
      behindMs = (await redisTimeMs(client)) - Date.now();
      client.disconnect();
    });
    after(async () => {
      await server?.stop();
    });

    it('end by the clock of the server', async () => {
      const open = () => new RedisSettingsStore({ url: server.url, keyPrefix: 'clock' });
      await endsForAll(open, behindMs);
    });

    it('end once for all of twenty instances', async () => {
      const open = (): Promise<Service> =>
        started(new RedisSettingsStore({ url: server.url, keyPrefix: 'passing' }));
      const fleet = await Promise.all(Array.from({ length: 20 }, open));
      const [first] = fleet;
      await first!.patch({ enabled: false }, { actor: 'ada', until: inMs(behindMs + 1500) });
      await until(() => fleet.every((one) => !one.get().enabled));
      await until(() => fleet.every((one) => one.get().enabled && one.version === 2));
      assert.deepEqual(await actionsOf(first!), ['end ada', 'change ada']);
    });
  });
});
