import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { UsageRecord } from '../../../../src/domain/usage-record.ts';
import { asViewer } from '../../../support/app.ts';
import { consolePages } from '../../../support/console-pages.ts';
import { officeUsage } from '../../../support/office-usage.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const HOUR_MS = 3_600_000;
const sum = (records: readonly UsageRecord[], key: 'totalTokens' | 'costUsd'): number =>
  records.reduce((total, record) => total + (record[key] ?? 0), 0);
const compact = (value: number): string =>
  new Intl.NumberFormat('en', { notation: 'compact', maximumSignificantDigits: 3 }).format(value);

describe('dashboard: numbers, filters, drill-down', () => {
  const pages = consolePages();

  /** Of the week that the page shows when nothing else is asked for. */
  async function recordOffice(): Promise<readonly UsageRecord[]> {
    const records = [...officeUsage({ until: Date.now(), days: 20, perDay: 20 })];
    await pages.usage.record(records);
    const start = new Date();
    start.setHours(0, 0, 0, 0);
    start.setDate(start.getDate() - 6);
    return records.filter(({ time }) => Date.parse(time) >= start.getTime());
  }

  const figure = async (page: Page, tile: string): Promise<string> =>
    await page.innerText(`[data-tile=${tile}] .figure`);

  it('shows costs in the display currency, and its rate', async () => {
    await pages.usage.record([usageRecord(Date.now() - HOUR_MS, { costUsd: 5, totalTokens: 10 })]);
    const currency = { code: 'EUR', usdPerUnit: 1.25, date: '2026-11-01' };
    pages.usage.health.prices = () => ({
      name: 'genai-prices download',
      date: '2026-11-28',
      file: 'price-list.json',
      currency,
    });
    const page = await pages.open();
    assert.equal(await figure(page, 'cost'), '€4.00');
    assert.match(await page.locator('#calls tbody tr').first().innerText(), /€4\.00000/);
    await pages.shows(page, '#exporter', /genai-prices download · 2026-11-28 · price-list\.json/);
    await pages.shows(page, '#exporter', /1 EUR = 1\.25 USD · 2026-11-01/);
  });

  it('shows the sums of the ledger, compared with the period before', async () => {
    const week = await recordOffice();
    const page = await pages.open();
    assert.equal(await figure(page, 'calls'), new Intl.NumberFormat('en').format(week.length));
    assert.equal(await figure(page, 'tokens'), compact(sum(week, 'totalTokens')));
    assert.equal(await figure(page, 'cost'), `$${sum(week, 'costUsd').toFixed(2)}`);
    const users = new Set(week.flatMap(({ userId }) => userId ?? []));
    assert.equal(await figure(page, 'users'), String(users.size));
    assert.equal(await figure(page, 'dropped'), '0');
    for (const tile of ['calls', 'tokens', 'cost', 'p95']) {
      assert.match(await page.innerText(`[data-tile=${tile}] .change`), /previous period|same/);
      assert.equal(await page.locator(`[data-tile=${tile}] svg polyline`).count(), 1);
    }
    const byModel = Map.groupBy(week, ({ requestModel }) => requestModel);
    const models = [...byModel]
      .map(([model, records]) => [model, sum(records, 'totalTokens')] as const)
      .toSorted(([, a], [, b]) => b - a);
    assert.deepEqual(
      await page.locator('#top-model .bar-row .name').allInnerTexts(),
      models.map(([model]) => model),
    );
    assert.equal(
      await page.locator('#course .legend .value').first().innerText(),
      compact(models[0]![1]),
    );
    assert.equal(await page.locator('#calls tbody tr').count(), 15);
    await pages.shows(page, '#quality', /Estimated counts\s*\d/);
    await pages.shows(page, '#quality', 'support-bot-ft');
  });

  describe('of calls with parts without a price', () => {
    const record = async (): Promise<void> => {
      const counted = { inputTokens: 20, outputTokens: 10, totalTokens: 30 };
      const at = Date.now() - 60_000;
      const own = { userId: 'alice', conversationId: 'c-1', tokenSource: 'provider' } as const;
      await pages.usage.record([
        usageRecord(at, { ...own, ...counted, costUsd: 1.5, costSource: 'list' }),
        usageRecord(at, {
          ...own,
          ...counted,
          requestModel: 'o3',
          costUsd: 0.75,
          costSource: 'list',
          costMissing: ['web_searches', 'priority_tier'],
        }),
      ]);
    };

    it('says "at least", and of how many calls', async () => {
      await record();
      const page = await pages.open('/?range=24h&measure=cost_usd&conversation=c-1');
      assert.equal(await figure(page, 'cost'), 'at least $2.25');
      const why = 'at least: 1 call has parts without a price';
      assert.equal(await page.innerText('[data-tile=cost] .partial'), why);
      assert.equal(await page.innerText('#course .partial'), why);
      assert.deepEqual(await page.locator('#course .legend .value').allInnerTexts(), [
        '$1.50',
        'at least $0.75',
      ]);
      assert.deepEqual(await page.locator('#top-model .bar-row .value').allInnerTexts(), [
        '$1.50',
        'at least $0.75',
      ]);
      assert.deepEqual(await page.locator('#top-user .bar-row .value').allInnerTexts(), [
        'at least $2.25',
      ]);
      assert.match(
        (await page.getAttribute('#top-user .bar-row', 'title')) ?? '',
        /1 call has parts without a price/,
      );
      await pages.shows(page, '#conversation .facts', /at least \$2\.25 · at least: 1 call has/);
      const cell = page.locator('#calls tbody tr', { hasText: 'o3' }).locator('td:nth-child(6)');
      assert.equal(await cell.innerText(), 'at least $0.75000');
      assert.equal(
        await cell.getAttribute('title'),
        'list prices; no price for web_searches, priority_tier',
      );
      const labels = await page
        .locator('#heat-table td')
        .evaluateAll((cells) => cells.map((one) => one.getAttribute('aria-label') ?? ''));
      assert.equal(labels.filter((label) => label.includes('at least $2.25')).length, 1);
    });

    it('says so in Chinese', async () => {
      await record();
      const page = await pages.open('/?range=24h&measure=cost_usd', { locale: 'zh-CN' });
      assert.match(await figure(page, 'cost'), /^至少 .*2\.25$/);
      assert.equal(
        await page.innerText('[data-tile=cost] .partial'),
        '至少：1 次调用含有无价格的部分',
      );
    });

    it('says nothing of the kind where every part has a price', async () => {
      await pages.usage.record([
        usageRecord(Date.now() - 60_000, { totalTokens: 3, tokenSource: 'provider', costUsd: 0.5 }),
      ]);
      const page = await pages.open('/?range=24h&measure=cost_usd');
      assert.equal(await figure(page, 'cost'), '$0.50');
      assert.equal(await page.locator('.partial:visible').count(), 0);
    });
  });

  it('tells the values of a chart by arrow keys and as a table', async () => {
    // Not by setMinutes, which takes the first of an hour that comes twice.
    const now = Date.now();
    const at = now - new Date(now).getMinutes() * 60_000 - 50 * 60_000;
    await pages.usage.record([
      usageRecord(at, { totalTokens: 30, inputTokens: 20, outputTokens: 10 }),
      usageRecord(at, { requestModel: 'o3', totalTokens: 7, inputTokens: 3, outputTokens: 4 }),
    ]);
    const page = await pages.open('/?range=24h');
    const chart = page.locator('#course .chart');
    await chart.focus();
    await page.keyboard.press('End');
    await page.keyboard.press('ArrowLeft');
    const text = (await chart.getAttribute('aria-valuetext')) ?? '';
    assert.match(text, /o3 7;.*gpt-4o 30;.*Total 37/s);
    await pages.shows(page, '#course .tooltip', 'gpt-4o');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#course .tooltip', { state: 'hidden' });
    await page.click('#course summary');
    await pages.shows(page, '#course .chart-table', 'gpt-4o');
    const cells = await page.locator('#course .chart-table tbody td').allInnerTexts();
    assert.deepEqual(cells, ['30', '7']);
    await page.click('#stack [data-value=kind]');
    await pages.shows(page, '#course .legend', /Input\s*23\s*Output\s*14/);
  });

  it('filters by what is picked; the address holds it, and back goes back', async () => {
    const week = await recordOffice();
    const page = await pages.open();
    const user = await page.locator('#top-user .bar-row .name').first().innerText();
    await page.locator('#top-user .bar-row').first().click();
    await pages.shows(page, '.chip', user);
    await pages.loaded(page);
    const own = week.filter(({ userId }) => userId === user);
    const expected = new Intl.NumberFormat('en').format(own.length);
    assert.equal(await figure(page, 'calls'), expected);
    assert.equal(new URL(page.url()).searchParams.get('user'), user);
    const users = await page.locator('#calls tbody td:nth-child(2)').allInnerTexts();
    assert.deepEqual([...new Set(users)], [user]);

    const csv = (await page.getAttribute('#csv', 'href')) ?? '';
    const file = await fetch(pages.usage.app.origin + csv, { headers: asViewer });
    assert.equal((await file.text()).trim().split('\n').length, own.length + 1);

    const other = await pages.open(new URL(page.url()).pathname + new URL(page.url()).search);
    assert.equal(await figure(other, 'calls'), expected);

    await page.click('#measure [data-value=cost_usd]');
    await pages.shows(page, '#course-title', 'Cost over time');
    await page.goBack();
    await page.goBack();
    await page.waitForSelector('.chip', { state: 'detached' });
    await pages.loaded(page);
    assert.equal(await figure(page, 'calls'), new Intl.NumberFormat('en').format(week.length));
    await page.goForward();
    await pages.shows(page, '.chip', user);
    await page.click('.chip');
    await page.waitForURL(`${pages.usage.app.origin}/`);
  });

  it('adds a filter by the form, none included, and takes all away', async () => {
    await pages.usage.record([
      usageRecord(Date.now() - 60_000, { userId: 'ann' }),
      usageRecord(Date.now() - 50_000, { userId: 'bob', outcome: 'error', errorType: 'timeout' }),
      usageRecord(Date.now() - 40_000),
    ]);
    const page = await pages.open('/?range=24h');
    await page.click('#add-filter');
    await page.fill('#filter-value', 'bob');
    await page.keyboard.press('Enter');
    await pages.loaded(page);
    assert.equal(await figure(page, 'calls'), '1');
    await pages.shows(page, '#failures .classes', /timeout\s*1/);
    await page.click('#failures .classes button');
    await pages.shows(page, '.chip', /Error class\s*timeout/);
    await page.click('#clear-filters');
    await page.click('#add-filter');
    await page.click('#filter-form [type=submit]');
    await pages.shows(page, '.chip', '(no user)');
    await pages.loaded(page);
    assert.equal(await figure(page, 'calls'), '1');
    await pages.shows(page, '#calls tbody td:nth-child(2)', '(no user)');
  });

  it('opens a conversation as a timeline of its calls', async () => {
    const at = Date.now() - 600_000;
    const call = (minute: number, tokens: number): UsageRecord =>
      usageRecord(at + minute * 60_000, {
        userId: 'ann',
        conversationId: 'trip/to?& "x"',
        inputTokens: tokens,
        outputTokens: 10,
        totalTokens: tokens + 10,
        costUsd: 0.25,
      });
    await pages.usage.record([call(0, 100), call(1, 200), call(2, 300), usageRecord(at)]);
    const page = await pages.open('/?range=24h');
    await page.locator('#top-conversation .bar-row').first().click();
    await pages.shows(page, '#conversation .facts', 'ann · 3 calls · 630 tokens · $0.75 · over 2m');
    const tokens = await page.locator('#conversation tbody td:nth-child(4)').allInnerTexts();
    assert.deepEqual(tokens, ['100 → 10', '200 → 10', '300 → 10']);
    await page.goBack();
    await page.waitForSelector('#conversation', { state: 'hidden' });
    const none = await pages.open('/?conversation=nobody', {}, /404/);
    await pages.shows(none, '#conversation .facts', 'This conversation does not exist.');
  });

  it('shows another range: a preset, two moments, or a part dragged in a chart', async () => {
    await recordOffice();
    const page = await pages.open();
    await page.click('[data-range="30d"]');
    await pages.loaded(page);
    assert.equal(new URL(page.url()).search, '?range=30d');
    const chart = page.locator('#course .u-over');
    // Waits until it stands still; a new range draws it again.
    await chart.hover();
    const box = (await chart.boundingBox())!;
    await page.mouse.move(box.x + box.width * 0.7, box.y + 50);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * 0.9, box.y + 60, { steps: 4 });
    await page.mouse.up();
    await page.waitForURL(/from=.*to=/);
    await pages.loaded(page);
    assert.equal(await page.getAttribute('#custom', 'aria-pressed'), 'true');
    const { searchParams } = new URL(page.url());
    const days =
      (Date.parse(searchParams.get('to')!) - Date.parse(searchParams.get('from')!)) / 86_400_000;
    assert.ok(days > 5 && days < 7, String(days));
    await page.click('#custom');
    await page.fill('#from', '2026-01-02T00:00');
    await page.fill('#to', '2026-01-01T00:00');
    await page.click('#range-form [type=submit]');
    assert.equal(await page.isVisible('#range-form'), true, 'the end before the start');
    await page.fill('#to', '2026-01-03T00:00');
    await page.click('#range-form [type=submit]');
    const typed = new Date(2026, 0, 2).getTime();
    await page.waitForURL((url) => Date.parse(url.searchParams.get('from') ?? '') === typed);
    await pages.shows(page, '#empty', 'No calls match');
  });

  it('pages through the calls, newest first, each once', async () => {
    const now = Date.now();
    const records = Array.from({ length: 40 }, (_, index) =>
      usageRecord(now - (index + 1) * 60_000, { conversationId: `c${index}` }),
    );
    await pages.usage.record(records);
    const page = await pages.open('/?range=24h');
    const seen: string[] = [];
    for (;;) {
      await pages.loaded(page);
      seen.push(...(await page.locator('#calls tbody td:nth-child(4)').allInnerTexts()));
      if (await page.isDisabled('#calls .page-after')) break;
      await page.click('#calls .page-after');
    }
    const within = records.filter(({ time }) => Date.parse(time) > now - 23 * HOUR_MS);
    assert.deepEqual(
      seen,
      within.map(({ conversationId }) => conversationId),
    );
    await page.click('#calls .page-before');
    await pages.loaded(page);
    assert.equal(await page.isEnabled('#calls .page-after'), true);
  });

  it('sums hours of weekdays in the time zone of the browser', async () => {
    // A Sunday evening in UTC is a Monday morning in Shanghai.
    await pages.usage.record([
      usageRecord('2026-03-01T23:30:00Z', { totalTokens: 40, inputTokens: 40, outputTokens: 0 }),
      usageRecord('2026-03-08T23:10:00Z', { totalTokens: 2, inputTokens: 2, outputTokens: 0 }),
    ]);
    const path = '/?from=2026-02-28T16:00:00Z&to=2026-03-10T16:00:00Z';
    const page = await pages.open(path, { timezoneId: 'Asia/Shanghai' });
    await pages.shows(page, '#shown-range', 'Asia/Shanghai');
    await page.locator('#heat-table td').first().focus();
    for (let hour = 0; hour < 7; hour++) await page.keyboard.press('ArrowRight');
    await pages.shows(page, '#heat-note', /Monday, 07:00.*08:00: 42 tokens/);
    await page.keyboard.press('ArrowDown');
    await pages.shows(page, '#heat-note', /Tuesday, 07:00.*08:00: 0 tokens/);
    const utc = await pages.open(path, { timezoneId: 'UTC' });
    await utc.hover('#heat-table td[aria-label^="Sunday, 23:00"]');
    await pages.shows(utc, '#heat-note', '42 tokens');
  });
});
