import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { calcPrice } from '@pydantic/genai-prices';
import { downloadList } from '../../src/prices/list-download.ts';
import type { ListProvider } from '../../src/prices/list-library.ts';
import { separateLibrary } from '../../src/prices/list-library.ts';
import { updateListFile, type ListUpdated } from '../../src/prices/list-update.ts';
import { LivePrices } from '../../src/prices/live-prices.ts';
import { PriceRefresh } from '../../src/prices/price-refresh.ts';
import { Prices } from '../../src/prices/prices.ts';
import { type BillAnswer, type BillApi, startBillApi } from '../support/bill-api.ts';

const CALL = {
  provider: 'openai',
  requestModel: 'gpt-4o',
  inputTokens: 1000,
  outputTokens: 100,
  time: '2026-11-01T00:00:00Z',
};
const NOW = new Date('2026-11-29T12:00:00Z');

describe('a downloaded price list', () => {
  let folder: string;
  let path: string;
  let server: BillApi | undefined;
  /** The bundled list, with gpt-4o at ten times its price. */
  let list: ListProvider[];

  before(async () => {
    const { bundled } = await separateLibrary();
    list = structuredClone([...bundled]);
    const gpt4o = list
      .find(({ id }) => id === 'openai')
      ?.models.find(({ id }) => id === 'gpt-4o') as { prices: unknown };
    gpt4o.prices = { input_mtok: 25, output_mtok: 100, cache_read_mtok: 12.5 };
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-list-'));
    path = join(folder, 'price-list.json');
  });
  afterEach(async () => {
    await server?.close();
    server = undefined;
    rmSync(folder, { recursive: true, force: true });
  });

  const update = async (body: unknown, answer: BillAnswer = {}): Promise<ListUpdated> => {
    server = await startBillApi(() => ({ body, ...answer }));
    return await updateListFile({
      url: `${server.url}/data.json?key=secret`,
      path,
      download: (url) => downloadList(url, { holdsProcess: true }),
      now: () => NOW,
    });
  };
  /** The file of a successful update. */
  let good: string | undefined;
  const goodFile = async (): Promise<string> => {
    if (good === undefined) {
      await update(list);
      await server?.close();
      good = readFileSync(path, 'utf8');
    }
    writeFileSync(path, good);
    return good;
  };
  const source = async (): Promise<Prices> => {
    const prices = new Prices({ listFile: path });
    await prices.load();
    return prices;
  };

  it('prices calls, with its file and date as the source', async () => {
    const { models, previousModels, unknownPrices } = await update(list);
    assert.equal(models, previousModels);
    assert.equal(unknownPrices, 0);
    const prices = await source();
    assert.equal(prices.costOf(CALL), 0.035);
    assert.deepEqual(prices.source, {
      name: 'genai-prices download',
      date: '2026-11-29',
      file: path,
    });
    assert.ok(!readFileSync(path, 'utf8').includes('secret'));
  });

  it('leaves the list alone that the application, or another instance, has', async () => {
    await goodFile();
    const [downloaded, bundled] = [await source(), new Prices()];
    await bundled.load();
    // In turns, with models that neither has looked up before.
    assert.equal(bundled.costOf({ ...CALL, requestModel: 'gpt-4o-2024-08-06' }), 0.0035);
    assert.equal(downloaded.costOf({ ...CALL, requestModel: 'gpt-4o-2024-11-20' }), 0.035);
    assert.equal(bundled.costOf({ ...CALL, requestModel: 'gpt-4o-2024-11-20' }), 0.0035);
    const own = calcPrice({ input_tokens: 1000, output_tokens: 100 }, 'gpt-4o', {
      providerId: 'openai',
    });
    assert.equal(own?.total_price, 0.0035);
  });

  it('with prices of kinds that are not known yet is used without them', async () => {
    const newer = structuredClone(list);
    Object.assign(newer[0]?.models[0]?.prices ?? {}, { input_thought_mtok: 1 });
    const { unknownPrices } = await update(newer);
    assert.equal(unknownPrices, 1);
    assert.ok(!readFileSync(path, 'utf8').includes('input_thought_mtok'));
  });

  for (const [what, body, message] of [
    ['half of a file', () => JSON.stringify(list).slice(0, 1000), /did not answer with JSON/],
    ['a page of a proxy', () => '<html></html>', /did not answer with JSON/],
    ['an object', () => ({ error: 'x' }), /the list must be a list of providers/],
    [
      'a list that has shrunk',
      () => list.slice(0, 3),
      /the list has \d+ models, the one in use \d+/,
    ],
    ['an empty list', () => [], /the list has 0 models/],
    [
      'a provider without models',
      () => [...list, { id: 'x' }],
      /\[\d+\] must be a provider with an id and models/,
    ],
    [
      'a price that is a text',
      () => withPrices({ input_mtok: 'free' }),
      /other\/m \(Invalid price value.*must be a model with valid prices/,
    ],
    [
      'one without OpenAI',
      () => list.filter(({ id }) => id !== 'openai'),
      /openai has 0 models with a price, in the installed list \d+: it must be at least \d+ models/,
    ],
    [
      'one with a few models of a provider',
      () =>
        list.map((each) =>
          each.id === 'anthropic' ? { ...each, models: each.models.slice(0, 5) } : each,
        ),
      /anthropic has 5 models with a price/,
    ],
    [
      'one with all prices at 0',
      () => everyPrice(() => 0),
      /anthropic has 0 models with a price, in the installed list/,
    ],
    [
      'one in dollars per token',
      () => everyPrice((price) => price / 1e6),
      /models have another price of input by a factor of more than 20/,
    ],
    ['a price below zero', () => withPrices({ input_mtok: -1 }), /other\/m/],
    [
      'a date that does not exist',
      () => withPrices([{ constraint: { start_date: 'soon' }, prices: {} }]),
      /other\/m/,
    ],
  ] as const) {
    it(`never replaces a good one by ${what}`, async () => {
      const before = await goodFile();
      await assert.rejects(update(body()), (error: Error & { code?: string }) => {
        assert.equal(error.code, 'INVALID_PRICES');
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      });
      assert.equal(readFileSync(path, 'utf8'), before);
      assert.deepEqual(readdirSync(folder), ['price-list.json'], 'no temporary file is left');
    });
  }
  const withPrices = (prices: unknown): unknown => [
    ...list,
    {
      id: 'other',
      name: 'Other',
      api_pattern: 'x',
      models: [{ id: 'm', match: { equals: 'm' }, prices }],
    },
  ];

  /** The list with every number among its prices replaced. */
  const everyPrice = (of: (price: number) => number): unknown =>
    list.map((provider) => ({
      ...provider,
      models: provider.models.map(({ prices, ...model }) => ({
        ...model,
        prices: JSON.parse(JSON.stringify(prices), (key, value: unknown) =>
          typeof value === 'number' && key !== 'start' ? of(value) : value,
        ) as unknown,
      })),
    }));

  it('is not written when the server refuses, redirects in circles or is not there', async () => {
    await assert.rejects(update('', { status: 500 }), /127\.0\.0\.1:\d+ answered with status 500$/);
    await server?.close();
    await assert.rejects(
      update('', { status: 302, headers: { location: '/data.json' } }),
      /redirects too often/,
    );
    const url = `${server?.url}/data.json?key=secret`;
    await server?.close();
    server = undefined;
    await assert.rejects(
      downloadList(url, { holdsProcess: true }),
      /cannot be read: .*ECONNREFUSED/,
    );
    assert.equal(existsSync(path), false);
  });

  it('that is damaged, or older than the installed one, is not used, and it is said why', async () => {
    writeFileSync(path, '{"retrieved": "2026-11-29T00:00:00Z"');
    const damaged = await source();
    assert.equal(damaged.costOf(CALL), 0.0035);
    assert.match(damaged.source?.problem ?? '', /price-list\.json is not usable/);
    const old = { retrieved: '2026-01-01T00:00:00Z', url: 'x', providers: list };
    writeFileSync(path, JSON.stringify(old));
    const installed = await source();
    assert.equal(installed.costOf(CALL), 0.0035);
    assert.match(installed.source?.problem ?? '', /of 2026-01-01 is older than the installed list/);
    const retrieved = '2026-11-29T00:00:00Z';
    const free = { retrieved, url: 'x', providers: everyPrice(() => 0) };
    writeFileSync(path, JSON.stringify(free));
    const other = await source();
    assert.equal(other.costOf(CALL), 0.0035);
    assert.match(other.source?.problem ?? '', /anthropic has 0 models with a price/);
  });

  describe('at run time', () => {
    const refreshing = (
      download: (url: string) => Promise<string>,
      over: { now?: () => number; onNewer?: () => Promise<void>; problems?: unknown[] } = {},
    ): PriceRefresh => {
      const refresh = new PriceRefresh({
        url: 'http://list.example/data.json',
        file: path,
        intervalMs: 86_400_000,
        onNewer: over.onNewer ?? (async () => {}),
        onProblem: (error) => over.problems?.push(error),
        download,
        now: over.now ?? (() => NOW.getTime()),
      });
      refresh.stop();
      return refresh;
    };

    it('is downloaded when it is due, once for all processes', async () => {
      let downloads = 0;
      const newer: string[] = [];
      const download = async (): Promise<string> => {
        downloads += 1;
        return JSON.stringify(list);
      };
      const first = refreshing(download, { onNewer: async () => void newer.push('first') });
      const second = refreshing(download, { onNewer: async () => void newer.push('second') });
      await first.refresh();
      await second.refresh();
      await second.refresh();
      assert.equal(downloads, 1);
      assert.deepEqual(newer, ['first', 'second']);
      const tomorrow = (): number => NOW.getTime() + 86_400_000;
      await refreshing(download, { now: tomorrow }).refresh();
      assert.equal(downloads, 2);
    });

    it('stays when the next one fails', async () => {
      const before = await goodFile();
      const problems: unknown[] = [];
      const tomorrow = (): number => NOW.getTime() + 86_400_000;
      await refreshing(async () => '[]', { now: tomorrow, problems }).refresh();
      await refreshing(() => Promise.reject(new Error('down')), {
        now: tomorrow,
        problems,
      }).refresh();
      assert.match(String(problems[0]), /the list has 0 models/);
      assert.match(String(problems[1]), /down/);
      assert.equal(readFileSync(path, 'utf8'), before);
    });

    it('reaches a running application, which reports what went wrong', async () => {
      const problems: string[] = [];
      const live = new LivePrices({
        pricesFile: join(folder, 'none.json'),
        listFile: path,
        refreshIntervalMs: 86_400_000,
        currency: 'CHF',
        onProblem: (message) => problems.push(message),
      });
      assert.equal(live.price(CALL), undefined);
      await live.load();
      assert.equal(live.price(CALL)?.costUsd, 0.0035);
      assert.match(problems.join(), /cannot read .*none\.json.*CHF has no rate/);
      assert.equal(live.source?.currency, undefined);
    });

    it('does not keep a process alive while a server does not answer', async () => {
      const silent = createServer(() => {});
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      const connected = once(silent, 'connection');
      const { port } = silent.address() as AddressInfo;
      const module = fileURLToPath(new URL('../../src/prices/price-refresh.ts', import.meta.url));
      const program = `
        import { PriceRefresh } from ${JSON.stringify(module)};
        const refresh = new PriceRefresh({
          url: 'http://127.0.0.1:${port}/data.json', file: ${JSON.stringify(path)}, intervalMs: 60_000,
          onNewer: async () => {}, onProblem: (error) => console.error(error.message),
        });
        await refresh.start();
        void refresh.refresh();
        setTimeout(() => console.log('the application is done'), 300);`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const out: string[] = [];
      child.stdout.on('data', (text) => out.push(String(text)));
      child.stderr.on('data', (text) => out.push(String(text)));
      const [code] = (await once(child, 'exit')) as [number];
      assert.equal(code, 0, out.join(''));
      assert.match(out.join(''), /the application is done/);
      await connected;
      silent.close();
    });
  });
});
