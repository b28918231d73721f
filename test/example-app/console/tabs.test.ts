import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import type { BrowserContext, Page } from 'playwright-core';
import { consolePages } from '../../support/console-pages.ts';
import { until } from '../../support/until.ts';
import { usageRecord } from '../../support/usage-logs.ts';

// Browsers have six connections for all tabs of a site. All pages of a headless browser are visible.
describe('tabs of one browser', function () {
  this.timeout(60_000);
  const pages = consolePages();
  let streams: Set<IncomingMessage>;
  let asked: string[];

  beforeEach(() => {
    streams = new Set();
    asked = [];
    pages.usage.app.server.on('request', (request: IncomingMessage, response) => {
      const path = request.url ?? '';
      asked.push(path);
      if (request.method !== 'GET' || !path.endsWith('/events')) return;
      streams.add(request);
      response.on('close', () => streams.delete(request));
    });
  });

  const isLive = async (page: Page): Promise<void> => {
    await page.waitForSelector('#live[data-state="live"], #connection[data-tone="good"]');
  };

  async function openTab(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    await page.goto(pages.usage.app.origin + path);
    return page;
  }

  async function openTabs(count: number): Promise<Page[]> {
    const paths = ['/settings', '/settings', '/', '/settings', '/', '/settings', '/settings'];
    const [first, ...others] = paths.slice(0, count) as [string, ...string[]];
    const tabs = [await pages.open(first)];
    for (const path of others) tabs.push(await openTab(tabs[0]!.context(), path));
    for (const page of tabs) await isLive(page);
    return tabs;
  }

  async function setHidden(page: Page, hidden: boolean): Promise<void> {
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
  }

  const changed = async (page: Page, on: boolean): Promise<void> => {
    const path = new URL(page.url()).pathname;
    if (path === '/') return;
    await page.waitForSelector(`#enabled${on ? ':checked' : ':not(:checked)'}`);
  };

  it('share one stream, and all seven of them work', async () => {
    const tabs = await openTabs(7);
    assert.equal(streams.size, 1);
    await pages.usage.settings.patch({ enabled: false }, { actor: 'bob' });
    for (const page of tabs) await changed(page, false);
    await pages.usage.record([usageRecord(Date.now(), { userId: 'ann' })]);
    for (const page of tabs) {
      if (new URL(page.url()).pathname === '/') await pages.shows(page, '#calls', 'ann');
    }
    // The one that has the stream saves like all others: a connection is left for it.
    await tabs[6]!.check('#enabled');
    await tabs[6]!.click('#save');
    for (const page of tabs) await changed(page, true);
    assert.equal(streams.size, 1);
  });

  it('go on when the one that has the stream crashes or is closed, however often', async () => {
    const tabs = await openTabs(4);
    for (let version = 1; tabs.length > 1; version++) {
      // The first to come has it, then the next that waited.
      const leaving = tabs.shift()!;
      if (version === 1) await leaving.goto('chrome://crash').catch(() => undefined);
      else await leaving.close();
      await until(() => streams.size === 1);
      await pages.usage.settings.patch({ enabled: version % 2 === 0 }, { actor: 'bob' });
      for (const page of tabs) await changed(page, version % 2 === 0);
    }
    assert.equal(streams.size, 1);
  });

  it('hold none while nobody sees them, and catch up when somebody does', async () => {
    const tabs = await openTabs(3);
    const [first, second] = tabs as [Page, Page];
    for (const page of tabs) await setHidden(page, true);
    await until(() => streams.size === 0);
    await pages.usage.settings.patch({ enabled: false }, { actor: 'bob' });
    await setHidden(second, false);
    await changed(second, false);
    assert.equal(streams.size, 1);
    assert.equal(await first.isChecked('#enabled'), true, 'what nobody sees is not kept up');
    await setHidden(first, false);
    await changed(first, false);
    assert.equal(streams.size, 1);
  });

  it('have a stream each where the browser has no locks', async () => {
    const page = await pages.open('/settings');
    const context = page.context();
    await context.addInitScript('delete Navigator.prototype.locks');
    await page.reload();
    await isLive(page);
    const other = await openTab(context, '/settings');
    await isLive(other);
    // That of the page before the reload ends a moment later.
    await until(() => streams.size === 2);
    await pages.usage.settings.patch({ enabled: false }, { actor: 'bob' });
    for (const each of [page, other]) await changed(each, false);
  });

  it('say that there are too many streams, and wait as long as asked', async () => {
    const page = await pages.open('/sign-in', {}, /429/);
    let refusals = 0;
    let refusedAt = 0;
    await page.route('**/api/events', async (route) => {
      refusals += 1;
      refusedAt = performance.now();
      const body = JSON.stringify({ status: 429, code: 'too_many_streams' });
      const headers = { 'retry-after': '3', 'content-type': 'application/problem+json' };
      await route.fulfill({ status: 429, headers, body });
    });
    await page.goto(`${pages.usage.app.origin}/settings`);
    await pages.shows(page, '#connection', 'Too many requests. Try again in 3 s.');
    // What is in force can be had without a stream.
    await page.waitForSelector('#enabled:checked');
    const polls = asked.filter((path) => path === '/api/settings/metrics').length;
    assert.equal(polls, 1, 'once for each try');
    // The stream, and the question why there is none.
    assert.equal(refusals, 2);
    await page.unroute('**/api/events');
    await page.waitForSelector('#connection[data-tone="good"]');
    assert.ok(performance.now() - refusedAt > 2900, 'not before it was asked to');
  });

  it('call nothing off that they do not know', async () => {
    const page = await pages.open('/sign-in', {}, /429|503/);
    await page.route(/\/api\/(events|settings\/metrics)$/, async (route) => {
      const headers = { 'retry-after': '60', 'content-type': 'application/problem+json' };
      await route.fulfill({ status: 503, headers, body: '{"status":503}' });
    });
    await page.goto(`${pages.usage.app.origin}/settings`);
    await pages.shows(page, '#connection', 'No connection');
    assert.deepEqual(await page.locator('.switch-row .state').allInnerTexts(), ['', '']);
    assert.equal(await page.innerText('#then'), '');
    assert.equal(await page.isDisabled('#enabled'), true);
  });

  it('ask for the audit log after a change, not with each call', async () => {
    const audits = (): number => asked.filter((path) => path.includes('/audit')).length;
    await pages.usage.settings.patch({ token_statistics: false }, { actor: 'ada' });
    const page = await pages.open();
    await isLive(page);
    for (let i = 1; i <= 2; i++) {
      await pages.usage.record([usageRecord(Date.now(), { userId: `user-${i}` })]);
      await pages.shows(page, '#calls tbody tr:first-child', `user-${i}`);
    }
    await pages.loaded(page);
    assert.equal(audits(), 1);
    await pages.usage.settings.patch({ token_statistics: true }, { actor: 'bob' });
    await pages.usage.record([usageRecord(Date.now(), { userId: 'last' })]);
    await pages.shows(page, '#gaps li', /Token statistics off from .* to .*, by ada/);
    assert.equal(audits(), 2);
  });

  it('show that the audit log was refused, and ask for it again when they may', async () => {
    await pages.usage.settings.patch({ token_statistics: false }, { actor: 'ada' });
    await pages.usage.record([usageRecord(Date.now(), { userId: 'ann' })]);
    const page = await pages.open('/sign-in', {}, /429/);
    let refusals = 0;
    await page.route('**/api/settings/metrics/audit?*', async (route) => {
      refusals += 1;
      if (refusals > 1) return await route.continue();
      const headers = { 'retry-after': '2', 'content-type': 'application/problem+json' };
      await route.fulfill({ status: 429, headers, body: '{"status":429}' });
    });
    await page.goto(pages.usage.app.origin);
    await pages.shows(page, '#problem', 'Too many requests. Try again in 2 s.');
    await pages.shows(page, '#calls', 'ann');
    await page.waitForSelector('#problem', { state: 'hidden' });
    await pages.shows(page, '#gaps li', /by ada/);
    assert.equal(refusals, 2);
  });

  it('stop at once when one of them signs out', async () => {
    const page = await pages.open('/settings');
    await isLive(page);
    const other = await openTab(page.context(), '/settings');
    await isLive(other);
    await other.click('#who .sign-out');
    await page.waitForURL('**/sign-in?back=%2Fsettings');
    await until(() => streams.size === 0);
  });
});
