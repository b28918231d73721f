import assert from 'node:assert/strict';
import { settingsRoutes } from '../../../example-app/routes/settings.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  SettingsService,
  type SettingsStoreListener,
  metricsSettings,
} from '../../../src/settings/index.ts';
import { type ServedApp, asViewer, serveApp } from '../../support/app.ts';
import { type ReceivedEvents, receiveEvents } from '../../support/event-source.ts';
import { until } from '../../support/until.ts';

describe('settings events', () => {
  let app: ServedApp;
  let store: MemorySettingsStore;
  let settings: SettingsService<MetricsSettings>;
  /** What the store calls; this one never fails by itself. */
  let listener: SettingsStoreListener;
  let stopping: AbortController;
  const open: ReceivedEvents[] = [];

  beforeEach(async () => {
    store = new MemorySettingsStore();
    store.start = async (given) => {
      listener = given;
      await MemorySettingsStore.prototype.start.call(store, given);
    };
    settings = new SettingsService({
      schema: metricsSettings,
      store,
      instance: { id: 'one' },
    });
    await settings.start();
    stopping = new AbortController();
    const options = { settings, stopping: stopping.signal, maxStreams: 3, instancesEveryMs: 20 };
    app = await serveApp({ routes: settingsRoutes(options) });
  });

  afterEach(async () => {
    for (const each of open.splice(0)) each.close();
    await app.close();
    await settings.close();
    assert.deepEqual(app.errors, []);
  });

  async function watch(lastEventId?: number): Promise<ReceivedEvents> {
    const events = await receiveEvents(`${app.origin}/api/settings/metrics/events`, {
      ...asViewer,
      ...(lastEventId !== undefined && { 'last-event-id': String(lastEventId) }),
    });
    open.push(events);
    return events;
  }

  const settingsIds = ({ events }: ReceivedEvents): unknown[] =>
    events.filter(({ event }) => event === 'settings').map(({ id }) => id);

  it('begins with what is, then tells each change once, in order', async () => {
    await settings.patch({ enabled: false }, { actor: 'ada' });
    const events = await watch();
    assert.match(events.answer.headers.get('content-type') ?? '', /^text\/event-stream/);
    const first = await events.next(({ event }) => event === 'settings');
    assert.equal(first.id, '1');
    assert.deepEqual(
      { ...first.data, updated_at: undefined },
      {
        version: 1,
        settings: { enabled: false, token_statistics: true },
        updated_at: undefined,
        updated_by: 'ada',
      },
    );
    const status = await events.next(({ event }) => event === 'status');
    assert.deepEqual(status.data, { state: 'ready', store: 'memory' });
    for (const enabled of [true, false, true]) await settings.patch({ enabled });
    await events.next(({ id }) => id === '4');
    assert.deepEqual(settingsIds(events), ['1', '2', '3', '4']);
  });

  it('tells after a reconnect exactly what was missed', async () => {
    for (const enabled of [false, true, false]) await settings.patch({ enabled });
    const missedTwo = await watch(1);
    await missedTwo.next(({ id }) => id === '3');
    assert.deepEqual(settingsIds(missedTwo), ['2', '3']);
    const missedNone = await watch(3);
    await missedNone.next(({ event }) => event === 'status');
    assert.deepEqual(settingsIds(missedNone), []);
    missedNone.close();
    await until(async () => (await watch(Number.NaN)).answer.ok);
    const strange = open.at(-1)!;
    await strange.next(({ event }) => event === 'status');
    assert.deepEqual(settingsIds(strange), ['3']);
  });

  it('tells after a reconnect that a change has ended while the store took none', async () => {
    await settings.patch({ enabled: false }, { until: new Date(Date.now() + 200) });
    store.update = async () => await Promise.reject(new Error('away'));
    await until(() => settings.get().enabled);
    assert.equal(settings.version, 1);
    const events = await watch(1);
    await events.next(({ event }) => event === 'status');
    const told = events.events.find(({ event }) => event === 'settings');
    assert.deepEqual(told?.data['settings'], { enabled: true, token_statistics: true });
  });

  it('tells that the store is lost and found, and goes on', async () => {
    const events = await watch();
    await events.next(({ event }) => event === 'status');
    listener.onUnavailable(new Error('gone'));
    const stale = await events.next(({ data }) => data['state'] === 'stale');
    assert.match(String(stale.data['stale_since']), /^\d{4}-/);
    listener.onAvailable();
    // The instance of this process changes its state too: that event may come last.
    const status = (): unknown =>
      events.events.findLast(({ event }) => event === 'status')?.data['state'];
    await until(() => status() === 'ready');
  });

  it('follows the instances: joined, changed, gone', async () => {
    const events = await watch();
    const ids = (): string =>
      (
        (events.events.findLast(({ event }) => event === 'instances')?.data['instances'] ?? []) as {
          id: string;
          version: number;
        }[]
      )
        .map(({ id, version }) => `${id}@${version}`)
        .join(' ');
    await until(() => ids() === 'one@0');
    const two = {
      id: 'two',
      name: 'app',
      host: 'h',
      pid: 2,
      version: 0,
      state: 'ready',
      startedAt: new Date().toISOString(),
    } as const;
    await store.report(two, 200);
    await until(() => ids() === 'one@0 two@0');
    await settings.patch({ enabled: false });
    await until(() => ids() === 'one@1 two@0' || ids() === 'one@1');
    await until(() => ids() === 'one@1');
    const told = events.events.filter(({ event }) => event === 'instances').length;
    await new Promise((resolve) => setTimeout(resolve, 150));
    const later = events.events.filter(({ event }) => event === 'instances').length;
    assert.equal(later, told, 'no news, no event');
  });

  it('bounds the streams, and takes new ones when others have gone', async () => {
    const first = await watch();
    await watch();
    await watch();
    const refused = await watch();
    assert.equal(refused.answer.status, 503);
    assert.ok(Number(refused.answer.headers.get('retry-after')) > 0);
    first.close();
    await until(async () => (await watch()).answer.ok);
  });

  it('ends all streams at the shutdown', async () => {
    const events = await watch();
    await events.next(({ event }) => event === 'status');
    stopping.abort();
    await until(() => events.ended);
    assert.equal((await watch()).answer.status, 503);
  });
});
