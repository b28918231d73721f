import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import type { BudgetJson } from '../../src/budgets/index.ts';
import {
  type AuditEntry,
  MemorySettingsStore,
  RedisSettingsStore,
  type SettingsStore,
  type StoredSettings,
  configuredSettingsStore,
} from '../../src/settings/index.ts';
import {
  type AppliedWrite,
  type SettingsWrite,
  applyWrite,
} from '../../src/settings/settings-write.ts';
import { redisTimeMs } from '../support/redis-time.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';

interface Bench {
  /** A store on the same data as every other of this bench. */
  open(): SettingsStore;
  /** Takes all data away behind the stores' back; only where `wipeable` was said. */
  wipe?(): Promise<void>;
  /** Of a server, which has the true time where the clock of the tests is shifted, ms. */
  nowMs?(): Promise<number>;
  close(): Promise<void>;
}

/** Values of a schema, by the names that the cases use. */
interface Sample {
  readonly document: string | undefined;
  readonly on: unknown;
  readonly off: unknown;
  readonly text: (text: string) => unknown;
  readonly number: (number: number) => unknown;
}

const switches: Sample = {
  document: undefined,
  on: true,
  off: false,
  text: (text) => text,
  number: (number) => number,
};

const budgetOf = (limit: BudgetJson['limit'], scope: BudgetJson['scope'] = {}): BudgetJson => ({
  scope,
  window: { calendar: 'month', time_zone: 'Asia/Kathmandu' },
  limit,
  at: [0.5, 1],
});

const budgets: Sample = {
  document: 'budgets',
  on: budgetOf({ usd: 100 }),
  off: { ...budgetOf({ usd: 100 }), mode: 'block' },
  text: (user) => budgetOf({ tokens: 5 }, { user: user === '' ? null : [user, null] }),
  number: (number) => budgetOf({ usd: number }),
};

const nobody = { onTime() {}, onState() {}, onAvailable() {}, onUnavailable() {} };
const empty: StoredSettings = { version: 0, values: {} };

async function put(store: SettingsStore, change: SettingsWrite): Promise<AppliedWrite> {
  return await store.update((stored) => applyWrite(stored, change));
}

function conforms(
  name: string,
  make: (test: Mocha.Context, document: string | undefined) => Promise<Bench>,
  { wipeable = true } = {},
): void {
  for (const sample of [switches, budgets]) conformsWith(sample, name, make, wipeable);
}

