import assert from 'node:assert/strict';
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import {
  type OpenedPage,
  lowContrasts,
  openPage,
  overflow,
  startBrowser,
} from '../../support/browser.ts';
import { APP_TOKEN, type RunningApp, startExampleApp } from '../../support/example-app.ts';
import {
  CLIENT_ID,
  CLIENT_SECRET,
  type TestOpenIdProvider,
  openIdProvider,
} from '../../support/openid-provider.ts';
import { requireServer } from '../../support/servers.ts';

const VIEWER_TOKEN = 'a-viewer-of-this-test';
const BUTTON = '#openid-button';

describe('sign-in page', function () {
  this.timeout(60_000);
  let browser: Browser;
  let provider: TestOpenIdProvider;
  let app: RunningApp;
  const opened: OpenedPage[] = [];

  before(async function () {
    requireServer(this, 'chromium');
    browser = await startBrowser();
    provider = await openIdProvider();
    // Nobody answers at the issuer when the application starts.
    app = await startExampleApp({
      env: {
        TOKEN_METER_VIEWER_TOKEN: `vic:${VIEWER_TOKEN}`,
        TOKEN_METER_OIDC_ISSUER: provider.issuer,
        TOKEN_METER_OIDC_CLIENT_ID: CLIENT_ID,
        TOKEN_METER_OIDC_CLIENT_SECRET: CLIENT_SECRET,
      },
    });
  });

  after(async () => {
    await browser?.close();
    await provider?.stop();
    await app?.close();
  });

  afterEach(async () => {
    await provider.stop();
    const complaints = opened.flatMap((each) => each.complaints);
    await Promise.all(opened.splice(0).map((each) => each.close()));
    assert.deepEqual(complaints, []);
    assert.doesNotMatch(app.output(), new RegExp(CLIENT_SECRET));
  });

  async function open(
    path: string,
    options: BrowserContextOptions = {},
    expected?: RegExp,
  ): Promise<Page> {
    const made = await openPage(browser, options, expected);
    opened.push(made);
    await made.page.goto(app.origin + path);
    return made.page;
  }

  const shows = async (page: Page, selector: string, text: RegExp | string): Promise<void> => {
    await page.locator(selector).filter({ hasText: text, visible: true }).first().waitFor();
  };

  it('says that the provider is away, and takes a token all the same', async () => {
    assert.match(app.output(), /provider http:\/\/localhost:\d+\/ cannot be used/);
    assert.match(app.output(), /sign in +http:\S+\/sign-in, by localhost:\d+ or with your token/);
    const page = await open('/sign-in?back=%2Fsettings', {}, /503/);
    await page.click(BUTTON);
    await shows(page, '#problem', 'The sign-in service is not reachable.');
    await page.fill('#token', APP_TOKEN);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'admin (admin)');
  });

  it('signs in at the provider, on another site, and comes back to where one was', async () => {
    await provider.start(app.origin);
    provider.person = 'ada';
    const page = await open('/settings');
    await page.waitForURL('**/sign-in?back=%2Fsettings');
    await shows(page, BUTTON, `Sign in with ${new URL(provider.issuer).host}`);
    await page.click(BUTTON);
    await page.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'ada@corp.test (admin)');
    await page.waitForSelector('#connection[data-tone="good"]');
    await page.uncheck('#token_statistics');
    await page.click('#save');
    await shows(page, '#audit tbody tr', 'ada@corp.test');
    const cookies = await page.context().cookies(`${app.origin}/sign-in/openid`);
    assert.deepEqual(
      cookies.map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite]),
      [['token_meter_session', true, 'Strict']],
    );
    await page.click('#who .sign-out');
    await page.waitForURL('**/sign-in?*');
    await page.goto(`${app.origin}/settings`);
    await page.waitForURL('**/sign-in?back=%2Fsettings');
  });

  it('never leaves this site, whatever the address says', async () => {
    await provider.start(app.origin);
    provider.person = 'ada';
    for (const back of ['https://evil.test/', '/\\evil.test']) {
      const page = await open(`/sign-in?back=${encodeURIComponent(back)}`);
      await page.click(BUTTON);
      await page.waitForURL((url) => url.pathname !== '/sign-in' && url.origin === app.origin);
      await shows(page, '#who', 'ada@corp.test');
      assert.equal(page.url(), `${app.origin}/`);
    }
  });

  it('takes what stands behind # for a token, whatever it is', async () => {
    const page = await open('/sign-in#%', {}, /401/);
    await shows(page, '#problem', 'Invalid token.');
    assert.equal(page.url(), `${app.origin}/sign-in`);
  });

  it('says why somebody without a role was not signed in', async () => {
    await provider.start(app.origin);
    provider.person = 'guest';
    const page = await open('/sign-in');
    await page.click(BUTTON);
    await shows(page, '#problem', 'Your account has no role in this application.');
    assert.equal(await page.locator('#who .sign-out').count(), 0);
  });

  it('reloads the other tabs, which would act under the other name', async () => {
    await provider.start(app.origin);
    provider.person = 'vic';
    const page = await open(`/sign-in?back=%2Fsettings#${APP_TOKEN}`);
    await page.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'admin (admin)');
    const other = await page.context().newPage();
    await other.goto(`${app.origin}/sign-in?back=%2Fsettings`);
    await other.click(BUTTON);
    await other.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'vic@corp.test (viewer)');
    await shows(page, '#viewer', 'You have read-only access.');
  });

  it('keeps the session when a link brings the token of somebody else, unless one means it', async () => {
    const page = await open(`/sign-in?back=%2Fsettings#${APP_TOKEN}`, {}, /409/);
    await page.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'admin (admin)');
    const link = await page.context().newPage();
    await link.goto(`${app.origin}/sign-in?back=%2Fsettings#${VIEWER_TOKEN}`);
    await shows(link, '#problem', 'You are signed in as admin.');
    assert.doesNotMatch(link.url(), /#/);
    await page.reload();
    await shows(page, '#who', 'admin (admin)');
    await link.click('#token-button');
    await link.waitForURL(`${app.origin}/settings`);
    await shows(link, '#who', 'vic (viewer)');
    await shows(page, '#who', 'vic (viewer)');
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone and can be read in the ${colorScheme} theme, in Chinese too`, async () => {
      for (const locale of ['en-GB', 'zh-CN']) {
        const viewport = { width: 360, height: 740 };
        const page = await open('/sign-in?problem=no_role', { colorScheme, locale, viewport });
        await page.waitForSelector(BUTTON);
        await page.waitForSelector('#problem');
        assert.equal(await overflow(page), 0);
        assert.deepEqual(await lowContrasts(page), []);
        if (locale === 'zh-CN') {
          const text = (await page.innerText('main')).replace(/localhost:\d+|Token/g, '');
          assert.doesNotMatch(text, /[a-z]{3}|undefined|\{|\}/i);
        }
      }
    });
  }

  it('shows no button where no provider is configured', async () => {
    const without = await startExampleApp();
    try {
      const made = await openPage(browser);
      opened.push(made);
      await made.page.goto(`${without.origin}/sign-in`);
      await made.page.waitForSelector('#token:focus');
      assert.equal(await made.page.isVisible('#openid'), false);
      assert.equal(await made.page.isVisible('#hint'), true);
      const there = await fetch(`${without.origin}/sign-in/openid`);
      assert.equal(there.status, 404);
    } finally {
      await without.close();
    }
  });
});
