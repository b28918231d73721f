import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { lstatSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { diag, type DiagLogger, DiagLogLevel } from '@opentelemetry/api';
import { Redis } from 'ioredis';
import { TokenMeterError } from '../../src/errors.ts';
import {
  FileSettingsStore,
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  metricsSettings,
} from '../../src/settings/index.ts';
import { type TestServer, freePort, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

type Service = SettingsService<MetricsSettings>;

const KEY = '{otel-token-meter}:settings';

describe('what happens to a store', () => {
  const services: Service[] = [];
  const log: string[] = [];
  let folder: string;

  before(() => {
    const note = (...args: unknown[]): void => void log.push(args.join(' '));
    const logger: DiagLogger = { error: note, warn: note, info: note, debug: note, verbose: note };
    diag.setLogger(logger, { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  });

  after(() => diag.disable());

  beforeEach(() => {
    log.length = 0;
    folder = mkdtempSync(join(tmpdir(), 'token-meter-life-'));
  });

  afterEach(async () => {
    await Promise.all(services.splice(0).map((each) => each.close()));
    rmSync(folder, { recursive: true, force: true });
  });

  const lastAudit = async (service: Service) => (await service.audit(1))[0];

  describe('in Redis', () => {
    let server: TestServer;
    let admin: Redis;

    before(function () {
      requireServer(this, 'redis-server');
    });

    beforeEach(async () => {
      server = await startRedis();
      admin = new Redis(server.url);
      admin.on('error', () => undefined);
    });

    afterEach(async () => {
      await Promise.all(services.splice(0).map((each) => each.close()));
      admin.disconnect();
      await server.stop();
    });

    async function service(name: string, url = server.url): Promise<Service> {
      const made = new SettingsService({
        schema: metricsSettings,
        store: new RedisSettingsStore({ url, pollIntervalMs: 300 }),
        lastKnownGoodPath: join(folder, `${name}.json`),
        instance: { id: name },
      });
      services.push(made);
      await made.start();
      return made;
    }

    it('a server that comes back does not overrule what was decided in a new Redis', async () => {
      const old = await service('old');
      for (const enabled of [false, true, false, true]) await old.patch({ enabled });
      await old.patch({ token_statistics: false });
      assert.equal(old.version, 5);
      await old.close();
      await admin.flushall();
      const fresh = await service('fresh');
      await fresh.patch({ enabled: false }, { actor: 'alice' });
      assert.equal(fresh.version, 1);
      const returning = await service('old');
      await until(() => returning.version === 1);
      assert.deepEqual(returning.get(), { enabled: false, token_statistics: true });
      assert.deepEqual(fresh.get(), { enabled: false, token_statistics: true });
      assert.equal((await lastAudit(fresh))?.action, 'change');
      assert.ok(log.some((line) => line.includes('settings store was replaced')));
      await returning.patch({ token_statistics: false }, { ifVersion: 1 });
      await until(() => fresh.version === 2);
    });

    it('an empty restart is restored with a line in log and audit: actor, from, to', async () => {
      const [a, b] = [await service('a'), await service('b')];
      await a.patch({ enabled: false }, { actor: 'alice' });
      await until(() => b.version === 1);
      const epoch = a.epoch;
      await admin.flushall();
      await until(async () => (await admin.hget(KEY, 'version')) === '1');
      const entry = await lastAudit(b);
      assert.equal(entry?.action, 'restore');
      assert.match(entry?.actor ?? '', /^app\/(a|b)$/);
      assert.deepEqual([entry?.from, entry?.to], [{ enabled: true }, { enabled: false }]);
      await until(() => a.epoch !== epoch && a.epoch === b.epoch);
      assert.ok(log.some((line) => line.includes('had lost version 1: restored')));
      assert.deepEqual([a.get().enabled, b.get().enabled], [false, false]);
    });

    it('what a laggard restored gives way to the newer decision of another server', async () => {
      const [a, b] = [await service('a'), await service('b')];
      await a.patch({ token_statistics: false });
      await until(() => b.version === 1);
      await b.close();
      await a.patch({ enabled: false });
      await a.close();
      await admin.flushall();
      const laggard = await service('b');
      await until(async () => (await admin.hget(KEY, 'version')) === '1');
      const newest = await service('a');
      await until(() => laggard.version === 2 && newest.version === 2);
      assert.equal(laggard.get().enabled, false);
    });

    it('a decision taken after a restore is not undone by an older one with a higher version', async () => {
      const [a, b] = [await service('a'), await service('b')];
      await a.patch({ token_statistics: false });
      await until(() => b.version === 1);
      await b.close();
      await a.patch({ enabled: false });
      await a.patch({ enabled: true });
      assert.equal(a.version, 3);
      await a.close();
      await admin.flushall();
      const laggard = await service('b');
      await laggard.patch({ enabled: false }, { actor: 'alice' });
      assert.equal(laggard.version, 2);
      const returning = await service('a');
      await until(() => returning.version === 2);
      assert.equal(returning.get().enabled, false);
      assert.equal(laggard.get().enabled, false);
      assert.equal((await lastAudit(laggard))?.action, 'change');
    });

    it('knows nothing where it has never been reached, and says so', async () => {
      const port = await freePort();
      const alone = await service('a', `redis://127.0.0.1:${port}`);
      assert.equal(alone.status.state, 'unknown');
      assert.ok(log.some((line) => line.includes('settings store unavailable')));
    });

    it('changes work beside fields of a newer release, which stay byte by byte', async () => {
      const a = await service('a');
      await a.patch({ enabled: true, token_statistics: false });
      const ofNewer = {
        '"next_setting"': '1.0',
        '"camelCase"': '{"deep":[1e2]}',
        later_field: '1.0',
        Sharding: 'by user',
      };
      await admin.hset(KEY, ofNewer);
      await until(async () => (await a.audit(1))[0]?.action === 'adopt');
      // The audit may be readable before the answer to the write is.
      await until(() => a.version === 2);
      const { version } = a;
      await a.patch({ enabled: false }, { ifVersion: version });
      await a.patch({ enabled: true }, { ifVersion: version + 1 });
      const hash = await admin.hgetall(KEY);
      for (const [field, text] of Object.entries(ofNewer)) assert.equal(hash[field], text, field);
      const entry = (await a.audit(10)).find(({ action }) => action === 'adopt');
      assert.deepEqual(entry?.to, { next_setting: 1, camelCase: { deep: [100] } });
      assert.deepEqual(entry?.from, { next_setting: null, camelCase: null });
    });

    it('HSET enabled false by hand is a change like any other', async () => {
      const [a, b] = [await service('a'), await service('b')];
      await a.patch({ token_statistics: false });
      await admin.hset(KEY, 'enabled', 'false');
      await until(() => !a.get().enabled && !b.get().enabled);
      await until(() => a.version === 2 && b.version === 2);
      assert.equal(a.status.state, 'ready');
      const entry = await lastAudit(a);
      assert.deepEqual(
        [entry?.action, entry?.from, entry?.to],
        ['adopt', { enabled: true }, { enabled: false }],
      );
      await b.patch({ enabled: true }, { ifVersion: 2 });
      await until(() => a.get().enabled);
      assert.equal(await admin.hget(KEY, 'enabled'), null);
      assert.ok(log.some((line) => line.includes('changed in the store from outside')));
    });

    it('a word that is no value leaves what was in force, and is named', async () => {
      const a = await service('a');
      await a.patch({ enabled: false });
      await admin.hset(KEY, '"enabled"', 'off');
      await until(() => a.status.problem !== undefined);
      assert.equal(a.get().enabled, false);
      assert.match(a.status.problem ?? '', /enabled must be a boolean, got string/);
      await a.patch({ enabled: true });
      assert.equal(a.status.problem, undefined);
      assert.equal(a.get().enabled, true);
    });

    it('needs no right to run scripts', async () => {
      await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all', '-@scripting');
      const a = await service('a', `redis://app:pw@127.0.0.1:${server.port}`);
      await a.patch({ enabled: false }, { ifVersion: 0 });
      await until(async () => (await a.instances()).length === 1);
      assert.equal(a.status.problem, undefined);
    });

    it('rights that are missing are named in the log and in the status', async () => {
      await admin.call('ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '&*', '+@all', '-@write');
      const a = await service('a', `redis://app:pw@127.0.0.1:${server.port}`);
      await until(() => a.status.problem !== undefined);
      assert.equal(a.status.state, 'ready', 'it can be read');
      assert.match(a.status.problem ?? '', /NOPERM/);
      await assert.rejects(
        a.patch({ enabled: false }),
        (error) => error instanceof TokenMeterError && error.code === 'STORE_READ_ONLY',
      );
      assert.ok(log.some((line) => /refuses changes.*NOPERM/.test(line)));
    });
  });

  describe('in a file', () => {
    let path: string;

    beforeEach(() => {
      path = join(folder, 'settings.json');
    });

    async function service(): Promise<Service> {
      const made = new SettingsService({
        schema: metricsSettings,
        store: new FileSettingsStore({ path, pollIntervalMs: 100 }),
      });
      services.push(made);
      await made.start();
      return made;
    }

    it('a file without a version is in force from the start, and gets one', async () => {
      writeFileSync(path, '{"values": {"enabled": false}}');
      const settings = await service();
      assert.equal(settings.get().enabled, false);
      await until(() => settings.version === 1);
      const entry = await lastAudit(settings);
      assert.deepEqual([entry?.from, entry?.to], [{ enabled: true }, { enabled: false }]);
    });

    it('a setting written where no value stands counts too', async () => {
      writeFileSync(path, '{"enabled": false}');
      const settings = await service();
      assert.equal(settings.get().enabled, false);
      await until(() => settings.version === 1);
    });

    it('a value of the wrong type switches nothing on: nothing is known until it is right', async () => {
      writeFileSync(path, '{"values": {"enabled": "false"}}');
      const settings = await service();
      assert.equal(settings.status.state, 'unknown');
      assert.match(settings.status.problem ?? '', /enabled must be a boolean/);
      assert.ok(log.some((line) => line.includes('stored settings are not valid')));
      await settings.patch({ enabled: false });
      assert.equal(settings.status.state, 'ready');
      assert.equal(settings.get().enabled, false);
    });

    it('keeps links, modes and unknown fields', async () => {
      const target = join(folder, 'elsewhere.json');
      writeFileSync(target, '{"version": 3, "values": {"other": [1]}, "comment": "ours"}');
      chmodSync(target, 0o664);
      symlinkSync(target, path);
      const settings = await service();
      await settings.patch({ enabled: false });
      assert.ok(lstatSync(path).isSymbolicLink());
      assert.equal(statSync(target).mode & 0o777, 0o664);
      const json = JSON.parse(readFileSync(target, 'utf8')) as Record<string, unknown>;
      assert.equal(json['comment'], 'ours');
      assert.deepEqual(json['values'], { other: [1], enabled: false });
    });

    it('logs no change that did not happen', async () => {
      const settings = await service();
      await settings.patch({ enabled: false });
      rmSync(path);
      // A folder in its place can neither be read nor replaced.
      const before = readFileSync(`${path}.audit.jsonl`, 'utf8');
      const { mkdirSync } = await import('node:fs');
      mkdirSync(path);
      await assert.rejects(settings.patch({ enabled: true }));
      assert.equal(readFileSync(`${path}.audit.jsonl`, 'utf8'), before);
    });

    it('a crash between a change and its line in the log loses neither', async () => {
      const settings = await service();
      await settings.patch({ enabled: false });
      const log = `${path}.audit.jsonl`;
      writeFileSync(log, readFileSync(log, 'utf8').slice(0, 20));
      assert.deepEqual((await lastAudit(settings))?.to, { enabled: false });
      await settings.patch({ enabled: true });
      const versions = (await settings.audit()).map(({ version }) => version);
      assert.deepEqual(versions, [2, 1]);
    });

    it('gets past a lock of the future that nobody holds', async function () {
      this.timeout(15_000);
      const settings = await service();
      writeFileSync(`${path}.lock`, '2147483646 nobody');
      const future = new Date(Date.now() + 86_400_000);
      utimesSync(`${path}.lock`, future, future);
      await settings.patch({ enabled: false });
      assert.equal(existsSync(`${path}.lock`), false);
    });
  });
});
