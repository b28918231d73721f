/**
 * Measures the console in Chromium without caches: time from navigation to the first figures, to
 * the chart, and to the last panel of the first page; to the first row of every other page; requests
 * and bytes; and an action in the table of users. On a ledger of 90 days:
 *
 *     npm run bench:dashboard -- [--records 1000000] [--rounds 9] [--users 50000] [--only pages] [--ledger FILE]
 *
 * `--ledger`: measures a copy of this ledger instead of making one.
 */
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sqliteLedgerSize } from '../exporter/sqlite/ledger-size.ts';
import { LedgerFile } from '../exporter/sqlite/write/ledger-file.ts';
import { sessionCookie } from '../test/support/app.ts';
import { openPage, startBrowser } from '../test/support/browser.ts';
import { officeUsage } from '../test/support/office-usage.ts';
import { serveUsage } from '../test/support/usage-app.ts';

const DAYS = 90;
const BATCH = 10_000;
/** Calls that `officeUsage` generates per daily conversation, averaged over weekends and growth. */
const CALLS_PER_DAILY_CONVERSATION = 210;
const RANGES = ['24h', '7d', '30d', '90d'] as const;

/** Runs in the page and returns ms since navigation start. */
const WATCH = `
  new MutationObserver(() => {
    const figure = document.querySelector('[data-tile=calls] .figure')?.textContent;
    if (figure && figure !== '–') window.figuresAt ??= performance.now();
    if (document.querySelector('#course canvas')) window.chartAt ??= performance.now();
    if (document.querySelector('#dashboard[data-loaded]')) window.loadedAt ??= performance.now();
  }).observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
`;

const { values: options } = parseArgs({
  options: {
    records: { type: 'string', default: '1000000' },
    rounds: { type: 'string', default: '9' },
    users: { type: 'string', default: '50000' },
    only: { type: 'string' },
    ledger: { type: 'string' },
  },
});
const rounds = Number(options.rounds);
const users = Number(options.users);
const perDay = Math.ceil(Number(options.records) / CALLS_PER_DAILY_CONVERSATION);

function fill(path: string): number {
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  let count = 0;
  let batch = [];
  for (const record of officeUsage({ until: Date.now(), days: DAYS, perDay })) {
    // Few write much, and most a little.
    const user = Math.floor(
      (users * ((record.id.charCodeAt(14) * 9973 + count * 7919 + batch.length * 104_729) % 1e6)) /
        1e6,
    );
    batch.push({ ...record, userId: `user-${user}` });
    if (batch.length < BATCH) continue;
    count += file.write(batch);
    batch = [];
  }
  count += file.write(batch);
  // An application that runs for days does this meanwhile.
  while (file.sumUpDay());
  file.close();
  return count;
}

const spread = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  return `${at(0.5)} (${at(0)}–${sorted.at(-1)!.toFixed(0)})`;
};

/** Pages, and what is their first content as soon as it has a text. */
const PAGES = [
  ['/?range=7d', '#calls tbody tr'],
  ['/users?range=7d', '#users tbody tr'],
  ['/users?range=90d', '#users tbody tr'],
  ['/user?range=90d&user=user-7', '[data-tile=calls] .figure'],
  ['/models?range=30d', '#models tbody tr'],
  ['/calls', '#calls tbody tr'],
  ['/health', '#exporter dd'],
  ['/settings', '#switches .state'],
] as const;

const PATIENCE_MS = 240_000;

/** Notes in the page when it is there, ms since navigation start: asking from outside would see it up to 500 ms later. */
const watchFirst = (selector: string): string => `
  window.firstAt = new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error('nothing came')), ${PATIENCE_MS});
    new MutationObserver((_, self) => {
      const text = document.querySelector(${JSON.stringify(selector)})?.textContent ?? '';
      if (text === '' || text === '–') return;
      self.disconnect();
      resolve(performance.now());
    }).observe(document, { subtree: true, childList: true, characterData: true });
  });
`;

