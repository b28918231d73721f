import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { TokenMeterError } from '../../src/errors.ts';
import {
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { type TestServer, freePort, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

type Service = SettingsService<MetricsSettings>;

const isUnavailable = (error: unknown): boolean =>
  error instanceof TokenMeterError && error.code === 'STORE_UNAVAILABLE';

describe('settings in Redis', () => {
  let server: TestServer;
  let folder: string;
  let admin: Redis;
  const services: Service[] = [];

  before(function () {
    requireServer(this, 'redis-server');
  });

  beforeEach(async () => {
    server = await startRedis();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
    admin = new Redis(server.url);
    admin.on('error', () => undefined);
  });

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.close()));
    admin.disconnect();
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function service(
    name: string,
    { url = server.url, pollIntervalMs = 15_000 } = {},
  ): Promise<Service> {
    const made = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url, pollIntervalMs }),
      lastKnownGoodPath: join(folder, `${name}.json`),
      instance: { id: name },
    });
    services.push(made);
    await made.start();
    return made;
  }

  it('reaches every instance by push', async () => {
    const all = await Promise.all(['a', 'b', 'c', 'd'].map((name) => service(name)));
    await all[0]!.patch({ enabled: false }, { actor: 'alice' });
    await until(() => all.every(({ version }) => version === 1));
    assert.ok(all.every((each) => !each.get().enabled && each.updated.by === 'alice'));
    const versions = async (): Promise<number[]> =>
      (await all[1]!.instances()).map(({ version }) => version);
    await until(async () => (await versions()).join() === '1,1,1,1');
    await all.pop()!.close();
    assert.equal((await all[0]!.instances()).length, 3);
  });

  it('reaches every instance by polling when the push connection is silent', async () => {
    const [a, b] = [await service('a'), await service('b', { pollIntervalMs: 300 })];
    await admin.call('ACL', 'SETUSER', 'default', 'resetchannels');
    const left = b.version;
    await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
    await a.patch({ enabled: false }).catch(() => undefined);
    await admin.hset('{otel-token-meter}:settings', { version: left + 5, '"enabled"': 'false' });
    await until(() => b.version === left + 5);
    assert.equal(b.get().enabled, false);
  });

  it('answers on and refuses changes while Redis is stopped, then catches up at once', async () => {
    const [a, b] = [await service('a'), await service('b')];
    await a.patch({ token_statistics: false });
    await until(() => b.version === 1);
    await server.kill();
    await until(() => a.status.state === 'stale' && b.status.state === 'stale');
    assert.equal(b.get().token_statistics, false);
    const begun = performance.now();
    await assert.rejects(a.patch({ enabled: false }), isUnavailable);
    assert.ok(performance.now() - begun < 10_000, 'a refusal must not hang');
    await assert.rejects(a.audit(), isUnavailable);
    await assert.rejects(a.instances(), isUnavailable);
    await server.restart();
    await until(() => a.status.state === 'ready' && b.status.state === 'ready');
    await until(async () => (await admin.hget('{otel-token-meter}:settings', 'version')) === '1');
    assert.equal(a.get().token_statistics, false, 'nobody may fall back to the defaults');
    assert.equal((await a.audit())[0]?.action, 'restore');
    await b.patch({ enabled: false });
    await until(() => a.version === 2);
    assert.deepEqual(a.get(), { enabled: false, token_statistics: false });
  });

  it('restores the newest version any instance knows', async () => {
    const [old, fresh] = [await service('old'), await service('fresh')];
    await old.patch({ enabled: false });
    await until(() => fresh.version === 1);
    await old.close();
    await fresh.patch({ token_statistics: false });
    await admin.flushall();
    const returning = await service('old');
    await until(() => returning.version === 2 && fresh.version === 2);
    assert.deepEqual(returning.get(), { enabled: false, token_statistics: false });
  });

  it('starts from the last known good on disk while Redis is down', async () => {
    const first = await service('a');
    await first.patch({ enabled: false });
    await first.close();
    await server.kill();
    const second = await service('a');
    assert.equal(second.get().enabled, false);
    assert.equal(second.version, 1);
    assert.equal(second.status.state, 'stale');
  });

  it('starts with the defaults where there never was a Redis', async () => {
    const begun = performance.now();
    const alone = await service('a', { url: `redis://127.0.0.1:${await freePort()}` });
    assert.ok(performance.now() - begun < 10_000);
    assert.equal(alone.get().enabled, true);
    assert.equal(alone.status.state, 'unknown');
  });

  it('comes through killed connections without a missed change', async () => {
    const [a, b] = [await service('a'), await service('b')];
    for (let i = 1; i <= 5; i++) {
      await admin.call('CLIENT', 'KILL', 'TYPE', 'pubsub');
      await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await until(async () => {
        try {
          return (await a.patch({ enabled: i % 2 === 0 })).changed || a.version >= i;
        } catch {
          return false;
        }
      });
      await until(() => b.version === a.version && b.get().enabled === (i % 2 === 0));
    }
  });

  it('says stale while Redis hangs, and recovers', async () => {
    const a = await service('a', { pollIntervalMs: 300 });
    await a.patch({ enabled: false });
    await admin.call('CLIENT', 'PAUSE', '2500', 'ALL');
    await assert.rejects(a.patch({ enabled: true }), isUnavailable);
    assert.equal(a.get().enabled, false);
    await until(() => a.status.state === 'stale');
    await until(() => a.status.state === 'ready', 8000);
    await a.patch({ enabled: null, token_statistics: false });
    assert.equal(a.get().token_statistics, false);
  });

  it('takes no answer for late that arrived while this process stood still', async () => {
    const one = await service('one');
    const patched = one.patch({ enabled: false });
    // The command is on its way.
    await new Promise((resolve) => setImmediate(resolve));
    const end = performance.now() + 1500;
    while (performance.now() < end);
    assert.equal((await patched).version, 1);
    assert.equal(one.status.state, 'ready');
  });

  it('makes its connections from a client of the application and leaves that alone', async () => {
    const client = new Redis(server.url, { keyPrefix: 'theirs:', db: 3 });
    const made = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ client, keyPrefix: 'my-app' }),
      lastKnownGoodPath: false,
    });
    services.push(made);
    await made.patch({ enabled: false });
    await made.close();
    assert.deepEqual(await client.keys('*'), await client.keys('{my-app}:settings*'));
    assert.equal(await client.ping(), 'PONG');
    client.disconnect();
    await admin.select(3);
    assert.equal(await admin.hget('{my-app}:settings', 'version'), '1');
  });

  it('needs no more rights than the guide lists', async () => {
    const guide = readFileSync(new URL('../../docs/settings.md', import.meta.url), 'utf8');
    const [, rules = ''] = /^ACL SETUSER app on (.*)$/m.exec(guide) ?? [];
    await admin.call('ACL', 'SETUSER', 'app', 'reset', 'on', ...rules.split(' '));
    const make = async (): Promise<Service> => {
      const store = new RedisSettingsStore({
        url: `redis://app:password@127.0.0.1:${server.port}`,
        keyPrefix: 'my-app',
      });
      const made = new SettingsService({
        schema: metricsSettings,
        store,
        lastKnownGoodPath: false,
      });
      services.push(made);
      await made.start();
      return made;
    };
    const [a, b] = [await make(), await make()];
    await a.patch({ enabled: false });
    await until(() => b.version === 1);
    await until(async () => (await b.instances()).length === 2);
    assert.equal((await a.audit()).length, 1);
    assert.deepEqual(await admin.call('ACL', 'LOG'), []);
  });

  it('shows no password in errors', async () => {
    await admin.call('ACL', 'SETUSER', 'app', 'on', '>right', '~*', '+@all', '&*');
    const url = `redis://app:canary-secret@127.0.0.1:${server.port}`;
    const store = new RedisSettingsStore({ url });
    const reported: unknown[] = [];
    const listener = {
      onTime: () => undefined,
      onState: () => undefined,
      onAvailable: () => undefined,
      onUnavailable: (error: unknown) => void reported.push(error),
    };
    await store.start(listener).catch((error: unknown) => reported.push(error));
    await store.stop(listener);
    assert.ok(reported.length > 0);
    const { inspect } = await import('node:util');
    assert.doesNotMatch(inspect(reported, { depth: 9 }) + store.address, /canary-secret/);
  });
});
