import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FileSettingsStore,
  MemorySettingsStore,
  RedisSettingsStore,
  type SettingsStore,
  type StoredSettings,
} from '../../src/settings/index.ts';
import {
  type AppliedWrite,
  type SettingsWrite,
  applyWrite,
} from '../../src/settings/settings-write.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

interface Bench {
  /** A store on the same data as every other of this bench. */
  open(): SettingsStore;
  /** Takes all data away behind the stores' back; only where `wipeable` was said. */
  wipe?(): Promise<void>;
  close(): Promise<void>;
}

const nobody = { onState() {}, onAvailable() {}, onUnavailable() {} };
const empty: StoredSettings = { version: 0, values: {} };
const defaults = { enabled: true, token_statistics: true, note: '', limit: 10 };

function write(patch: SettingsWrite['patch'], more: Partial<SettingsWrite> = {}): SettingsWrite {
  const time = '2026-11-24T05:00:00Z';
  return { patch, defaults, known: empty, actor: 'alice', time, newStore: 'one', ...more };
}

async function put(store: SettingsStore, change: SettingsWrite): Promise<AppliedWrite> {
  return await store.update((stored) => applyWrite(stored, change));
}

function conforms(
  name: string,
  make: (test: Mocha.Context) => Promise<Bench>,
  { wipeable = true } = {},
): void {
  describe(`${name} settings store`, () => {
    let bench: Bench;
    let store: SettingsStore;
    const opened: { store: SettingsStore; listener: Parameters<SettingsStore['start']>[0] }[] = [];

    async function open(
      listener: Partial<Parameters<SettingsStore['start']>[0]> = {},
    ): Promise<SettingsStore> {
      const whole = { ...nobody, ...listener };
      const made = bench.open();
      opened.push({ store: made, listener: whole });
      await made.start(whole);
      return made;
    }

    beforeEach(async function () {
      bench = await make(this);
      store = await open();
    });

    afterEach(async () => {
      for (const { store: each, listener } of opened.splice(0)) await each.stop(listener);
      await bench?.close();
    });

    it('is at version 0 without values when nothing was ever changed', async () => {
      assert.deepEqual(await store.read(), empty);
      assert.deepEqual(await store.audit(10), []);
    });

    it('writes, counts the version up and audits who, when, from and to', async () => {
      const first = await put(store, write({ enabled: false }, { reason: 'costs "too" much\n' }));
      assert.equal(first.outcome, 'changed');
      assert.deepEqual(first.state, {
        store: 'one',
        epoch: 1,
        version: 1,
        values: { enabled: false },
        updatedAt: '2026-11-24T05:00:00Z',
        updatedBy: 'alice',
      });
      await put(store, write({ note: 'ünï "quoted" \\ 中文', limit: 0.1 }, { actor: 'bob' }));
      assert.deepEqual((await store.read()).values, {
        enabled: false,
        limit: 0.1,
        note: 'ünï "quoted" \\ 中文',
      });
      const [second, oldest] = await store.audit(10);
      assert.deepEqual(oldest, {
        version: 1,
        epoch: 'one.1',
        time: '2026-11-24T05:00:00Z',
        actor: 'alice',
        action: 'change',
        reason: 'costs "too" much\n',
        from: { enabled: true },
        to: { enabled: false },
        undo: { enabled: null },
      });
      assert.deepEqual(second?.from, { note: '', limit: 10 });
      assert.deepEqual(second?.undo, { note: null, limit: null });
      assert.equal((await store.audit(1)).length, 1);
    });

    it('keeps the version when a patch changes nothing', async () => {
      assert.equal((await put(store, write({ enabled: true }))).outcome, 'unchanged');
      assert.equal((await put(store, write({ enabled: null }))).outcome, 'unchanged');
      await put(store, write({ enabled: false }));
      const again = await put(store, write({ enabled: false, limit: 10 }));
      assert.equal(again.outcome, 'unchanged');
      assert.equal(again.state.version, 1);
      assert.equal((await store.audit(10)).length, 1);
    });

    it('goes back to the default by null and remembers how to undo that', async () => {
      await put(store, write({ enabled: false, limit: 3 }));
      const back = await put(store, write({ enabled: null }));
      assert.deepEqual(back.state.values, { limit: 3 });
      const [entry] = await store.audit(1);
      assert.deepEqual(entry?.from, { enabled: false });
      assert.deepEqual(entry?.to, { enabled: true });
      assert.deepEqual(entry?.undo, { enabled: false });
    });

    it('refuses a write for another version and says which one it is at', async () => {
      await put(store, write({ enabled: false }, { ifVersion: 0 }));
      const late = await put(store, write({ enabled: true }, { ifVersion: 0 }));
      assert.equal(late.outcome, 'conflict');
      assert.equal(late.state.version, 1);
      assert.deepEqual((await store.read()).values, { enabled: false });
    });

    it('lets exactly one of many writers of one version win', async () => {
      const stores = [store, await open(), await open()];
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          put(stores[i % 3]!, write({ limit: i + 100 }, { ifVersion: 0 })),
        ),
      );
      assert.equal(results.filter(({ outcome }) => outcome === 'changed').length, 1);
      assert.equal((await store.read()).version, 1);
    });

    it('loses none of many unconditional writes and audits each once', async () => {
      const stores = [store, await open(), await open()];
      await Promise.all(
        Array.from({ length: 60 }, (_, i) => put(stores[i % 3]!, write({ limit: i + 100 }))),
      );
      assert.equal((await store.read()).version, 60);
      const versions = (await store.audit(100)).map(({ version }) => version);
      assert.deepEqual(
        versions,
        Array.from({ length: 60 }, (_, i) => 60 - i),
      );
    });

    it('tells another store on the same data at once', async () => {
      const seen: StoredSettings[] = [];
      await open({ onState: (state) => void seen.push(state) });
      await put(store, write({ enabled: false }));
      await until(() => seen.some(({ version }) => version === 1), 1000);
      assert.deepEqual(seen.at(-1)?.values, { enabled: false });
    });

    it('catches up with a writer that knows a newer version, then applies its patch', async () => {
      const known: StoredSettings = { version: 41, values: { limit: 7 }, updatedBy: 'carol' };
      const { state } = await put(store, write({ enabled: false }, { known }));
      assert.equal(state.version, 42);
      assert.deepEqual(state.values, { enabled: false, limit: 7 });
      assert.deepEqual(
        (await store.audit(10)).map(({ version, action }) => `${action} ${version}`),
        ['change 42', 'restore 41'],
      );
    });

    it('restores by an empty patch, and never goes back', async () => {
      const known: StoredSettings = { version: 41, values: { limit: 7 }, updatedBy: 'carol' };
      const older: StoredSettings = { version: 40, values: { limit: 6 } };
      assert.equal((await put(store, write({}, { known }))).state.version, 41);
      const { state } = await put(store, write({}, { known: older }));
      assert.deepEqual(state.values, { limit: 7 });
      assert.equal(state.version, 41);
      assert.equal(state.updatedBy, 'carol');
    });

    it('gives one version with two contents a new version', async () => {
      await put(store, write({ limit: 1 }));
      const known: StoredSettings = { store: 'one', epoch: 1, version: 1, values: { limit: 2 } };
      const { state } = await put(store, write({}, { known }));
      assert.equal(state.version, 2);
      assert.deepEqual(state.values, { limit: 1 });
      const [entry] = await store.audit(1);
      assert.equal(entry?.action, 'adopt');
      assert.deepEqual([entry?.from, entry?.to], [{ limit: 2 }, { limit: 1 }]);
      assert.deepEqual(entry?.undo, { limit: 2 });
    });

    it('carries along what this release does not know, nested and in any spelling', async () => {
      const ofNewer = { camelCase: 1.5, 'dotted.name': { deep: [1, null] }, next_setting: 'x' };
      await store.update((stored) => ({
        state: {
          ...stored,
          store: 'one',
          epoch: 1,
          version: 1,
          values: ofNewer,
          extra: { later: 2 },
        },
        entries: [
          { version: 1, time: '', actor: 'newer', action: 'change', from: {}, to: {}, undo: {} },
        ],
      }));
      const known = await store.read();
      const changed = await put(store, write({ enabled: false }, { known, ifVersion: 1 }));
      assert.equal(changed.outcome, 'changed');
      const { values, extra, version } = await store.read();
      assert.deepEqual(values, { ...ofNewer, enabled: false });
      assert.deepEqual([extra, version], [{ later: 2 }, 2]);
      const again = await put(
        store,
        write({ enabled: null }, { known: changed.state, ifVersion: 2 }),
      );
      assert.equal(again.outcome, 'changed', 'a second If-Match must not fail');
    });

    it('never overwrites a newer decision of another store or of a later epoch', async () => {
      const later = '2026-11-25T00:00:00Z';
      await put(store, write({ limit: 1 }, { time: later }));
      const old = { version: 41, values: { limit: 7 }, updatedAt: '2026-10-01T00:00:00Z' };
      const ofAnotherStore: StoredSettings = { ...old, store: 'two', epoch: 3 };
      const replaced = await put(store, write({}, { known: ofAnotherStore }));
      assert.deepEqual([replaced.relation, replaced.entries], ['replaced', []]);
      const ofThisStore: StoredSettings = { ...old, store: 'one', epoch: 1 };
      const younger = await put(store, write({}, { known: ofThisStore }));
      assert.deepEqual([younger.relation, younger.state.values], ['newer', { limit: 1 }]);
      const stale = await put(store, write({ limit: 2 }, { known: ofAnotherStore, ifVersion: 1 }));
      assert.equal(stale.outcome, 'conflict', 'the version of another store is no version here');
    });

    it('lists reporting instances until they leave or expire', async () => {
      const report = {
        id: 'one/../../x',
        name: 'app',
        host: 'h',
        pid: 1,
        version: 3,
        state: 'ready',
        startedAt: '2026-11-24T05:00:00Z',
        details: { exporter: { state: 'ok' } },
      } as const;
      await store.report(report, 60_000);
      await store.report({ ...report, id: 'two' }, 60_000);
      await store.report({ ...report, id: 'three' }, 60);
      await store.report({ ...report, version: 4 }, 60_000);
      await new Promise((resolve) => setTimeout(resolve, 120));
      await store.forget('two');
      const [found, ...others] = await store.instances();
      assert.deepEqual(others, []);
      assert.match(found?.lastSeenAt ?? '', /^\d{4}-\d\d-\d\dT.*Z$/);
      assert.deepEqual(
        { ...found, lastSeenAt: undefined },
        {
          ...report,
          version: 4,
          lastSeenAt: undefined,
        },
      );
    });

    it('says nothing any more after stop', async () => {
      let told = 0;
      const listener = { ...nobody, onState: () => void told++ };
      const other = bench.open();
      await other.start(listener);
      await other.stop(listener);
      told = 0;
      await put(store, write({ enabled: false }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(told, 0);
    });

    if (!wipeable) return;
    it('is empty after its data were taken away, and can be written again', async () => {
      await put(store, write({ enabled: false }));
      await bench.wipe?.();
      assert.deepEqual(await store.read(), empty);
      const known: StoredSettings = { version: 1, values: { enabled: false } };
      assert.equal((await put(store, write({ limit: 5 }, { known }))).state.version, 2);
    });
  });
}

conforms(
  'memory',
  async () => {
    const store = new MemorySettingsStore();
    return { open: () => store, close: async () => {} };
  },
  { wipeable: false },
);

conforms('file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
  return {
    open: () => new FileSettingsStore({ path: join(folder, 'settings.json') }),
    wipe: async () => rmSync(join(folder, 'settings.json'), { force: true }),
    close: async () => rmSync(folder, { recursive: true, force: true }),
  };
});

describe('with a real Redis', () => {
  let server: TestServer;
  let prefix = 0;

  before(async function () {
    requireServer(this, 'redis-server');
    server = await startRedis();
  });

  after(async () => {
    await server?.stop();
  });

  conforms('Redis', async () => {
    const keyPrefix = `conformance-${++prefix}`;
    return {
      open: () => new RedisSettingsStore({ url: server.url, keyPrefix }),
      wipe: async () => {
        const { Redis } = await import('ioredis');
        const client = new Redis(server.url);
        await client.flushall();
        client.disconnect();
      },
      close: async () => {},
    };
  });
});