function conformsWith(
  sample: Sample,
  name: string,
  make: (test: Mocha.Context, document: string | undefined) => Promise<Bench>,
  wipeable: boolean,
): void {
  const { on, off, text, number } = sample;
  const defaults = { enabled: on, token_statistics: on, note: text(''), limit: number(10) };

  function write(patch: SettingsWrite['patch'], more: Partial<SettingsWrite> = {}): SettingsWrite {
    const time = '2026-11-24T05:00:00Z';
    return { patch, defaults, known: empty, actor: 'alice', time, newStore: 'one', ...more };
  }

  describe(`${name} settings store of ${sample.document ?? 'switches'}`, () => {
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
      bench = await make(this, sample.document);
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

    it('tells the time that all of its instances have in common', async () => {
      const times: number[] = [];
      const keep = (stored: StoredSettings, now: number) => {
        times.push(now);
        return { state: stored, entries: [] };
      };
      await store.update(keep);
      await (await open()).update(keep);
      const [first = 0, second = 0] = times;
      const nowMs = (await bench.nowMs?.()) ?? Date.now();
      assert.ok(Math.abs(first - nowMs) < 60_000, String(first));
      assert.ok(second >= first, `${first} ${second}`);
    });

    it('keeps values of teams and services, whatever their names, and their ends', async () => {
      const names = [
        'enabled@team:a.b@c:d=e "f"\\',
        'note@service:数据 平台',
        'limit@team:__proto__',
      ];
      const [first, second, third] = names as [string, string, string];
      const values = { [first]: off, [second]: text('x'), [third]: number(1) };
      await put(store, write(values, { until: '2027-01-01T00:00:00.000Z' }));
      const stored = await store.read();
      assert.deepEqual(stored.values, values);
      assert.deepEqual(Object.keys(stored.passing ?? {}).toSorted(), names.toSorted());
      await put(store, write({ [first]: null }, { known: stored }));
      assert.deepEqual(new Set(Object.keys((await store.read()).values)), new Set([second, third]));
    });

    it('writes, counts the version up and audits who, when, from and to', async () => {
      const first = await put(store, write({ enabled: off }, { reason: 'costs "too" much\n' }));
      assert.equal(first.outcome, 'changed');
      assert.deepEqual(first.state, {
        store: 'one',
        epoch: 1,
        version: 1,
        values: { enabled: off },
        updatedAt: '2026-11-24T05:00:00Z',
        updatedBy: 'alice',
      });
      await put(
        store,
        write({ note: text('ünï "quoted" \\ 中文'), limit: number(0.1) }, { actor: 'bob' }),
      );
      assert.deepEqual((await store.read()).values, {
        enabled: off,
        limit: number(0.1),
        note: text('ünï "quoted" \\ 中文'),
      });
      const [second, oldest] = await store.audit(10);
      assert.deepEqual(oldest, {
        version: 1,
        epoch: 'one.1',
        time: '2026-11-24T05:00:00Z',
        actor: 'alice',
        action: 'change',
        reason: 'costs "too" much\n',
        from: { enabled: on },
        to: { enabled: off },
        undo: { enabled: null },
      });
      assert.deepEqual(second?.from, { note: text(''), limit: number(10) });
      assert.deepEqual(second?.undo, { note: null, limit: null });
      assert.equal((await store.audit(1)).length, 1);
    });

    it('keeps the version when a patch changes nothing', async () => {
      assert.equal((await put(store, write({ enabled: on }))).outcome, 'unchanged');
      assert.equal((await put(store, write({ enabled: null }))).outcome, 'unchanged');
      await put(store, write({ enabled: off }));
      const again = await put(store, write({ enabled: off, limit: number(10) }));
      assert.equal(again.outcome, 'unchanged');
      assert.equal(again.state.version, 1);
      assert.equal((await store.audit(10)).length, 1);
    });

    it('goes back to the default by null and remembers how to undo that', async () => {
      await put(store, write({ enabled: off, limit: number(3) }));
      const back = await put(store, write({ enabled: null }));
      assert.deepEqual(back.state.values, { limit: number(3) });
      const [entry] = await store.audit(1);
      assert.deepEqual(entry?.from, { enabled: off });
      assert.deepEqual(entry?.to, { enabled: on });
      assert.deepEqual(entry?.undo, { enabled: off });
    });

    it('refuses a write for another version and says which one it is at', async () => {
      await put(store, write({ enabled: off }, { ifVersion: 0 }));
      const late = await put(store, write({ enabled: on }, { ifVersion: 0 }));
      assert.equal(late.outcome, 'conflict');
      assert.equal(late.state.version, 1);
      assert.deepEqual((await store.read()).values, { enabled: off });
    });

    it('lets exactly one of many writers of one version win', async () => {
      const stores = [store, await open(), await open()];
      const results = await Promise.all(
        Array.from({ length: 30 }, (_, i) =>
          put(stores[i % 3]!, write({ limit: number(i + 100) }, { ifVersion: 0 })),
        ),
      );
      assert.equal(results.filter(({ outcome }) => outcome === 'changed').length, 1);
      assert.equal((await store.read()).version, 1);
    });

    it('loses none of many unconditional writes and audits each once', async () => {
      const stores = [store, await open(), await open()];
      await Promise.all(
        Array.from({ length: 60 }, (_, i) =>
          put(stores[i % 3]!, write({ limit: number(i + 100) })),
        ),
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
      await put(store, write({ enabled: off }));
      await until(() => seen.some(({ version }) => version === 1), 1000);
      assert.deepEqual(seen.at(-1)?.values, { enabled: off });
    });

    it('catches up with a writer that knows a newer version, then applies its patch', async () => {
      const known: StoredSettings = {
        version: 41,
        values: { limit: number(7) },
        updatedBy: 'carol',
      };
      const { state } = await put(store, write({ enabled: off }, { known }));
      assert.equal(state.version, 42);
      assert.deepEqual(state.values, { enabled: off, limit: number(7) });
      assert.deepEqual(
        (await store.audit(10)).map(({ version, action }) => `${action} ${version}`),
        ['change 42', 'restore 41'],
      );
    });

    it('restores by an empty patch, and never goes back', async () => {
      const known: StoredSettings = {
        version: 41,
        values: { limit: number(7) },
        updatedBy: 'carol',
      };
      const older: StoredSettings = { version: 40, values: { limit: number(6) } };
      assert.equal((await put(store, write({}, { known }))).state.version, 41);
      const { state } = await put(store, write({}, { known: older }));
      assert.deepEqual(state.values, { limit: number(7) });
      assert.equal(state.version, 41);
      assert.equal(state.updatedBy, 'carol');
    });

    it('gives one version with two contents a new version', async () => {
      await put(store, write({ limit: number(1) }));
      const known: StoredSettings = {
        store: 'one',
        epoch: 1,
        version: 1,
        values: { limit: number(2) },
      };
      const { state } = await put(store, write({}, { known }));
      assert.equal(state.version, 2);
      assert.deepEqual(state.values, { limit: number(1) });
      const [entry] = await store.audit(1);
      assert.equal(entry?.action, 'adopt');
      assert.deepEqual([entry?.from, entry?.to], [{ limit: number(2) }, { limit: number(1) }]);
      assert.deepEqual(entry?.undo, { limit: number(2) });
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
      const changed = await put(store, write({ enabled: off }, { known, ifVersion: 1 }));
      assert.equal(changed.outcome, 'changed');
      const { values, extra, version } = await store.read();
      assert.deepEqual(values, { ...ofNewer, enabled: off });
      assert.deepEqual([extra, version], [{ later: 2 }, 2]);
      const again = await put(
        store,
        write({ enabled: null }, { known: changed.state, ifVersion: 2 }),
      );
      assert.equal(again.outcome, 'changed', 'a second If-Match must not fail');
    });

    it('never overwrites a newer decision of another store or of a later epoch', async () => {
      const later = '2026-11-25T00:00:00Z';
      await put(store, write({ limit: number(1) }, { time: later }));
      const old = { version: 41, values: { limit: number(7) }, updatedAt: '2026-10-01T00:00:00Z' };
      const ofAnotherStore: StoredSettings = { ...old, store: 'two', epoch: 3 };
      const replaced = await put(store, write({}, { known: ofAnotherStore }));
      assert.deepEqual([replaced.relation, replaced.entries], ['replaced', []]);
      const ofThisStore: StoredSettings = { ...old, store: 'one', epoch: 1 };
      const younger = await put(store, write({}, { known: ofThisStore }));
      assert.deepEqual([younger.relation, younger.state.values], ['newer', { limit: number(1) }]);
      const stale = await put(
        store,
        write({ limit: number(2) }, { known: ofAnotherStore, ifVersion: 1 }),
      );
      assert.equal(stale.outcome, 'conflict', 'the version of another store is no version here');
    });

    it('audits a change of any size once', async () => {
      const long = Object.fromEntries(
        Array.from({ length: 200 }, (_, i) => [`key-${i}`, text(`${'名'.repeat(200)} ${i}`)]),
      );
      await put(store, write(long));
      await put(store, write({ limit: number(1) }));
      await put(store, write({ limit: number(2) }));
      const versions = (await store.audit(10)).map(({ version }) => version);
      assert.deepEqual(versions, [3, 2, 1]);
      assert.deepEqual((await store.read()).values['key-7'], long['key-7']);
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
      await put(store, write({ enabled: off }));
      await new Promise((resolve) => setTimeout(resolve, 50));
      assert.equal(told, 0);
    });

    if (!wipeable) return;
    it('is empty after its data were taken away, and can be written again', async () => {
      await put(store, write({ enabled: off }));
      await bench.wipe?.();
      assert.deepEqual(await store.read(), empty);
      const known: StoredSettings = { version: 1, values: { enabled: off } };
      assert.equal((await put(store, write({ limit: number(5) }, { known }))).state.version, 2);
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

conforms('file', async (_test, document) => {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
  const path = join(folder, 'settings.json');
  const redis = { url: '', keyPrefix: '' };
  const options = document === undefined ? {} : { document };
  return {
    open: () => configuredSettingsStore({ store: 'file', file: { path }, redis }, options),
    wipe: async () => {
      for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
    },
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

  async function ask<T>(question: (client: Redis) => Promise<T>): Promise<T> {
    const client = new Redis(server.url);
    try {
      return await question(client);
    } finally {
      client.disconnect();
    }
  }

  conforms('Redis', async (_test, document) => {
    const keyPrefix = `conformance-${++prefix}`;
    return {
      open: () =>
        new RedisSettingsStore({
          url: server.url,
          keyPrefix,
          ...(document !== undefined && { document }),
        }),
      wipe: async () => void (await ask((client) => client.flushall())),
      nowMs: async () => await ask(redisTimeMs),
      close: async () => {},
    };
  });
});

describe('two documents in one place', () => {
  async function differ(open: (document?: string) => SettingsStore): Promise<void> {
    const [switchesStore, budgetsStore] = [open(), open('budgets')];
    const seen: StoredSettings[] = [];
    const listener = { ...nobody, onState: (state: StoredSettings) => void seen.push(state) };
    await switchesStore.start(listener);
    await budgetsStore.start(nobody);
    const entry = {
      version: 1,
      time: '',
      actor: 'a',
      action: 'change',
      from: {},
      to: {},
      undo: {},
    };
    await budgetsStore.update(() => ({
      state: { store: 'one', epoch: 1, version: 1, values: { search: budgets.on } },
      entries: [entry as AuditEntry],
    }));
    const report = { id: 'i', name: 'app', host: 'h', pid: 1, version: 1, state: 'ready' } as const;
    await budgetsStore.report({ ...report, startedAt: '' }, 60_000);
    await new Promise((resolve) => setTimeout(resolve, 60));
    assert.deepEqual((await budgetsStore.read()).values, { search: budgets.on });
    assert.deepEqual(await switchesStore.read(), empty);
    assert.deepEqual(await switchesStore.audit(10), []);
    assert.deepEqual(await switchesStore.instances(), []);
    assert.ok(seen.every(({ version }) => version === 0));
    await switchesStore.stop(listener);
    await budgetsStore.stop(nobody);
  }

  it('know nothing of each other in files', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-settings-'));
    const path = join(folder, 'settings.json');
    const redis = { url: '', keyPrefix: '' };
    await differ((document) =>
      configuredSettingsStore(
        { store: 'file', file: { path }, redis },
        document === undefined ? {} : { document },
      ),
    );
    const names = readdirSync(folder).filter((name) => name.endsWith('.json'));
    assert.deepEqual(names, ['settings.budgets.json']);
    rmSync(folder, { recursive: true });
  });

  it('know nothing of each other in Redis', async function () {
    requireServer(this, 'redis-server');
    const server = await startRedis();
    const { url } = server;
    try {
      await differ((document) =>
        configuredSettingsStore(
          { store: 'redis', file: { path: '' }, redis: { url, keyPrefix: 'two' } },
          document === undefined ? {} : { document },
        ),
      );
      for (const document of ['audit', 'changes', 'instances', 'Big', '']) {
        assert.throws(() => new RedisSettingsStore({ url, document }), /not usable/);
      }
    } finally {
      await server.stop();
    }
  });
});
