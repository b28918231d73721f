import assert from 'node:assert/strict';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { settingsRoutes } from '../../../example-app/routes/settings.ts';
import {
  MemorySettingsStore,
  type MetricsSettings,
  RedisSettingsStore,
  SettingsService,
  type SettingsStoreListener,
  TokenMeterError,
  metricsSettings,
} from '../../../src/settings/index.ts';
import { ADMIN_TOKEN, type ServedApp, VIEWER_TOKEN, serveApp } from '../../support/app.ts';
import { browserPages, lowContrasts, overflow } from '../../support/browser.ts';
import { requireServer, startRedis } from '../../support/servers.ts';
import { until } from '../../support/until.ts';

const PHONE = { viewport: { width: 360, height: 740 } };

describe('settings page', () => {
  const pages = browserPages();
  let app: ServedApp;
  let store: MemorySettingsStore;
  let listener: SettingsStoreListener;
  let settings: SettingsService<MetricsSettings>;
  let stopping: AbortController;

  beforeEach(async () => {
    store = new MemorySettingsStore();
    store.start = async (given) => {
      listener = given;
      await MemorySettingsStore.prototype.start.call(store, given);
    };
    settings = new SettingsService({ schema: metricsSettings, store, instance: { name: 'shop' } });
    await settings.start();
    stopping = new AbortController();
    const options = { settings, stopping: stopping.signal, instancesEveryMs: 50 };
    app = await serveApp({ routes: settingsRoutes(options) });
  });

  afterEach(async () => {
    await app.close();
    await settings.close();
    assert.deepEqual(app.errors, []);
  });

  /** Signed in by the link, as the application prints it. */
  async function open(
    token = ADMIN_TOKEN,
    options: BrowserContextOptions = {},
    expected?: RegExp,
  ): Promise<Page> {
    const page = await pages.open(options, expected);
    await page.goto(`${app.origin}/sign-in?back=%2Fsettings#${token}`);
    await page.waitForURL(`${app.origin}/settings`);
    await page.waitForSelector('#connection[data-tone="good"]');
    await page.waitForSelector('#instances tbody tr');
    return page;
  }

  const { shows } = pages;

  it('sends strangers to sign in, and back; the token stays in no address', async () => {
    const page = await pages.open({}, /401|404/);
    await page.goto(`${app.origin}/settings`);
    await page.waitForURL('**/sign-in?back=%2Fsettings');
    await page.fill('#token', 'wrong');
    await page.keyboard.press('Enter');
    await shows(page, '#problem', 'Invalid token.');
    await page.fill('#token', ADMIN_TOKEN);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${app.origin}/settings`);
    await shows(page, '#who', 'ada (admin)');
    await page.goto(`${app.origin}/sign-in?back=https%3A%2F%2Fevil.test%2F#${ADMIN_TOKEN}`);
    await page.waitForURL(`${app.origin}/`);
    assert.doesNotMatch(page.url(), /secret/);
    // The path of this address, taken alone, names another host.
    await page.goto(`${app.origin}/sign-in?back=%2F.%2F%2Fevil.test%2Flogin#${ADMIN_TOKEN}`);
    await page.waitForURL(`${app.origin}//evil.test/login`);
  });

  it('changes a switch by keyboard alone, and shows version, author and log', async () => {
    const page = await open();
    await shows(page, '#version', 'never changed');
    await page.focus('#token_statistics');
    await page.keyboard.press('Space');
    await shows(page, '#then', 'without tokens and cost');
    await page.keyboard.press('Tab');
    await page.keyboard.type('costs <b>too</b> much');
    await page.keyboard.press('Enter');
    await shows(page, '#done', 'Saved as version 1.');
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: false });
    await shows(page, '#version', /Version 1, changed by ada/);
    await shows(page, '#audit tbody tr', 'Token statistics: on → off');
    await shows(page, '#audit tbody tr', 'costs <b>too</b> much');
    await shows(page, '#instances-summary', '1 of 1 on version 1');
    assert.equal(await page.isDisabled('#save'), true);
  });

  it('switches off for two hours, and says when that ends', async () => {
    const page = await open();
    await page.uncheck('#enabled');
    await page.selectOption('#time', { label: 'for 2 hours, then back' });
    await page.click('#save');
    await shows(page, '#passing-enabled', /Metering is off until .*, set by ada/);
    const { enabled } = settings.passing;
    const left = Date.parse(enabled?.until ?? '') - Date.now();
    assert.ok(left > 7_100_000 && left <= 7_200_000, String(left));
    await shows(page, '#audit tbody tr', /Metering: on → off until/);
    assert.equal(await page.inputValue('#time'), '0', 'the next change is for good');
    await page.check('#enabled');
    await page.click('#save');
    await page.waitForSelector('#passing-enabled', { state: 'detached' });
    assert.deepEqual(settings.passing, {});
  });

  it('switches off for one team, lists that, and takes it away again', async () => {
    const page = await open();
    await page.selectOption('#scope', 'team');
    assert.equal(await page.isDisabled('#enabled'), true, 'of which team?');
    await page.fill('#scope-name', 'sea & <b>land</b>');
    await page.uncheck('#enabled');
    await page.click('#save');
    await shows(page, '#done', 'Saved as version 1.');
    const member = 'enabled@team:sea & <b>land</b>' as const;
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: true, [member]: false });
    await shows(page, '#exceptions', /Metering for team .?sea & <b>land<\/b>.?: off/);
    await shows(page, '#audit tbody tr', /Metering for team .*: as for all calls → off/);
    assert.equal(await page.isChecked('#enabled'), false, 'of the team');
    await page.selectOption('#scope', 'all');
    assert.equal(await page.isChecked('#enabled'), true, 'of all calls');
    await page.click('#exceptions button');
    await page.waitForSelector('#exceptions', { state: 'detached' });
    assert.deepEqual(settings.get(), { enabled: true, token_statistics: true });
  });

  it('takes the last change back', async () => {
    await settings.patch({ enabled: false }, { actor: 'bob' });
    const page = await open();
    await shows(page, '#last-change', 'Metering: on → off · bob');
    await page.click('#undo');
    await shows(page, '#done', 'Undone. The settings are now at version 2.');
    assert.equal(settings.get().enabled, true);
    await shows(page, '#audit tbody tr', 'undo of version 1');
    await page.click('#undo');
    await until(() => settings.version === 3);
    assert.equal(settings.get().enabled, false);
  });

  it('follows changes of others and instances that come and go, without a reload', async () => {
    const page = await open();
    const report = {
      id: 'two',
      name: 'shop',
      host: 'pod-2',
      pid: 7,
      version: 0,
      state: 'ready',
      startedAt: new Date(Date.now() - 3_700_000).toISOString(),
      details: { exporter: { state: 'failing', dropped: { full: 3 } } },
    } as const;
    await store.report(report, 60_000);
    await shows(page, '#instances tbody tr', 'shop · pod-2 · 7');
    // State of the exporter, what waits and what was lost.
    await shows(page, '#instances tbody tr', /failing\s*–\s*3/);
    await shows(page, '#instances tbody tr', '1h 1m');
    await settings.patch({ enabled: false }, { actor: 'bob' });
    await page.waitForSelector('#enabled:not(:checked)');
    await shows(page, '#instances tbody tr', '0 · outdated');
    await shows(page, '#instances-summary', '1 of 2 on version 1');
    await store.forget('two');
    await shows(page, '#instances-summary', '1 of 1 on version 1');
  });

  it('keeps the input and says why when another admin was faster', async () => {
    const page = await open(ADMIN_TOKEN, {}, /412/);
    await page.uncheck('#enabled');
    await page.fill('#reason', 'mine');
    await settings.patch({ token_statistics: false }, { actor: 'bob' });
    await shows(page, '#problem', 'bob changed the settings in the meantime (version 1)');
    assert.equal(await page.isChecked('#enabled'), false);
    assert.equal(await page.inputValue('#reason'), 'mine');
    await page.click('#save');
    await shows(page, '#done', 'Saved as version 2.');
    assert.deepEqual(settings.get(), { enabled: false, token_statistics: true });
  });

  it('keeps the input and says why when the store is away, and shows that it is', async () => {
    const page = await open(ADMIN_TOKEN, {}, /503/);
    const back = { update: store.update.bind(store), audit: store.audit.bind(store) };
    const away = async (): Promise<never> => {
      throw new TokenMeterError('STORE_UNAVAILABLE', 'gone');
    };
    Object.assign(store, { update: away, audit: away, instances: away });
    listener.onUnavailable(new Error('gone'));
    await shows(page, '#stale', 'The last known settings remain in effect');
    await page.uncheck('#enabled');
    await page.click('#save');
    await shows(page, '#problem', 'Not saved: the settings store is not reachable.');
    assert.equal(await page.isChecked('#enabled'), false);
    assert.equal(settings.get().enabled, true);
    Object.assign(store, back);
    listener.onAvailable();
    await page.waitForSelector('#stale', { state: 'hidden' });
    await page.click('#save');
    await shows(page, '#done', 'Saved as version 1.');
  });

  it('shows that a real Redis is stopped, and when it is back', async function () {
    requireServer(this, 'redis-server');
    const redis = await startRedis();
    const live = new SettingsService({
      schema: metricsSettings,
      store: new RedisSettingsStore({ url: redis.url }),
      lastKnownGoodPath: false,
    });
    const served = app;
    app = await serveApp({ routes: settingsRoutes({ settings: live }) });
    await live.start();
    try {
      const page = await open(ADMIN_TOKEN, {}, /503/);
      await live.patch({ token_statistics: false }, { actor: 'bob' });
      await shows(page, '#version', 'Version 1, changed by bob');
      await redis.kill();
      await shows(page, '#stale', 'The last known settings remain in effect');
      await page.uncheck('#enabled');
      await page.click('#save');
      await shows(page, '#problem', 'Not saved');
      await redis.restart();
      await page.waitForSelector('#stale', { state: 'hidden' });
      await page.click('#save');
      await shows(page, '#done', 'Saved as version 2.');
      assert.deepEqual(live.get(), { enabled: false, token_statistics: false });
    } finally {
      await served.close();
      await live.close();
      await redis.stop();
    }
  });

  it('survives a restart of the server, by events or by polling', async () => {
    const page = await open(ADMIN_TOKEN, {}, /./);
    await page.uncheck('#enabled');
    app.server.closeAllConnections();
    await settings.patch({ token_statistics: false }, { actor: 'bob' });
    await shows(page, '#problem', 'bob changed the settings in the meantime');
    assert.equal(await page.isChecked('#enabled'), false);
  });

  it('lets a viewer look and not change', async () => {
    const page = await open(VIEWER_TOKEN);
    await settings.patch({ enabled: false }, { actor: 'bob' });
    await shows(page, '#version', 'bob');
    await shows(page, '#viewer', 'You have read-only access.');
    assert.equal(await page.isDisabled('#enabled'), true);
    assert.equal(await page.isVisible('#save'), false);
    assert.equal(await page.isVisible('#undo'), false);
  });

  it('speaks Chinese to a Chinese browser', async () => {
    const page = await open(ADMIN_TOKEN, { locale: 'zh-CN' });
    await shows(page, 'h1', '设置');
    await page.uncheck('#token_statistics');
    await page.click('#save');
    await shows(page, '#done', '已保存为版本 1。');
    await shows(page, '#audit tbody tr', 'Token 统计：开启 → 关闭');
    const text = await page.innerText('body');
    assert.doesNotMatch(text, /[Ss]ettings|Version|Instance|Save|undefined|null|\{|\}/);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`fits a phone and can be read in the ${colorScheme} theme`, async () => {
      await settings.patch({ enabled: false }, { actor: 'a-long-name-without-any-break.of-32ch' });
      const page = await open(ADMIN_TOKEN, { colorScheme, ...PHONE });
      await shows(page, '#audit tbody tr', 'Metering');
      assert.equal(await overflow(page), 0, 'scrolls sideways');
      const small = await page.$$eval('button, .switch', (all) =>
        all
          .filter((each) => each.getClientRects().length > 0)
          .map((each) => each.getBoundingClientRect().height)
          .filter((height) => height < 28),
      );
      assert.deepEqual(small, [], 'a finger needs room');
      assert.deepEqual(await lowContrasts(page), []);
    });
  }

  it('names every control, and every cell on a phone', async () => {
    const page = await open(ADMIN_TOKEN, PHONE);
    const nameless = await page.$$eval('input:not(label input), button', (all) =>
      all
        .filter((each) => {
          const { labels } = each as { readonly labels?: { readonly length: number } | null };
          return each.textContent === '' && !labels?.length;
        })
        .map((each) => each.outerHTML),
    );
    assert.deepEqual(nameless, []);
    const unlabelled = await page.$$eval('table.stack td', (all) =>
      all.filter((each) => !each.getAttribute('data-label')).map((each) => each.textContent),
    );
    assert.deepEqual(unlabelled, []);
  });
});
