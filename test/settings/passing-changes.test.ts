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

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
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
    assert.deepEqual(replaced?.undo, { token_statistics: null }, 'what can be undone');
  });

  it('leave the other values of a change that makes one of them permanent to be undone', async () => {
    const settings = await started();
    await settings.patch({ 'enabled@team:sea': false }, { until: inMs(DAY_MS) });
    await settings.patch({ 'enabled@team:sea': false, 'enabled@team:land': false });
    const [made] = await settings.audit();
    assert.deepEqual(Object.keys(made?.to ?? {}).toSorted(), [
      'enabled@team:land',
      'enabled@team:sea',
    ]);
    assert.deepEqual(made?.undo, { 'enabled@team:land': null });
  });

  it('keep the places of the values that come back', async () => {
    const settings = await started();
    const names = Array.from({ length: 500 }, (_, index) => `enabled@team:${index}` as const);
    await settings.patch(Object.fromEntries(names.map((name) => [name, false])));
    await settings.patch({ 'enabled@team:0': null, 'enabled@team:1': null }, { until: inMs(400) });
    await assert.rejects(
      settings.patch({ 'enabled@team:new': false }),
      (error) => error instanceof TokenMeterError && error.code === 'INVALID_SETTINGS',
    );
    await until(() => settings.version === 3);
    assert.equal(Object.keys(settings.get()).length, 502);
    await settings.patch({ 'enabled@team:0': null });
    await settings.patch({ 'enabled@team:new': false });
  });

  it('cannot be too many by two instances that add some at once', async () => {
    const store = new MemorySettingsStore();
    const both = [await started(store), await started(store)];
    const added = await Promise.allSettled(
      both.map((one, at) => {
        const names = Array.from({ length: 300 }, (_, index) => `enabled@team:${at}-${index}`);
        return one.patch(Object.fromEntries(names.map((name) => [name, false])));
      }),
    );
    assert.deepEqual(added.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected']);
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
    for (const time of ['2026-12-01', 1, null]) {
      await assert.rejects(settings.patch({ enabled: false }, { until: time as unknown as Date }), {
        name: 'TokenMeterError',
        code: 'INVALID_SETTINGS',
        value: time,
        allowed: 'a Date from now to a year ahead',
      });
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

    it('end on an instance that only follows, whatever its clock says', async () => {
      const open = () => new RedisSettingsStore({ url: server.url, keyPrefix: 'follow' });
      for (const aheadMs of [-HOUR_MS, HOUR_MS]) {
        const author = await started(open());
        const follower = await started(open(), {}, () => Date.now() + aheadMs);
        const seen: boolean[] = [];
        follower.subscribe(({ settings }) => seen.push(settings.enabled));
        await author.patch({ enabled: false }, { until: inMs(behindMs + 700) });
        await until(() => !follower.get().enabled);
        await author.close();
        await until(() => follower.get().enabled);
        assert.deepEqual(seen, [false, true]);
        await follower.close();
      }
    });

    it('end while Redis is away, and not before, on an instance that only follows', async () => {
      const own = await startRedis();
      const open = () => new RedisSettingsStore({ url: own.url });
      const author = await started(open());
      const followers = await Promise.all(
        [-HOUR_MS, -60_000, 60_000, HOUR_MS].map((aheadMs) =>
          started(open(), {}, () => Date.now() + aheadMs),
        ),
      );
      const end = inMs(behindMs + 1500);
      const ends: number[] = [];
      for (const one of followers) {
        one.subscribe(({ settings }) => settings.enabled && ends.push(Date.now() + behindMs));
      }
      await author.patch({ enabled: false }, { until: end });
      await until(() => followers.every((one) => !one.get().enabled));
      await own.stop();
      await until(() => followers.every((one) => one.get().enabled));
      assert.equal(ends.length, followers.length);
      // The clocks of two processes may differ by the slewing of a second.
      for (const at of ends) assert.ok(at > end.getTime() - 20, `${end.getTime() - at} ms early`);
    });

    it('are not ended by a wrong clock at a start, where Redis answers', async () => {
      const own = await startRedis();
      const lastKnownGoodPath = join(folder, 'known.json');
      const open = (aheadMs: number): Service => {
        const made = new SettingsService({
          schema: metricsSettings,
          store: new RedisSettingsStore({ url: own.url }),
          now: () => Date.now() + behindMs + aheadMs,
          lastKnownGoodPath,
        });
        services.push(made);
        return made;
      };
      const first = open(0);
      await first.patch({ enabled: false }, { until: inMs(behindMs + HOUR_MS) });
      await first.close();
      const ahead = open(2 * HOUR_MS);
      const seen: boolean[] = [];
      let hasAnswered = true;
      ahead.subscribe(({ settings }) => hasAnswered && seen.push(settings.enabled));
      // The machine may be too busy for an answer in time.
      ahead.subscribeStatus(({ state }) => {
        hasAnswered &&= state !== 'stale';
      });
      await ahead.start();
      assert.equal(ahead.get().enabled, false);
      assert.ok(!seen.includes(true));
      await ahead.close();
      await own.stop();
      const alone = open(2 * HOUR_MS);
      await alone.start();
      assert.equal(alone.status.state, 'stale');
      assert.equal(alone.get().enabled, true, 'there is no other clock');
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
