import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { consolePages } from '../../support/console-pages.ts';
import { usageRecord } from '../../support/usage-logs.ts';

const MAX_CLICKS = 3;

describe('console: questions of somebody who has never seen it', function () {
  this.timeout(60_000);
  const pages = consolePages();

  /** Opens the first page. Each click is counted. */
  async function visit(): Promise<{ page: Page; click: (selector: string) => Promise<void> }> {
    const page = await pages.open('/');
    let clicks = 0;
    return {
      page,
      async click(selector) {
        clicks += 1;
        assert.ok(clicks <= MAX_CLICKS, `${selector} is click ${clicks}`);
        await page.click(selector);
      },
    };
  }

  function call(at: Date | number, part: Partial<UsageRecord>): UsageRecord {
    const tokens = { inputTokens: 100, outputTokens: 0, totalTokens: 100 };
    return usageRecord(Number(at), { ...tokens, costUsd: 1, costSource: 'list', ...part });
  }

  it('why did yesterday cost more than the day before?', async () => {
    const noon = (daysAgo: number): number =>
      new Date().setHours(12, 0, 0, 0) - daysAgo * 86_400_000;
    await pages.usage.record([
      call(noon(2), { userId: 'ann', requestModel: 'gpt-4o', costUsd: 2 }),
      call(noon(2), { userId: 'bob', requestModel: 'o3', costUsd: 1 }),
      call(noon(1), { userId: 'ann', requestModel: 'gpt-4o', costUsd: 2 }),
      call(noon(1), { userId: 'bob', requestModel: 'o3', costUsd: 9 }),
    ]);
    const { page, click } = await visit();
    await click('#range button:has-text("Yesterday")');
    await click('#measure button:has-text("Cost")');
    await pages.shows(page, '[data-tile=cost] .figure', '$11.00');
    await pages.shows(page, '[data-tile=cost] .change', /▲/);
    await pages.shows(page, '#top-user li:first-child', /bob.*\$9\.00.*▲ 800%/s);
    await pages.shows(page, '#top-model li:first-child', /o3.*\$9\.00.*▲ 800%/s);
    await click('#top-user button:has-text("bob")');
    await pages.shows(page, '#calls tbody tr', /bob.*o3/s);
  });

  it('who in the team uses what?', async () => {
    const at = Date.now() - 60_000;
    await pages.usage.record([
      call(at, { userId: 'ann', team: 'search', requestModel: 'gpt-4o', costUsd: 5 }),
      call(at, { userId: 'bob', team: 'search', requestModel: 'o3', costUsd: 3 }),
      call(at, { userId: 'eve', team: 'ads', requestModel: 'gpt-4o', costUsd: 7 }),
    ]);
    const { page, click } = await visit();
    await click('nav a:has-text("Teams")');
    await click('#teams a:has-text("search")');
    await pages.shows(page, '#users tbody', /ann.*\$5\.00/s);
    await pages.shows(page, '#users tbody', /bob.*\$3\.00/s);
    assert.doesNotMatch(await page.innerText('#users tbody'), /eve/);
    await click('#users a:has-text("bob")');
    await pages.shows(page, '#top-model', /o3/);
    assert.doesNotMatch(await page.innerText('#top-model'), /gpt-4o/);
  });

  it('last month as a file for the accounts', async () => {
    const now = new Date();
    const lastMonth = new Date(now.getFullYear(), now.getMonth() - 1, 15, 12);
    await pages.usage.record([
      call(lastMonth, { userId: 'ann', costUsd: 4 }),
      call(lastMonth, { userId: 'ann', costUsd: 2.5 }),
      call(lastMonth, { userId: 'bob', costUsd: 1 }),
      call(new Date(now.getFullYear(), now.getMonth() - 2, 15), { userId: 'eve' }),
    ]);
    const { page, click } = await visit();
    await click('nav a:has-text("Users")');
    await click('#range button:has-text("Last month")');
    await page.waitForURL(/range=last-month/);
    await pages.shows(page, '#users tbody', /ann/);
    const [file] = await Promise.all([
      page.waitForEvent('download'),
      click('#users a:has-text("Save as CSV")'),
    ]);
    const [head = '', ...lines] = (await readFile(await file.path(), 'utf8')).trim().split('\r\n');
    const place = head.split(',').indexOf('cost_usd');
    const costs = lines.map((line) => [line.split(',')[0], Number(line.split(',')[place])]);
    assert.deepEqual(costs, [
      ['ann', 6.5],
      ['bob', 1],
    ]);
  });
});
