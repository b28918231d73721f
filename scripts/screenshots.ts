/**
 * Takes the screenshots of the documentation, with generated data, of all pages or some:
 *
 *     npm run docs:images -- [users calls …]
 */
import { mkdirSync } from 'node:fs';
import { sessionCookie } from '../test/support/app.ts';
import { openPage, startBrowser } from '../test/support/browser.ts';
import { officeUsage } from '../test/support/office-usage.ts';
import { serveUsage } from '../test/support/usage-app.ts';
import type { UsageRecord } from '../src/domain/usage-record.ts';

const VIEWPORT = { width: 1280, height: 1440 };
const DAY_MS = 86_400_000;

/** An afternoon with token statistics off. */
const gap = { from: startOfDay(9) + 13 * 3_600_000, to: startOfDay(8) + 9 * 3_600_000 };

function startOfDay(daysAgo: number): number {
  return new Date(Date.now() - daysAgo * DAY_MS).setHours(0, 0, 0, 0);
}

function asRecorded(record: UsageRecord): UsageRecord {
  const at = Date.parse(`${record.time.slice(0, 23)}Z`);
  if (at < gap.from || at > gap.to) return record;
  const kept = Object.entries(record).filter(
    ([key]) => !/tokens$|^tokenSource|^costUsd/i.test(key),
  );
  return Object.fromEntries(kept) as unknown as UsageRecord;
}

const audit = [
  { version: 2, time: gap.to, from: { token_statistics: false }, to: { token_statistics: true } },
  { version: 1, time: gap.from, from: { token_statistics: true }, to: { token_statistics: false } },
].map(({ time, ...change }) => ({
  ...change,
  time: new Date(time).toISOString(),
  actor: 'ada',
  action: 'change',
  reason: 'gateway migration',
  undo: {},
}));

const served = await serveUsage();
const { origin } = served.app;
served.health.prices = () => ({ name: 'genai-prices 0.1.8', date: '2026-09-23' });
await served.record([...officeUsage({ until: Date.now(), days: 62, perDay: 190 })].map(asRecorded));
mkdirSync(new URL('../docs/images/', import.meta.url), { recursive: true });
const browser = await startBrowser();
/** Name of the file, address, and what is there when the page has its data. */
const LOADED = '[data-loaded="true"]';
const PAGES = [
  ['dashboard', '/?range=30d', LOADED],
  ['users', '/users?range=30d', LOADED],
  ['user', '/user?range=30d&user=amelia.hart', LOADED],
  ['models', '/models?range=30d&model=gpt-5.1&model=claude-sonnet-4-5', LOADED],
  ['calls', '/calls', LOADED],
  ['health', '/health', '#exporter dd'],
  ['settings', '/settings', '#switches .state'],
] as const;
const LOOKS = [
  ['', { viewport: VIEWPORT, colorScheme: 'light' }],
  ['-dark', { viewport: VIEWPORT, colorScheme: 'dark' }],
  ['-phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  // Needs a font with Chinese characters, such as fonts-noto-cjk.
  ['-zh', { viewport: VIEWPORT, colorScheme: 'light', locale: 'zh-CN' }],
] as const;
const only = process.argv.slice(2);
for (const [suffix, options] of LOOKS) {
  const { page, close } = await openPage(browser, options);
  await page.context().addCookies([await sessionCookie(origin)]);
  await page.route('**/api/settings/metrics/audit?*', async (route) => {
    await route.fulfill({ json: { entries: audit } });
  });
  for (const [name, path, loaded] of PAGES) {
    if (only.length > 0 && !only.includes(name)) continue;
    await page.goto(origin + path);
    await page.waitForSelector(loaded);
    await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => undefined);
    if (name === 'calls') await page.locator('#calls tbody button').first().click();
    const file = new URL(`../docs/images/${name}${suffix}.png`, import.meta.url).pathname;
    await page.screenshot({ path: file });
    console.log(file);
  }
  await close();
}
await browser.close();
await served.close();
