import assert from 'node:assert/strict';
import { consolePages } from '../../../support/console-pages.ts';
import { usageAlert } from '../../../support/usage-alerts.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const calls = '[data-tile=calls] .figure';

describe('dashboard: live, empty, failing', () => {
  const pages = consolePages();

  it('shows a new call by itself, without losing place, focus or any element', async () => {
    const now = Date.now();
    const old = Array.from({ length: 15 }, (_, index) =>
      usageRecord(now - (index + 1) * 1000, { userId: 'ann', conversationId: `c${index}` }),
    );
    await pages.usage.record(old);
    const page = await pages.open();
    await pages.shows(page, '#live', 'Live');
    await page.evaluate(`
      for (const each of document.querySelectorAll('#calls tbody tr, #top-user li, canvas, .tile')) {
        each.setAttribute('data-before', '');
      }
      document.querySelector('#calls tbody tr:nth-child(3) button').focus();
      document.activeElement.setAttribute('data-focused', '');
      scrollTo(0, 700);
      window.shifts = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts += entry.value;
      }).observe({ type: 'layout-shift' });
    `);
    await pages.usage.record([usageRecord(Date.now(), { userId: 'bob', conversationId: 'new' })]);
    await pages.shows(page, '#calls tbody tr:first-child', 'bob');
    await pages.loaded(page);
    assert.equal(await page.innerText(calls), '16');
    assert.equal(await page.locator('#calls tbody tr[data-before]').count(), 14, 'rows are kept');
    assert.equal(await page.locator('#top-user li[data-before]').count(), 1);
    assert.equal(await page.locator('canvas:not([data-before])').count(), 0, 'charts are kept');
    assert.equal(await page.evaluate(`document.activeElement.hasAttribute('data-focused')`), true);
    assert.equal(await page.evaluate('scrollY'), 700);
    assert.ok((await page.evaluate<number>('window.shifts')) < 0.1, 'nothing jumps');
  });

  it('leaves an older page of calls where it is', async () => {
    const now = Date.now();
    await pages.usage.record(
      Array.from({ length: 20 }, (_, i) =>
        usageRecord(now - (i + 1) * 1000, { conversationId: `c${i}` }),
      ),
    );
    const page = await pages.open();
    await pages.shows(page, '#live', 'Live');
    await page.click('#calls .page-after');
    await pages.shows(page, '#calls tbody tr:first-child', 'c15');
    await pages.usage.record([usageRecord(Date.now(), { conversationId: 'new' })]);
    await pages.shows(page, calls, '21');
    assert.match(await page.innerText('#calls tbody tr:first-child'), /c15/);
  });

  it('shows a call of the time before changes are noticed', async () => {
    await pages.usage.record([usageRecord(Date.now() - 1000)]);
    const page = await pages.open('/sign-in');
    const recorded = Promise.withResolvers<void>();
    await page.route('**/api/events', async (route) => {
      await recorded.promise;
      await route.continue();
    });
    await page.goto(pages.usage.app.origin);
    await pages.shows(page, calls, '1');
    await pages.loaded(page);
    await pages.usage.record([usageRecord(Date.now())]);
    recorded.resolve();
    await pages.shows(page, calls, '2');
  });

  it('catches up after the connection was lost', async () => {
    await pages.usage.record([usageRecord(Date.now() - 1000)]);
    const page = await pages.open('/', {}, /ERR_|Failed to load/);
    await pages.shows(page, '#live', 'Live');
    await page.context().setOffline(true);
    pages.usage.app.server.closeAllConnections();
    await pages.shows(page, '#live', 'Reconnecting');
    await pages.usage.record([usageRecord(Date.now())]);
    await page.context().setOffline(false);
    await pages.shows(page, calls, '2');
  });

  it('says how to make a call when there is none, and shows the first one', async () => {
    const page = await pages.open();
    await pages.shows(page, '#empty', 'No calls recorded yet');
    assert.equal(await page.getAttribute('#empty-never a.button', 'href'), '/chat');
    assert.equal(await page.isVisible('#course'), false);
    assert.equal(await page.isVisible('#health'), true);
    await pages.shows(page, '#live', 'Live');
    await pages.usage.record([usageRecord(Date.now(), { userId: 'ann' })]);
    await pages.shows(page, '#calls tbody tr', 'ann');
    await pages.loaded(page);
    assert.equal(await page.isVisible('#empty'), false);
  });

  it('tells an empty range from an empty ledger, and leads out', async () => {
    await pages.usage.record([usageRecord(Date.now() - 40 * 86_400_000, { userId: 'ann' })]);
    const page = await pages.open('/?user=bob');
    await pages.shows(page, '#empty', 'No calls match');
    await page.click('#empty-clear');
    await pages.loaded(page);
    assert.equal(await page.isVisible('#empty'), true);
    assert.equal(await page.isVisible('#empty-clear'), false);
    await page.click('#empty-widen');
    await pages.shows(page, '#top-user', 'ann');
    await pages.loaded(page);
    assert.equal(await page.isVisible('#empty'), false);
  });

  it('keeps what is shown when the ledger cannot be read, says so and tries again', async () => {
    await pages.usage.record([usageRecord(Date.now(), { userId: 'ann' })]);
    const page = await pages.open('/', {}, /503/);
    await page.route('**/api/usage/summary?*', async (route) => {
      const detail = 'The usage ledger cannot be read at the moment.';
      const problem = { type: 'about:blank', status: 503, code: 'ledger_unavailable', detail };
      await route.fulfill({
        status: 503,
        contentType: 'application/problem+json',
        body: JSON.stringify(problem),
      });
    });
    await page.click('#measure [data-value=calls]');
    await pages.shows(page, '#problem', 'Check that the database is running');
    assert.equal(await page.innerText(calls), '1');
    await page.unrouteAll();
    await page.click('#problem button');
    await page.waitForSelector('#problem', { state: 'hidden' });
  });

  it('says that the server is away, or that one is signed out, and what to do', async () => {
    const page = await pages.open('/', {}, /401|ERR_|Failed to load/);
    await page.context().setOffline(true);
    await page.click('[data-range="30d"]');
    await pages.shows(page, '#problem', 'The server is not reachable');
    await page.context().setOffline(false);
    await page.context().clearCookies();
    await page.click('[data-range="90d"]');
    await pages.shows(page, '#problem', 'Your session has ended');
    await page.click('#problem button');
    await page.waitForURL(/\/sign-in\?back=%2F%3Frange%3D90d$/);
  });

  it('marks the times in which less was recorded, and says who wanted it', async () => {
    await pages.usage.record([usageRecord(Date.now())]);
    const { settings } = pages.usage;
    await settings.patch({ token_statistics: false }, { actor: 'bob', reason: 'cost <b>' });
    await settings.patch({ token_statistics: true }, { actor: 'ada' });
    await settings.patch({ enabled: false }, { actor: 'eve' });
    const page = await pages.open('/?range=24h');
    await pages.shows(page, '#gaps li', /Metering off since .*, by eve/);
    await pages.shows(page, '#gaps li', /Token statistics off from .* to .*, by bob: cost <b>/);
    await page.focus('#course .chart');
    await page.keyboard.press('ArrowLeft');
    await pages.shows(page, '#course .gap-note', 'by eve');
    await pages.shows(page, '#exporter', 'nothing Settings');
  });

  it('shows what the exporter lost, stale settings and passed thresholds, as they happen', async () => {
    await pages.usage.record([usageRecord(Date.now())]);
    const page = await pages.open();
    await pages.shows(page, '#live', 'Live');
    const { health } = pages.usage;
    health.exporter = () => ({
      state: 'failing',
      accepted: 100,
      delivered: 60,
      pending: 31,
      oldestAgeMs: 125_000,
      dropped: { queue_full: 9 },
      retries: 4,
      spoolBytes: 1000,
      lastError: { time: new Date().toISOString(), code: '503', message: 'the server is away' },
    });
    health.alerts = () => [usageAlert({ rule: 'daily <i>budget</i>' })];
    await pages.shows(page, '#exporter', /failing.*31, oldest 2\.1m.*9 queue_full.*away/s);
    assert.equal(await page.innerText('[data-tile=dropped] .figure'), '9');
    await pages.shows(
      page,
      '#alerts',
      'Alert daily <i>budget</i> (eve): $12.50 within 24h, threshold $10.00',
    );
  });
});
