import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser, Page } from 'playwright-core';
import { ADMIN_TOKEN } from '../../support/app.ts';
import { openPage, startBrowser } from '../../support/browser.ts';
import { requireServer } from '../../support/servers.ts';
import { until } from '../../support/until.ts';
import { type WholeApp, serveWholeApp } from '../../support/whole-app.ts';

// What a page of another site can do to somebody who is signed in, tried in a real browser.
describe('a foreign page', () => {
  let browser: Browser;
  let app: WholeApp;
  let evil: Server;
  let evilPort: number;
  let html = '';

  before(async function () {
    requireServer(this, 'chromium');
    browser = await startBrowser();
    app = await serveWholeApp();
    evil = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(html);
    }).listen(0, '127.0.0.1');
    await once(evil, 'listening');
    evilPort = (evil.address() as AddressInfo).port;
  });

  after(async () => {
    await browser?.close();
    evil?.closeAllConnections();
    evil?.close();
    await app?.close();
  });

  /** Signs in, then visits the foreign page and waits until its script has set the title. */
  async function visit<R>(
    host: string,
    content: string,
    inspect: (page: Page) => Promise<R> | R,
  ): Promise<R> {
    html = `<!doctype html><title></title>${content}`;
    const { page, close } = await openPage(browser, {}, /./);
    try {
      await page.goto(`${app.origin}/sign-in?back=%2Fsettings#${ADMIN_TOKEN}`);
      await page.waitForURL(`${app.origin}/settings`);
      await page.goto(`http://${host}:${evilPort}/`);
      await until(async () => (await page.title()) !== '');
      return await inspect(page);
    } finally {
      await close();
    }
  }

  const titleOf = async (page: Page): Promise<string> => await page.title();

  // Another port of the same host is "same-site", where SameSite cookies come along; `localhost`
  // is another site.
  for (const host of ['127.0.0.1', 'localhost']) {
    it(`on ${host} cannot change the settings`, async () => {
      const url = `${app.origin}/api/settings/metrics`;
      const title = await visit(
        host,
        `<script type="module">
          const body = '{"enabled":false}';
          const tries = [
            { method: 'PATCH', headers: { 'content-type': 'application/json' } },
            { method: 'POST', mode: 'no-cors', headers: { 'content-type': 'text/plain' } },
            { method: 'PATCH', mode: 'no-cors' },
          ].map((init) => fetch('${url}', { ...init, body, credentials: 'include' }));
          await Promise.allSettled(tries);
          document.title = 'done';
        </script>`,
        titleOf,
      );
      assert.equal(title, 'done');
      assert.deepEqual([app.settings.version, app.settings.get().enabled], [0, true]);
    });

    it(`on ${host} cannot read the settings, the events or the ledger`, async () => {
      const title = await visit(
        host,
        `<script type="module">
          const read = async (path) => {
            const answer = await fetch('${app.origin}' + path, { credentials: 'include' });
            return await answer.text();
          };
          const paths = ['/api/settings/metrics', '/api/usage/records', '/api/session', '/settings'];
          const results = await Promise.allSettled(paths.map(read));
          const source = new EventSource('${app.origin}/api/settings/metrics/events', { withCredentials: true });
          const events = await new Promise((resolve) => {
            source.onmessage = () => resolve('message');
            source.addEventListener('settings', () => resolve('settings'));
            source.onerror = () => resolve('refused');
          });
          document.title = JSON.stringify([...results.map(({ status }) => status), events]);
        </script>`,
        titleOf,
      );
      assert.deepEqual(JSON.parse(title), [...Array<string>(4).fill('rejected'), 'refused']);
    });

    it(`on ${host} cannot frame a page`, async () => {
      const frames = await visit(
        host,
        `<iframe src="${app.origin}/settings"></iframe>
        <script type="module">
          const frame = document.querySelector('iframe');
          await new Promise((resolve) => (frame.onload = resolve));
          document.title = 'loaded';
        </script>`,
        (page) => page.frames().map((frame) => frame.url()),
      );
      assert.deepEqual(frames.slice(1), ['chrome-error://chromewebdata/']);
    });
  }

  it('cannot make the application run a script by what it stores', async () => {
    const name =
      '"><img src=x onerror="document.title=\'owned\'"><script>document.title="owned"</script>';
    await app.store.report(
      {
        id: name,
        name,
        host: name,
        pid: 1,
        version: 0,
        state: 'ready',
        startedAt: new Date().toISOString(),
        details: { exporter: { state: name } },
      },
      60_000,
    );
    await app.settings.patch({ token_statistics: false }, { actor: name, reason: name });
    const { page, complaints, close } = await openPage(browser);
    await page.goto(`${app.origin}/sign-in?back=%2Fsettings#${ADMIN_TOKEN}`);
    await page.waitForURL(`${app.origin}/settings`);
    await page.locator('#audit td').filter({ hasText: 'onerror' }).first().waitFor();
    await page.locator('#instances td').filter({ hasText: 'onerror' }).first().waitFor();
    assert.equal(await page.locator('main img, main script').count(), 0);
    assert.doesNotMatch(await page.title(), /owned/);
    assert.deepEqual(complaints, []);
    // Should markup get in all the same, the policy still runs nothing.
    const ran = await page.evaluate<boolean>(`
      (async () => {
        const script = document.createElement('script');
        script.textContent = 'window.owned = true';
        document.body.append(script);
        document.body.insertAdjacentHTML('beforeend', '<img src="data:," onerror="window.owned = true">');
        await new Promise((resolve) => setTimeout(resolve, 100));
        return window.owned === true;
      })()`);
    assert.equal(ran, false);
    await close();
  });
});
