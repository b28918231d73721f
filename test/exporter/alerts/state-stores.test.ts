import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { FileAlertStates } from '../../../exporter/alerts/state-file.ts';
import { type AlertStateStore, MemoryAlertStates } from '../../../exporter/alerts/state-store.ts';
import { RedisSharedMap } from '../../../src/settings/index.ts';
import { requireServer, startRedis, type TestServer } from '../../support/servers.ts';

/** Two instances that share one store; the same promises for each kind. */
function conformance(instances: () => readonly [AlertStateStore, AlertStateStore]): void {
  it('gives one of two that change the same entry the change', async () => {
    const [a, b] = instances();
    const change = (after: string) => [{ name: 'x', before: undefined, after }];
    const made = await Promise.all([a.swap(change('a')), b.swap(change('b'))]);
    const winners = made.map((names) => names.has('x'));
    assert.equal(winners.filter(Boolean).length, 1);
    const expected = winners[0] ? 'a' : 'b';
    assert.equal((await a.read()).get('x'), expected);
    assert.equal((await b.read()).get('x'), expected);
  });

  it('makes the changes that fit and leaves the others', async () => {
    const [a, b] = instances();
    await a.swap([
      { name: 'kept', before: undefined, after: '1' },
      { name: 'gone "安"\n', before: undefined, after: '2' },
    ]);
    const made = await b.swap([
      { name: 'kept', before: '0', after: '9' },
      { name: 'gone "安"\n', before: '2', after: undefined },
      { name: 'new', before: undefined, after: '' },
      { name: 'absent', before: 'x', after: 'y' },
    ]);
    assert.deepEqual([...made].sort(), ['gone "安"\n', 'new']);
    const entries = await a.read();
    assert.equal(entries.get('kept'), '1');
    assert.equal(entries.get('new'), '');
    assert.ok(!entries.has('gone "安"\n') && !entries.has('absent'));
    assert.deepEqual(await a.swap([]), new Set());
  });

  it('loses no change of many at once', async () => {
    const both = instances();
    const names = Array.from({ length: 30 }, (_, i) => `many ${i}`);
    const made = await Promise.all(
      names.map((name, i) => both[i % 2]!.swap([{ name, before: undefined, after: '1' }])),
    );
    assert.ok(made.every((one, i) => one.has(names[i]!)));
    const entries = await both[0].read();
    assert.ok(names.every((name) => entries.get(name) === '1'));
  });
}

describe('states in memory', () => {
  const store = new MemoryAlertStates();
  conformance(() => [store, store]);
});

describe('states in a file', () => {
  let folder: string;
  let path: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-alert-states-'));
    path = join(folder, 'new', 'states.json');
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  conformance(() => [new FileAlertStates({ path }), new FileAlertStates({ path })]);

  it('are private, since they name users', () => {
    assert.equal(statSync(path).mode & 0o077, 0);
  });

  it('start empty after damage, and keep the damaged file', async () => {
    writeFileSync(path, '{"states": {"x"');
    const store = new FileAlertStates({ path });
    assert.equal((await store.read()).size, 0);
    await store.swap([{ name: 'y', before: undefined, after: '1' }]);
    assert.deepEqual([...(await store.read())], [['y', '1']]);
    assert.equal(readFileSync(`${path}.damaged`, 'utf8'), '{"states": {"x"');
  });

  it('reject where the file cannot be read or written', async () => {
    const store = new FileAlertStates({ path: folder });
    await assert.rejects(store.read(), { code: 'EISDIR' });
    const blocked = join(folder, 'plain');
    writeFileSync(blocked, '');
    chmodSync(blocked, 0o600);
    const inside = new FileAlertStates({ path: join(blocked, 'states.json') });
    await assert.rejects(inside.swap([{ name: 'x', before: undefined, after: '1' }]));
  });
});

describe('states in Redis', () => {
  let server: TestServer;
  let stores: [RedisSharedMap, RedisSharedMap];
  before(async function () {
    requireServer(this, 'redis-server');
    server = await startRedis();
    const map = (): RedisSharedMap => new RedisSharedMap({ url: server.url, name: 'alerts' });
    stores = [map(), map()];
  });
  after(async () => {
    for (const store of stores ?? []) await store.close();
    await server?.stop();
  });
  conformance(() => stores);

  it('refuse wrong options', () => {
    const wrong = [
      { name: 'x' },
      { url: server.url, client: {} as never, name: 'x' },
      { url: 'http://localhost', name: 'x' },
      { url: server.url, name: 'a b' },
      { url: server.url, name: 'x', keyPrefix: '{x}' },
    ];
    for (const options of wrong) {
      assert.throws(() => new RedisSharedMap(options), { code: 'INVALID_OPTION' });
    }
  });

  it('reject while the server is away, and work when it is back', async () => {
    const [a] = stores;
    await server.kill('SIGKILL');
    await assert.rejects(a.read(), { code: 'STORE_UNAVAILABLE' });
    await assert.rejects(a.swap([{ name: 'x', before: undefined, after: '1' }]), {
      code: 'STORE_UNAVAILABLE',
    });
    await server.restart();
    for (;;) {
      const entries = await a.read().catch(() => undefined);
      if (entries) return assert.equal(entries.size, 0);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  });
});

describe('states in Redis with few permissions', () => {
  let server: TestServer;
  before(async function () {
    requireServer(this, 'redis-server');
    server = await startRedis();
    const guide = readFileSync(new URL('../../../docs/alerts.md', import.meta.url), 'utf8');
    const [, rules = ''] = /permissions `(~\{keyPrefix\}:alerts [^`]*)`/.exec(guide) ?? [];
    const client = new Redis(server.url);
    const given = rules.replace('{keyPrefix}', '{my-app}').split(' ');
    await client.call('ACL', 'SETUSER', 'app', 'on', '>password', ...given);
    client.disconnect();
  });
  after(async () => {
    await server?.stop();
  });

  it('work with those of the documentation, and reject without one of them', async () => {
    const url = server.url.replace('redis://', 'redis://app:password@');
    const allowed = new RedisSharedMap({ url, keyPrefix: 'my-app', name: 'alerts' });
    await allowed.swap([{ name: 'x', before: undefined, after: '1' }]);
    assert.deepEqual([...(await allowed.read())], [['x', '1']]);
    await allowed.close();
    const other = new RedisSharedMap({ url, keyPrefix: 'my-app', name: 'others' });
    await assert.rejects(other.read(), { code: 'STORE_UNAVAILABLE' });
    await assert.rejects(other.swap([{ name: 'x', before: undefined, after: '1' }]), {
      code: 'STORE_READ_ONLY',
    });
    await other.close();
  });
});
