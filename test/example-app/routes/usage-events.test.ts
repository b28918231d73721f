import assert from 'node:assert/strict';
import { healthOf } from '../../../example-app/routes/dashboard-health.ts';
import { usageEventsRoute } from '../../../example-app/routes/usage-events.ts';
import { TokenMeterError, type UsagePage, type UsageReader } from '../../../exporter/index.ts';
import { type ServedApp, asViewer, serveApp } from '../../support/app.ts';
import { type ReceivedEvents, receiveEvents } from '../../support/event-source.ts';
import { until } from '../../support/until.ts';
import { type UsageApp, serveUsage } from '../../support/usage-app.ts';
import { usageAlert } from '../../support/usage-alerts.ts';
import { usageRecord } from '../../support/usage-logs.ts';

describe('GET /api/usage/events', () => {
  let app: ServedApp;
  let stopping: AbortController;
  let looks: number;
  /** Until when a look takes. */
  let looking: Promise<void> | undefined;
  let newest: () => string;
  let dropped: number;
  const streams: ReceivedEvents[] = [];

  beforeEach(async () => {
    stopping = new AbortController();
    looks = 0;
    looking = undefined;
    newest = () => 'first';
    dropped = 0;
    const exporter = () => ({
      state: 'ok' as const,
      accepted: looks,
      delivered: 0,
      dropped: { queue_full: dropped },
      retries: 0,
      spoolBytes: 0,
    });
    const records = async (): Promise<UsagePage> => {
      looks += 1;
      await looking;
      return { records: [usageRecord(Date.now(), { id: newest() })] };
    };
    app = await serveApp({
      routes: [
        usageEventsRoute({
          reader: { records } as unknown as UsageReader,
          health: () => ({ ...healthOf({ exporter }) }),
          stopping: stopping.signal,
          maxStreams: 3,
          everyMs: 10,
        }),
      ],
    });
  });

  afterEach(async () => {
    for (const stream of streams.splice(0)) stream.close();
    await app.close();
  });

  async function watch(): Promise<ReceivedEvents> {
    const stream = await receiveEvents(`${app.origin}/api/usage/events`, asViewer);
    streams.push(stream);
    return stream;
  }

  const sequences = ({ events }: ReceivedEvents): unknown[] =>
    events.filter(({ event }) => event === 'usage').map(({ data }) => data['sequence']);

  it('says that there is news once for each look that found some', async () => {
    const stream = await watch();
    await until(() => looks > 3);
    assert.deepEqual(sequences(stream), [1], 'what was there before is no news');
    newest = () => 'second';
    await until(() => sequences(stream).length === 2);
    const before = looks;
    await until(() => looks > before + 3);
    assert.deepEqual(sequences(stream), [1, 2]);
  });

  it('tells the sequence once changes of it are noticed, not before', async () => {
    const answer = Promise.withResolvers<void>();
    looking = answer.promise;
    const stream = await watch();
    await until(() => stream.events.some(({ event }) => event === 'health'));
    const second = await watch();
    await until(() => second.events.some(({ event }) => event === 'health'));
    assert.deepEqual([sequences(stream), sequences(second)], [[], []]);
    answer.resolve();
    await until(() => sequences(stream).length > 0 && sequences(second).length > 0);
    const late = await watch();
    await until(() => sequences(late).length > 0);
    assert.deepEqual([stream, second, late].map(sequences), [[1], [1], [1]]);
  });

  it('counts the time in which nobody watched as news', async () => {
    const first = await watch();
    await until(() => sequences(first).length > 0);
    first.close();
    await until(async () => {
      const before = looks;
      await new Promise((resolve) => setTimeout(resolve, 60));
      return looks === before;
    });
    const second = await watch();
    await until(() => sequences(second).length > 0);
    assert.deepEqual(sequences(second), [2]);
  });

  it('counts a ledger that goes away, and one that comes back, as news', async () => {
    const stream = await watch();
    await until(() => looks > 1);
    newest = () => {
      throw new TokenMeterError('DATABASE_UNAVAILABLE', 'gone');
    };
    await until(() => sequences(stream).length === 2);
    newest = () => 'first';
    await until(() => sequences(stream).length === 3);
  });

  it('tells the health when something happened, not when only time went by', async () => {
    const stream = await watch();
    const healths = (): number => stream.events.filter(({ event }) => event === 'health').length;
    await until(() => looks > 2);
    dropped = 3;
    await stream.next(({ event, data }) => {
      const exporter = data['exporter'] as { dropped: Record<string, number> } | undefined;
      return event === 'health' && exporter?.dropped['queue_full'] === 3;
    });
    assert.ok(healths() > 1);
  });

  it('looks only while somebody watches, for any number of them once', async () => {
    assert.equal(looks, 0);
    const [first, second] = [await watch(), await watch()];
    await until(() => looks > 2);
    first.close();
    second.close();
    await until(async () => {
      const before = looks;
      await new Promise((resolve) => setTimeout(resolve, 60));
      return looks === before;
    });
  });

  it('refuses strangers and more streams than it can bear, and ends all when it stops', async () => {
    assert.equal((await fetch(`${app.origin}/api/usage/events`)).status, 401);
    const stream = await watch();
    await watch();
    await watch();
    const refused = await fetch(`${app.origin}/api/usage/events`, { headers: asViewer });
    assert.equal(refused.status, 503);
    assert.equal(refused.headers.get('retry-after'), '10');
    await refused.body?.cancel();
    stopping.abort();
    await until(() => stream.ended);
  });
});

