import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import type { ApiRoute } from '../../example-app/routes/api-route.ts';
import { sessionCookie } from './app.ts';
import { browserPages } from './browser.ts';
import { type UsageApp, serveUsage } from './usage-app.ts';

export interface ConsolePages {
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
 * Registers hooks for a suite that uses the console in Chromium. Each test fails on errors in the
 * browser console or in the application. `dimensions`: names that the application is configured with.
 */
export function consolePages(
  more: () => readonly ApiRoute[] = () => [],
  dimensions: readonly string[] = [],
): ConsolePages {
  const pages = browserPages();
  let usage: UsageApp;

  beforeEach(async () => {
    usage = await serveUsage({ routes: more(), dimensions });
  });

  afterEach(async () => {
    await usage.close();
    assert.deepEqual(usage.app.errors, []);
  });

  const loaded = async (page: Page): Promise<void> => {
    await page.waitForSelector(
      '[data-loaded="true"][aria-busy="false"]:not(:has([aria-busy="true"]))',
    );
  };
  return {
    get usage() {
      return usage;
    },
    loaded,
    async open(path = '/', options = {}, expected) {
      const page = await pages.open(options, expected);
      await page.context().addCookies([await sessionCookie(usage.app.origin)]);
      await page.goto(usage.app.origin + path);
      if (path.startsWith('/?') || path === '/') await loaded(page);
      if (path === '/chat') await page.waitForSelector('#model option', { state: 'attached' });
      return page;
    },
    shows: pages.shows,
  };
}
