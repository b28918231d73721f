import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  TokenMeterError,
  metricsSettings,
} from '../../src/settings/index.ts';
import { patchStorm } from '../support/patch-storm.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { type Fleet, startFleet } from '../support/settings-fleet.ts';
import { until } from '../support/until.ts';

const KEY = '{otel-token-meter}:settings';
/** The poll interval, and what a busy machine needs. */
const BOUND_MS = 18_000;

describe('settings of 100 instances in 5 processes', () => {
  let server: TestServer;
  let redis: Redis;
  let fleet: Fleet;
  let admin: SettingsService<MetricsSettings>;
  let directory: string;

  before(function () {
    requireServer(this, 'redis-server');
  });

  beforeEach(async () => {
    server = await startRedis();
    redis = new Redis(server.url);
    redis.on('error', () => undefined);
    directory = mkdtempSync(join(tmpdir(), 'token-meter-fleet-'));
    admin = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url: server.url }),
      lastKnownGoodPath: false,
      instance: { id: 'admin' },
    });
    await admin.start();
  });

  afterEach(async () => {
    await fleet.close();
    await admin.close();
    redis.disconnect();
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  async function start(url = server.url): Promise<void> {
    fleet = await startFleet({ url, processes: 5, perProcess: 20, directory });
  }

  /** Milliseconds from `since` until the last instance applied the version. */
  async function converged(version: number, since: number, timeoutMs: number): Promise<number> {
    await until(() => fleet.appliedAt(version).size === fleet.size, timeoutMs);
    return Math.max(...fleet.appliedAt(version).values()) - since;
  }

  const now = (): number => performance.timeOrigin + performance.now();

  it('reaches all of them within a second at the 99th percentile', async () => {
    await start();
    const delays: number[] = [];
    for (let i = 1; i <= 30; i++) {
      const since = now();
      await admin.patch({ enabled: i % 2 === 0 });
      await converged(i, since, 5000);
      for (const at of fleet.appliedAt(i).values()) delays.push(at - since);
    }
    delays.sort((a, b) => a - b);
    const [p50 = 0, p99 = 0] = [0.5, 0.99].map((p) => delays[Math.floor(p * delays.length)]);
    console.log(`      p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, 3000 applications`);
    assert.ok(p99 <= 1000, `p99 ${p99} ms`);
    await until(async () => {
      const versions = (await admin.instances()).map(({ version }) => version);
      return versions.length === 101 && versions.every((version) => version === 30);
    }, 12_000);
  });

  it('reaches all by polling when pub/sub is blocked for them', async () => {
    await redis.call('ACL', 'SETUSER', 'app', 'on', '>pass', '~*', '+@all', 'resetchannels');
    await start(`redis://app:pass@127.0.0.1:${server.port}`);
    await admin.patch({ enabled: false });
    const took = await converged(1, now(), BOUND_MS);
    console.log(`      all after ${(took / 1000).toFixed(1)} s, by polling alone`);
    assert.ok(took > 1000, 'a push came through: this test proves nothing');
  });

  it('reaches all although their connections are killed while it is pushed', async () => {
    await start();
    const since = now();
    for (let i = 1; i <= 10; i++) {
      const killed = redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await patchUntilDone({ enabled: i % 2 === 0 });
      await killed;
      if (i % 3 === 0) await redis.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    }
    await allAre(admin.version, { enabled: true, token_statistics: true });
    assert.ok(now() - since < BOUND_MS + 5000);
  });

  it('refuses changes while Redis is paused, then reaches all', async () => {
    await start();
    await redis.call('CLIENT', 'PAUSE', '4000', 'ALL');
    await assert.rejects(admin.patch({ enabled: false }), isUnavailable);
    assert.equal((await fleet.states()).length, 100, 'reads go on');
    await patchUntilDone({ token_statistics: false });
    await allAre(admin.version, { enabled: admin.get().enabled, token_statistics: false });
  });

  it('restores the newest known version when Redis comes back empty', async () => {
    await start();
    await admin.patch({ enabled: false });
    await admin.patch({ token_statistics: false });
    await converged(2, now(), 5000);
    await server.kill();
    await until(async () => (await fleet.states()).every(({ state }) => state === 'stale'), 5000);
    await assert.rejects(admin.patch({ enabled: true }), isUnavailable);
    for (const { settings } of await fleet.states()) {
      assert.deepEqual(settings, { enabled: false, token_statistics: false });
    }
    await server.restart();
    await until(async () => (await redis.hget(KEY, 'version').catch(() => '')) === '2', 10_000);
    await until(async () => (await fleet.states()).every(({ state }) => state === 'ready'), 10_000);
    await allAre(2, { enabled: false, token_statistics: false });
    const entries = await admin.audit();
    assert.deepEqual(
      entries.map(({ action, version }) => `${action} ${version}`),
      ['restore 2'],
      'one of a hundred restores, once',
    );
  });

  const isUnavailable = (error: unknown): boolean =>
    error instanceof TokenMeterError && error.code === 'STORE_UNAVAILABLE';

  async function patchUntilDone(patch: Partial<MetricsSettings>): Promise<void> {
    await until(async () => {
      try {
        await admin.patch(patch);
        return true;
      } catch (error) {
        assert.ok(isUnavailable(error), String(error));
        return false;
      }
    }, 10_000);
  }

  async function allAre(version: number, settings: MetricsSettings): Promise<void> {
    await until(
      async () => (await fleet.states()).every((each) => each.version === version),
      BOUND_MS,
    );
    for (const each of await fleet.states()) assert.deepEqual(each.settings, settings);
  }
});

describe('10,000 PATCHes at once', () => {
  let server: TestServer;

  before(async function () {
    requireServer(this, 'redis-server');
    server = await startRedis();
  });

  after(async () => {
    await server?.stop();
  });

  it('raises the version strictly and logs each change once', async () => {
    const seconds = await patchStorm(server.url, 10_000);
    console.log(`      ${seconds.toFixed(1)} s over HTTP to three instances`);
  });
});