describe('GET /api/usage/health', () => {
  let usage: UsageApp;

  beforeEach(async () => {
    usage = await serveUsage();
  });

  afterEach(async () => {
    await usage.close();
  });

  const ask = async (): Promise<Record<string, unknown>> => {
    const url = `${usage.app.origin}/api/usage/health`;
    assert.equal((await fetch(url)).status, 401);
    const answer = await fetch(url, { headers: asViewer });
    assert.equal(answer.status, 200);
    return (await answer.json()) as Record<string, unknown>;
  };

  it('tells what the exporter did and which settings are in force', async () => {
    await usage.record([usageRecord(Date.now())]);
    await usage.settings.patch({ token_statistics: false }, { actor: 'ada' });
    const { exporter, settings, alerts } = await ask();
    const { state, accepted, retries } = exporter as Record<string, unknown>;
    assert.deepEqual([state, accepted, retries], ['ok', 1, 0]);
    const { updated_at: at, ...rest } = settings as Record<string, unknown>;
    assert.ok(Date.parse(String(at)) > 0);
    assert.deepEqual(rest, {
      enabled: true,
      token_statistics: false,
      version: 1,
      state: 'ready',
      updated_by: 'ada',
    });
    assert.deepEqual(alerts, []);
  });

  it('tells the currency of display with its rate, and why a list is not in use', async () => {
    const currency = { code: 'EUR', usdPerUnit: 1.08, date: '2026-11-01' };
    usage.health.prices = () => ({ name: 'genai-prices 0.1.8', problem: 'no answer', currency });
    const { prices } = await ask();
    assert.deepEqual(prices, {
      name: 'genai-prices 0.1.8',
      problem: 'no answer',
      currency: { code: 'EUR', usd_per_unit: 1.08, date: '2026-11-01' },
    });
  });

  it('tells alerts in the order it got them, and where prices come from', async () => {
    usage.health.exporter = () => undefined;
    usage.health.prices = () => ({ name: 'genai-prices 0.1.8', date: '2026-09-23' });
    usage.health.alerts = () => [usageAlert()];
    const { exporter, prices, alerts } = await ask();
    assert.equal(exporter, undefined);
    assert.deepEqual(prices, { name: 'genai-prices 0.1.8', date: '2026-09-23' });
    assert.deepEqual(alerts, [
      {
        rule: 'daily budget',
        level: 'alert',
        metric: 'costUsd',
        by: 'user',
        key: 'eve',
        value: 12.5,
        threshold: 10,
        no_data: false,
        window_ms: 86_400_000,
        since: '2026-11-25T07:00:00.000Z',
      },
    ]);
  });
});
