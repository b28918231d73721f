import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { pathOf, requireServer } from './servers.ts';

/** Set by `npm run test:dates`. Chromium's processes do not start with the library that shifts the clock. */
const HAS_SHIFTED_CLOCK = process.env['FAKETIME'] !== undefined;

/** The same engine without the windows of the desktop: a page takes an eighth of the CPU time. */
const WITHOUT_WINDOWS = 'chromium-headless-shell';

export interface BrowserOptions {
  /** The browser as people have it. @default Chromium's headless shell, where it is installed */
  readonly isWhole?: boolean;
}

/** The installed Chromium, headless. */
export async function startBrowser({ isWhole = false }: BrowserOptions = {}): Promise<Browser> {
  const { chromium } = await import('playwright-core');
  const { LD_PRELOAD: _library, ...env } = process.env;
  const shell = isWhole ? undefined : pathOf(WITHOUT_WINDOWS);
  return await chromium.launch({
    executablePath: shell ?? pathOf('chromium') ?? 'chromium',
    args: ['--no-sandbox', '--disable-gpu'],
    env: env as Record<string, string>,
  });
}

export interface OpenedPage {
  readonly page: Page;
  /** Errors in the console: exceptions, CSP violations, crashes. */
  readonly complaints: readonly string[];
  readonly close: () => Promise<void>;
}

/** Opens a page in a new session. `expected` errors, such as a refused request, are ignored. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
  expected: RegExp = /(?!)/,
): Promise<OpenedPage> {
  const context = await browser.newContext({ locale: 'en-GB', ...options });
  if (HAS_SHIFTED_CLOCK) await context.clock.install({ time: Date.now() });
  const page = await context.newPage();
  const complaints: string[] = [];
  const complain = (text: string): void => {
    if (!expected.test(text)) complaints.push(text);
  };
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complain(message.text());
  });
  page.on('pageerror', (error) => complain(error.message));
  return { page, complaints, close: async () => await context.close() };
}

export interface BrowserPages {
  /** Opens a page in a new session. `expected` errors, such as a refused request, are ignored. */
  readonly open: (options?: BrowserContextOptions, expected?: RegExp) => Promise<Page>;
  /** Waits until the element is visible with this text. */
  readonly shows: (page: Page, selector: string, text: RegExp | string) => Promise<void>;
}

/**
 * Registers hooks for a suite that uses pages in Chromium. Each test fails on errors in the browser
 * console.
 */
export function browserPages(): BrowserPages {
  let browser: Browser;
  const opened: OpenedPage[] = [];

  before(async function () {
    requireServer(this, 'chromium');
    browser = await startBrowser();
  });

  after(async () => {
    await browser?.close();
  });

  afterEach(async () => {
    const complaints = opened.flatMap((each) => each.complaints);
    await Promise.all(opened.splice(0).map((each) => each.close()));
    assert.deepEqual(complaints, []);
  });

  return {
    async open(options = {}, expected) {
      const made = await openPage(browser, options, expected);
      opened.push(made);
      return made.page;
    },
    async shows(page, selector, text) {
      await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor();
    },
  };
}

const contrasts = new URL('in-page/low-contrasts.js', import.meta.url);

/** Visible texts with low contrast, as markup. */
export async function lowContrasts(page: Page): Promise<string[]> {
  return await page.evaluate<string[]>(readFileSync(contrasts, 'utf8'));
}

/** Horizontal overflow of the page in pixels. */
export async function overflow(page: Page): Promise<number> {
  const width = await page.evaluate<number>('document.documentElement.scrollWidth');
  return Math.max(0, width - (page.viewportSize()?.width ?? width));
}
