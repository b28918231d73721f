import assert from 'node:assert/strict';
import type { Browser, Page } from 'playwright-core';
import { type OpenedPage, openPage, startBrowser } from '../support/browser.ts';
import { APP_TOKEN, type RunningApp, startExampleApp } from '../support/example-app.ts';
import { requireServer } from '../support/servers.ts';

/** What an administrator does in the first minutes, on the application as `npm start` runs it. */
describe('walk through the application', function () {
  this.timeout(60_000);
  let browser: Browser;
  let app: RunningApp;
  let opened: OpenedPage;
  let page: Page;

  before(async function () {
    requireServer(this, 'chromium');
    browser = await startBrowser({ isWhole: true });
    app = await startExampleApp();
    opened = await openPage(browser);
    page = opened.page;
  });
  after(async () => {
    await opened?.close();
    await browser?.close();
    await app?.close();
  });

  async function chat(message: string): Promise<void> {
    const body = { user_id: 'alice', model: 'gpt-4o', message };
    assert.equal((await app.chat(body)).status, 200);
  }

  async function flip(name: 'enabled' | 'token_statistics'): Promise<void> {
    await page.goto(`${app.origin}/settings`);
    await page.locator(`label:has(#${name}), #${name}`).first().click();
    await page.locator('#save').click();
    await page.locator('#done').waitFor({ state: 'visible' });
  }

  /** First cells of the newest calls, once there are `count`. */
  async function newestCalls(count: number): Promise<string[]> {
    await page.goto(app.origin);
    const rows = page.locator('#calls tbody tr');
    await rows.nth(count - 1).waitFor();
    assert.equal(await rows.count(), count);
    return await rows.allInnerTexts();
  }

  it('signs in by link, sees a call, and switches tokens and then everything off', async () => {
    await page.goto(`${app.origin}/sign-in#${APP_TOKEN}`);
    await page.waitForURL((url) => url.pathname !== '/sign-in');

    await chat('How often does the tide come in?');
    const [counted] = await newestCalls(1);
    assert.match(counted ?? '', /alice.*gpt-4o.*\d+ → \d+.*\$0\.\d+/s);
    await page.locator('[data-tile="calls"]').getByText('1', { exact: true }).waitFor();

    await flip('token_statistics');
    await chat('And now?');
    const [bare] = await newestCalls(2);
    assert.match(bare ?? '', /alice.*gpt-4o/s);
    assert.doesNotMatch(bare ?? '', /\d+ → \d+|\$/);

    await flip('enabled');
    await chat('And now?');
    await flip('enabled');
    await flip('token_statistics');
    await chat('And now?');
    const calls = await newestCalls(3);
    assert.match(calls[0] ?? '', /\d+ → \d+/);
    assert.deepEqual(opened.complaints, []);
  });
});