async function measurePages(origin: string): Promise<void> {
  console.log(
    '\n| page | first visit ms | later visits ms (min–max) | requests until loaded | kB compressed |',
  );
  console.log('|---|--:|--:|--:|--:|');
  for (const [path, first] of PAGES) {
    const times: number[] = [];
    let [requests, bytes] = [0, 0];
    for (let round = 0; round < rounds; round++) {
      const { page, close } = await openPage(browser);
      await page.context().addCookies([await sessionCookie(origin)]);
      [requests, bytes] = [0, 0];
      page.on('requestfinished', (request) => {
        requests += 1;
        void request.sizes().then(
          ({ responseBodySize }) => (bytes += responseBodySize),
          () => undefined,
        );
      });
      await page.addInitScript(watchFirst(first));
      await page.goto(origin + path);
      times.push(await page.evaluate<number>('window.firstAt'));
      await page
        .locator('[data-loaded]')
        .first()
        .waitFor({ timeout: path.startsWith('/?') ? PATIENCE_MS : 5000 })
        .catch(() => undefined);
      await page.waitForTimeout(500);
      await close();
    }
    const [cold = 0, ...later] = times;
    console.log(
      `| ${path} | ${cold.toFixed(0)} | ${spread(later)} | ${requests} | ${(bytes / 1000).toFixed(0)} |`,
    );
  }
  await measureTable(origin);
}

/** Orders, pages and a search, from the click to the row that it brings. */
async function measureTable(origin: string): Promise<void> {
  const { page, close } = await openPage(browser);
  await page.context().addCookies([await sessionCookie(origin)]);
  await page.goto(`${origin}/users?range=90d`);
  const firstRow = page.locator('#users tbody tr').first();
  await firstRow.waitFor({ timeout: PATIENCE_MS });
  const times: number[] = [];
  for (const name of ['Calls', 'Cost', 'Calls', 'Tokens', 'User', 'Cost']) {
    const took = await page.evaluate<number>(`new Promise((resolve) => {
      const button = [...document.querySelectorAll('#users th button')].find((one) => one.textContent.startsWith(${JSON.stringify(name)}));
      const began = performance.now();
      const before = document.querySelector('#users tbody').textContent;
      new MutationObserver((_, self) => {
        if (document.querySelector('#users tbody').textContent === before) return;
        self.disconnect();
        resolve(performance.now() - began);
      }).observe(document.querySelector('#users tbody'), { subtree: true, childList: true, characterData: true });
      button.click();
    })`);
    times.push(took);
  }
  console.log(`\norders of the user table: ${spread(times)} ms`);
  await close();
}

interface RangeTimes {
  readonly range: string;
  readonly figures: readonly number[];
  readonly chart: readonly number[];
  readonly loaded: readonly number[];
}

function printRanges(times: readonly RangeTimes[]): void {
  console.log('\n| range | figures ms (min–max) | chart ms (min–max) | all panels ms (min–max) |');
  console.log('|---|--:|--:|--:|');
  for (const { range, figures, chart, loaded } of times) {
    console.log(`| ${range} | ${spread(figures)} | ${spread(chart)} | ${spread(loaded)} |`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
const ledger = join(folder, 'usage.db');
const browser = await startBrowser();
try {
  if (options.ledger !== undefined) copyFileSync(options.ledger, ledger);
  const count = options.ledger === undefined ? fill(ledger) : sqliteLedgerSize(ledger).calls;
  console.log(
    `${count} calls in ${DAYS} days on SQLite; Chromium ${browser.version()}, Node ${process.version}, ` +
      `${cpus().length} × ${cpus()[0]?.model ?? ''}, load ${loadavg()[0]?.toFixed(1)}, ` +
      new Date().toISOString().slice(0, 10),
  );
  const served = await serveUsage({ ledger });
  const { origin } = served.app;
  const times = RANGES.map((range) => ({
    range,
    figures: [] as number[],
    chart: [] as number[],
    loaded: [] as number[],
  }));
  for (let round = 0; options.only === undefined && round < rounds; round++) {
    for (const { range, figures, chart, loaded } of times) {
      // A new session has no cache.
      const { page, close } = await openPage(browser);
      await page.context().addCookies([await sessionCookie(origin)]);
      await page.addInitScript(WATCH);
      await page.goto(`${origin}/?range=${range}`);
      await page.waitForSelector('#dashboard[data-loaded]', { timeout: PATIENCE_MS });
      figures.push(await page.evaluate<number>('window.figuresAt'));
      chart.push(await page.evaluate<number>('window.chartAt'));
      loaded.push(await page.evaluate<number>('window.loadedAt'));
      await close();
    }
  }
  if (options.only === undefined) printRanges(times);
  await measurePages(origin);
  await served.close();
} catch (error) {
  console.error(error);
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
