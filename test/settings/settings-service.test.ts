import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TokenMeterError } from '../../src/errors.ts';
import {
  FileSettingsStore,
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  type SettingsStore,
  metricsSettings,
} from '../../src/settings/index.ts';
import { until } from '../support/until.ts';

type Service = SettingsService<MetricsSettings>;

const failsWith = (code: string) => (error: unknown) =>
  error instanceof TokenMeterError && error.code === code;

describe('SettingsService', () => {
  const services: Service[] = [];
  let folder: string;
  let path: string;

  function service(
    store: SettingsStore = new MemorySettingsStore(),
    defaults: Partial<MetricsSettings> = {},
  ): Service {
    const made = new SettingsService({ schema: metricsSettings, defaults, store });
    services.push(made);
    return made;
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
    path = join(folder, 'settings.json');
  });

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers with the configured defaults before it was started', () => {
    const settings = service(undefined, { token_statistics: false });
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: false });
    assert.equal(settings.version, 0);
    assert.equal(settings.status.state, 'unknown');
  });

  it('refuses wrong defaults, wrong schemas and a store without a path at construction', () => {
    const wrong = { enabled: 'yes' } as unknown as MetricsSettings;
    assert.throws(() => service(undefined, wrong), failsWith('INVALID_OPTION'));
    const unknown = { enabeld: true } as unknown as MetricsSettings;
    assert.throws(() => service(undefined, unknown), failsWith('INVALID_OPTION'));
    assert.throws(
      () =>
        new SettingsService({
          schema: { constructor: { type: 'boolean', default: true, description: '' } } as never,
          store: new MemorySettingsStore(),
        }),
      failsWith('INVALID_OPTION'),
    );
    assert.throws(() => new FileSettingsStore({ path: '' }), failsWith('INVALID_OPTION'));
  });

  it('is changed at the instance that patched when the patch resolves', async () => {
    const settings = service();
    await settings.start();
    const result = await settings.patch({ enabled: false }, { actor: 'alice' });
    assert.deepEqual(result, {
      settings: { enabled: false, token_statistics: true },
      version: 1,
      changed: true,
    });
    assert.equal(settings.get().enabled, false);
    assert.equal(settings.updated.by, 'alice');
    assert.ok(Object.isFrozen(settings.get()));
  });

  it('goes back to the configured default by null', async () => {
    const settings = service(undefined, { enabled: false });
    await settings.patch({ enabled: true });
    assert.equal(settings.get().enabled, true);
    await settings.patch({ enabled: null });
    assert.equal(settings.get().enabled, false);
    assert.equal((await settings.audit())[0]?.undo['enabled'], true);
  });

  it('refuses what is not a patch of its schema, naming the allowed keys', async () => {
    const settings = service();
    for (const patch of [null, [], 'x', { enabled: 'no' }, { Enabled: true }, { enabled: {} }]) {
      await assert.rejects(settings.patch(patch as never), failsWith('INVALID_SETTINGS'));
    }
    const proto = JSON.parse('{"__proto__": {"enabled": false}}') as never;
    await assert.rejects(settings.patch(proto), /allowed: enabled, token_statistics/);
    assert.deepEqual(settings.check({ enabled: 1, other: 1 }), [
      { pointer: '/enabled', code: 'wrong_type', detail: 'enabled must be a boolean, got number' },
      {
        pointer: '/other',
        code: 'unknown_key',
        detail:
          '/other is not a setting; allowed: enabled, token_statistics, also as enabled@team:NAME or enabled@service:NAME',
      },
    ]);
    assert.equal(settings.version, 0);
  });

  it('lets one of two admins win who saw the same version', async () => {
    const settings = service();
    const results = await Promise.allSettled([
      settings.patch({ enabled: false }, { ifVersion: 0 }),
      settings.patch({ token_statistics: false }, { ifVersion: 0 }),
    ]);
    assert.deepEqual(
      results.map(({ status }) => status),
      ['fulfilled', 'rejected'],
    );
    assert.ok(failsWith('SETTINGS_CONFLICT')((results[1] as PromiseRejectedResult).reason));
  });

  it('notifies subscribers once per change, in order, whatever they do', async () => {
    const store = new MemorySettingsStore();
    const [one, two] = [service(store), service(store)];
    await Promise.all([one.start(), two.start()]);
    const notified: string[] = [];
    two.subscribe(() => {
      throw new Error('subscriber');
    });
    const end = two.subscribe(({ version, settings, previous }) => {
      notified.push(`${version} ${previous.enabled} ${settings.enabled}`);
      if (version === 1) void two.patch({ enabled: true });
    });
    await one.patch({ enabled: false });
    await until(() => notified.length === 2);
    end();
    await one.patch({ enabled: false });
    assert.deepEqual(notified, ['1 true false', '2 false true']);
    assert.equal(two.version, 3);
  });

  it('follows a file that other processes replace', async () => {
    const [one, two] = [
      service(new FileSettingsStore({ path })),
      service(new FileSettingsStore({ path })),
    ];
    await Promise.all([one.start(), two.start()]);
    await one.patch({ token_statistics: false });
    await until(() => two.version === 1);
    assert.equal(two.get().token_statistics, false);
    for (let i = 0; i < 100 && (await two.instances()).length < 2; i++) await sleep(10);
    const instances = await two.instances();
    assert.deepEqual(
      instances.map(({ id }) => id),
      [one.instanceId, two.instanceId].toSorted(),
    );
    assert.equal(instances[0]?.pid, process.pid);
    await two.patch({ enabled: false });
    const own = (await two.instances()).find(({ id }) => id === two.instanceId);
    assert.equal(own?.version, 2, 'of itself it needs no report');
  });

  it('gives values changed by hand a version, and ignores wrong ones', async () => {
    writeFileSync(path, '{"values": {"enabled": false, "token_statistics": "off"}}');
    const settings = service(new FileSettingsStore({ path }));
    await settings.start();
    await until(() => settings.version === 1);
    assert.deepEqual(settings.get(), { enabled: false, token_statistics: true });
    writeFileSync(path, readFileSync(path, 'utf8').replace('false', 'true'));
    await until(() => settings.version === 2);
    assert.equal(settings.get().enabled, true);
    assert.equal((await settings.audit(1))[0]?.action, 'adopt');
  });

  it('restores the newest known version when the file is taken away', async () => {
    const settings = service(new FileSettingsStore({ path, pollIntervalMs: 50 }));
    await settings.patch({ enabled: false });
    rmSync(path);
    await until(() => {
      try {
        return (JSON.parse(readFileSync(path, 'utf8')) as { version: number }).version === 1;
      } catch {
        return false;
      }
    });
    assert.equal(settings.get().enabled, false);
  });

  it('keeps the last known good and refuses changes while the file is unreadable', async () => {
    const store = new FileSettingsStore({ path, pollIntervalMs: 50 });
    const settings = service(store);
    await settings.patch({ enabled: false });
    const statuses: string[] = [];
    settings.subscribeStatus(({ state }) => void statuses.push(state));
    const good = readFileSync(path);
    writeFileSync(path, '{"version": 2, "val');
    await until(() => settings.status.state === 'stale');
    assert.equal(settings.get().enabled, false);
    assert.match(settings.status.staleSince ?? '', /^\d{4}-/);
    await assert.rejects(settings.patch({ enabled: true }), failsWith('STORE_UNAVAILABLE'));
    writeFileSync(path, good);
    await until(() => settings.status.state === 'ready');
    assert.deepEqual(statuses, ['stale', 'ready']);
    await settings.patch({ enabled: true });
    assert.equal(settings.version, 2);
  });

  it('starts with the defaults where the store cannot be used at all', async () => {
    writeFileSync(join(folder, 'not-a-folder'), '');
    const store = new FileSettingsStore({ path: join(folder, 'not-a-folder', 'settings.json') });
    const settings = service(store);
    await settings.start();
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: true });
    assert.equal(settings.status.state, 'unknown');
    assert.match(settings.status.staleSince ?? '', /^\d{4}-/);
    await assert.rejects(settings.patch({ enabled: false }), failsWith('STORE_UNAVAILABLE'));
  });

  it('does not wait for a store that never answers', async () => {
    const store = new MemorySettingsStore();
    store.start = () => new Promise(() => {});
    const settings = new SettingsService({ schema: metricsSettings, store, startTimeoutMs: 20 });
    await settings.start();
    assert.equal(settings.status.state, 'unknown');
    await settings.close();
  });

  it('is closed twice without harm and goes on answering', async () => {
    const settings = service();
    await settings.patch({ enabled: false });
    await Promise.all([settings.close(), settings.close()]);
    assert.equal(settings.get().enabled, false);
  });

  it('reads a switch in less than a microsecond', () => {
    const settings = service();
    const rounds = 200_000;
    let on = 0;
    const begun = process.cpuUsage();
    for (let i = 0; i < rounds; i++) if (settings.get().enabled) on++;
    const microseconds = process.cpuUsage(begun).user / rounds;
    assert.equal(on, rounds);
    assert.ok(microseconds < 1, `${microseconds} µs a read`);
  });
});
