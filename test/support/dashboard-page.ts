import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import type { ApiRoute } from '../../example-app/routes/api-route.ts';
import { sessionCookie } from './app.ts';
import { type OpenedPage, openPage, startBrowser } from './browser.ts';
import { requireServer } from './servers.ts';
import { type UsageApp, serveUsage } from './usage-app.ts';

export interface DashboardPages {
  /** New for each test. */
  readonly usage: UsageApp;
  /**
   * Opens a page, signed in and loaded. `expected` errors, such as a refused request, are ignored.
   */
  open(path?: string, options?: BrowserContextOptions, expected?: RegExp): Promise<Page>;
  /** Waits until the element is visible with this text. */
  shows(page: Page, selector: string, text: RegExp | string): Promise<void>;
  /** Waits for pending requests. */
  loaded(page: Page): Promise<void>;
}

/**
 * Registers hooks for a suite that uses pages in Chromium. Each test fails on errors in the browser
 * console or in the application.
 */
export function dashboardPages(more: () => readonly ApiRoute[] = () => []): DashboardPages {
  let browser: Browser;
  let usage: UsageApp;
  const opened: OpenedPage[] = [];

  before(async function () {
    requireServer(this, 'chromium');
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
  });

  beforeEach(async () => {
    usage = await serveUsage({ routes: more() });
  });

  afterEach(async () => {
    const complaints = opened.flatMap((each) => each.complaints);
    await Promise.all(opened.splice(0).map((each) => each.close()));
    await usage.close();
    assert.deepEqual(complaints, []);
    assert.deepEqual(usage.app.errors, []);
  });

  const loaded = async (page: Page): Promise<void> => {
    await page.waitForSelector(
      '#dashboard[data-loaded="true"][aria-busy="false"]:not(:has([aria-busy="true"]))',
    );
  };
  return {
    get usage() {
      return usage;
    },
    loaded,
    async open(path = '/', options = {}, expected) {
      const made = await openPage(browser, options, expected);
      opened.push(made);
      const { page } = made;
      await page.context().addCookies([await sessionCookie(usage.app.origin)]);
      await page.goto(usage.app.origin + path);
      if (path.startsWith('/?') || path === '/') await loaded(page);
      if (path === '/chat') await page.waitForSelector('#model option', { state: 'attached' });
      return page;
    },
    async shows(page, selector, text) {
      await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor();
    },
  };
}
