/**
 * Measures the dashboard in Chromium without caches: time from navigation to the first figures, to
 * the chart, and to the last panel, for a ledger of 90 days:
 *
 *     npm run bench:dashboard -- [--records 1000000] [--rounds 9]
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
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
  },
});
const rounds = Number(options.rounds);
const perDay = Math.ceil(Number(options.records) / CALLS_PER_DAILY_CONVERSATION);

function fill(path: string): number {
  const file = new LedgerFile({ path, busyTimeoutMs: 1000 });
  let count = 0;
  let batch = [];
  for (const record of officeUsage({ until: Date.now(), days: DAYS, perDay })) {
    batch.push(record);
    if (batch.length < BATCH) continue;
    count += file.write(batch);
    batch = [];
  }
  count += file.write(batch);
  file.close();
  return count;
}

const spread = (times: readonly number[]): string => {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(0);
  return `${at(0.5)} (${at(0)}–${sorted.at(-1)!.toFixed(0)})`;
};

const folder = mkdtempSync(join(tmpdir(), 'token-meter-bench-'));
const ledger = join(folder, 'usage.db');
const browser = await startBrowser();
try {
  const count = fill(ledger);
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
  for (let round = 0; round < rounds; round++) {
    for (const { range, figures, chart, loaded } of times) {
      // A new session has no cache.
      const { page, close } = await openPage(browser);
      await page.context().addCookies([await sessionCookie(origin)]);
      await page.addInitScript(WATCH);
      await page.goto(`${origin}/?range=${range}`);
      await page.waitForSelector('#dashboard[data-loaded]', { timeout: 60_000 });
      figures.push(await page.evaluate<number>('window.figuresAt'));
      chart.push(await page.evaluate<number>('window.chartAt'));
      loaded.push(await page.evaluate<number>('window.loadedAt'));
      await close();
    }
  }
  console.log('\n| range | figures ms (min–max) | chart ms (min–max) | all panels ms (min–max) |');
  console.log('|---|--:|--:|--:|');
  for (const { range, figures, chart, loaded } of times) {
    console.log(`| ${range} | ${spread(figures)} | ${spread(chart)} | ${spread(loaded)} |`);
  }
  await served.close();
} finally {
  await browser.close();
  rmSync(folder, { recursive: true, force: true });
}
