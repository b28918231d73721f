import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { axeProblems } from '../../support/axe.ts';
import { overflow } from '../../support/browser.ts';
import { consolePages } from '../../support/console-pages.ts';
import { officeUsage } from '../../support/office-usage.ts';
import { usageRecord } from '../../support/usage-logs.ts';

const PAGES = [
  '/teams',
  '/',
  '/users',
  '/user?user=ann',
  '/models',
  '/calls',
  '/run?run=run-1',
  '/health',
  '/settings',
  '/chat',
];

describe('console: pages', function () {
  this.timeout(60_000);
  const pages = consolePages(undefined, ['feature']);

  async function record(): Promise<void> {
    const at = Date.now() - 600_000;
    await pages.usage.record([
      ...officeUsage({ until: Date.now(), days: 3, perDay: 10 }),
      usageRecord(at, {
        userId: 'ann',
        conversationId: 'trip',
        inputTokens: 900,
        outputTokens: 100,
        totalTokens: 1000,
        cacheReadTokens: 600,
        tokenSource: 'provider',
        costUsd: 0.5,
        costSource: 'list',
        requestModel: 'gpt-4o',
        attributes: { feature: 'search' },
      }),
      usageRecord(at, {
        runId: 'run-1',
        agentName: 'planner',
        toolName: 'search',
        steps: [
          { kind: 'agent', name: 'planner', id: 'a' },
          { kind: 'tool', name: 'search <b>', id: 'b' },
        ],
        requestModel: 'planner-model',
        inputTokens: 40,
        outputTokens: 2,
        totalTokens: 42,
        tokenSource: 'estimated',
        costUsd: 0.0001,
        costSource: 'estimated',
      }),
      usageRecord(at, { userId: 'a/../b c&d', conversationId: 'other', totalTokens: 7 }),
    ]);
  }

  const names = async (page: Page): Promise<string[]> =>
    await page.locator('#users tbody td:first-child').allInnerTexts();

  it('shows the tree of a run, reached from one of its calls', async () => {
    await record();
    const page = await pages.open('/calls?run=run-1');
    await page.locator('#calls tbody button').first().click();
    await page.locator('.call-detail a').click();
    await page.locator('#run-page[data-loaded]').waitFor();
    const rows = await page.locator('#run tbody tr').allInnerTexts();
    assert.deepEqual(
      rows.map((row) => row.split('\t').slice(0, 4).join('|').trim()),
      [
        'Agent planner|1|42|$0.00010',
        'Tool search <b>|1|42|$0.00010',
        'planner-model|1|42|$0.00010',
        'Total|1|42|$0.00010',
      ],
    );
    assert.match(await page.locator('#run-page').innerText(), /100.*% of the token counts/);
    await page.close();
  });

  it('lists every user; sorts, searches and pages by mouse and by keyboard', async () => {
    await pages.usage.record(
      Array.from({ length: 120 }, (_, index) =>
        usageRecord(Date.now() - 60_000, {
          userId: `user-${String(index).padStart(3, '0')}`,
          inputTokens: 1000 - index,
          outputTokens: 0,
          totalTokens: 1000 - index,
          costUsd: index,
        }),
      ),
    );
    const page = await pages.open('/users');
    await pages.shows(page, '#users', '1–50 of 120');
    assert.equal((await names(page))[0], 'user-000');
    await page.click('#users th:has-text("Cost") button');
    await pages.shows(page, '#users tbody tr:first-child', 'user-119');
    assert.equal(await page.getAttribute('#users th:has-text("Cost")', 'aria-sort'), 'descending');
    await page.click('#users .page-after');
    await pages.shows(page, '#users', '51–100 of 120');
    await page.focus('#users .search');
    await page.keyboard.type('user-01');
    await pages.shows(page, '#users tbody tr:first-child', 'user-019');
    assert.equal((await names(page)).length, 10);
    assert.match(page.url(), /sort=-cost_usd&search=user-01$/);
    await page.focus('#users tbody a >> nth=0');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.keyboard.press('Enter');
    await page.waitForURL('**/user?user=user-018');
    await pages.shows(page, 'h1', 'user-018');
    await pages.shows(page, '[data-tile=calls] .figure', '1');
    await page.goBack();
    await pages.shows(page, '#users tbody tr:first-child', 'user-019');
  });

  it('has a page for each user, whatever the name, with conversations and calls', async () => {
    await record();
    const page = await pages.open('/users?range=24h');
    await page.click('a:has-text("a/../b c&d")');
    await pages.shows(page, 'h1', 'a/../b c&d');
    await pages.shows(page, '#conversations', 'other');
    await pages.shows(page, '#calls', 'a/../b c&d');
    assert.equal(await page.title(), 'User · Token meter');
    await page.click('#conversations a:has-text("other")');
    await pages.shows(page, '#conversation .facts', '1 call');
  });

  it("shows a user's budgets to all, and erases his calls for an admin who types his name", async () => {
    await record();
    const until = new Date(Date.now() + 86_400_000).toISOString();
    const account = {
      id: 'each-user',
      mode: 'warn' as const,
      unit: 'usd' as const,
      limit: 2,
      spent: 0.5,
      reserved: 0,
      remaining: 1.5,
      from: new Date().toISOString(),
      resetsAt: until,
      blocked: false,
      stale: false,
    };
    pages.usage.accounts = [
      { ...account, key: { user: 'ann' } },
      { ...account, key: { user: 'bob' }, spent: 1.9 },
    ];
    const page = await pages.open('/user?user=ann&range=24h');
    await pages.shows(page, '#accounts tbody', '$0.50 / $2.00');
    assert.equal(await page.locator('#accounts tbody tr').count(), 1);
    const file = await page.getAttribute('#user-data a', 'href');
    const csv = await page.request.get(pages.usage.app.origin + file);
    assert.equal((await csv.text()).trim().split('\n').length, 2);
    await page.fill('#erase-name', 'an');
    await page.click('#user-data [type=submit]');
    assert.equal(await page.locator('#erase-name:invalid').count(), 1);
    await page.fill('#erase-name', 'ann');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#user-data', '1 of 1 calls erased');
    await pages.shows(page, '[data-tile=calls] .figure', '0');
    const users = await pages.open('/users?range=24h');
    await pages.shows(users, '#users tbody', 'a/../b c&d');
    assert.equal((await names(users)).includes('ann'), false);
  });

  it('filters by the dimensions of the configuration, and stacks by them', async () => {
    const at = Date.now() - 60_000;
    const tokens = { inputTokens: 10, outputTokens: 0, totalTokens: 10 };
    await pages.usage.record([
      usageRecord(at, { ...tokens, dimensions: { feature: 'search' } }),
      usageRecord(at, { ...tokens, dimensions: { feature: 'search' } }),
      usageRecord(at, { ...tokens, dimensions: { feature: 'chat' } }),
      usageRecord(at, tokens),
    ]);
    const page = await pages.open('/?range=24h');
    await page.click('#stack button:has-text("feature")');
    await pages.shows(page, '#course .legend', /search\s*20/s);
    await pages.shows(page, '#course .legend', /chat\s*10/s);
    await page.click('#add-filter');
    await page.selectOption('#filter-dimension', 'dimension.feature');
    await page.fill('#filter-value', 'chat');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.chip', /feature\s*chat/);
    await pages.shows(page, '[data-tile=calls] .figure', '1');
    await page.reload();
    await pages.shows(page, '[data-tile=calls] .figure', '1');
  });

  it('saves views for everybody, and has a link to what is shown', async () => {
    await record();
    const page = await pages.open('/users?range=24h');
    await page.click('#users th:has-text("Calls") button');
    await page.waitForURL(/sort=-calls/);
    await page.click('#open-views');
    assert.match(await page.inputValue('#view-link'), /\/users\?range=24h&sort=-calls$/);
    await page.fill('#view-name', 'Who calls most');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#views a', 'Who calls most');
    assert.deepEqual(await axeProblems(page), []);
    const other = await pages.open('/models');
    await other.click('#open-views');
    await other.click('#views a:has-text("Who calls most")');
    await other.waitForURL(/\/users\?range=24h&sort=-calls$/);
    await pages.shows(other, '#users tbody', 'ann');
    await other.click('#open-views');
    await other.click('#views button:has-text("Remove")');
    await pages.shows(page, '#views', 'No saved views.');
  });

  it('annotates charts, by hand and with the date of the prices', async () => {
    await record();
    const date = new Date(Date.now() - 86_400_000).toISOString().slice(0, 10);
    pages.usage.health.prices = () => ({ name: 'genai-prices', date });
    const page = await pages.open('/?range=7d');
    await pages.shows(page, '#course .notes', `${date}: price list genai-prices`);
    await page.click('#annotate');
    await page.fill('#annotation-text', 'Release <b>1.4</b>');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#annotations li', 'Release <b>1.4</b>');
    await pages.shows(page, '#course .notes', /: Release <b>1.4<\/b>/);
    await pages.shows(page, '#failures .notes', /: Release <b>1.4<\/b>/);
    const elsewhere = await pages.open('/?range=24h');
    await pages.shows(elsewhere, '#course .notes', 'Release <b>1.4</b>');
    await page.click('#annotations button:has-text("Remove")');
    await elsewhere.waitForSelector('#course .notes', { state: 'detached' });
  });

  it('compares with any other range', async () => {
    const day = (days: number): number => new Date().setHours(12, 0, 0, 0) - days * 86_400_000;
    await pages.usage.record([
      usageRecord(day(1), { userId: 'ann' }),
      ...[20, 20, 20, 20].map((days) => usageRecord(day(days), { userId: 'ann' })),
    ]);
    const page = await pages.open('/?range=yesterday');
    await page.click('#custom');
    await page.selectOption('#compare', 'other');
    const text = (ms: number): string =>
      new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
    await page.fill('#compare-from', text(day(20) - 3_600_000));
    await page.fill('#compare-to', text(day(20) + 3_600_000));
    await page.click('#range-form [type=submit]');
    await page.waitForURL(/compare_from=.*compare_to=/);
    await pages.shows(page, '[data-tile=calls] .change', /75\s*%/);
  });

  it('lists teams, and who in a team uses what', async () => {
    const at = Date.now() - 60_000;
    await pages.usage.record([
      usageRecord(at, {
        userId: 'ann',
        team: 'search',
        inputTokens: 30,
        outputTokens: 0,
        totalTokens: 30,
      }),
      usageRecord(at, {
        userId: 'bob',
        team: 'search',
        inputTokens: 20,
        outputTokens: 0,
        totalTokens: 20,
        requestModel: 'o3',
      }),
      usageRecord(at, {
        userId: 'eve',
        team: 'ads',
        inputTokens: 5,
        outputTokens: 0,
        totalTokens: 5,
      }),
      usageRecord(at, { userId: 'joe', inputTokens: 1, outputTokens: 0, totalTokens: 1 }),
    ]);
    const page = await pages.open('/teams');
    await pages.shows(page, '#teams tbody tr:first-child', 'search');
    await pages.shows(page, '#teams tbody', '(no team)');
    await page.click('#teams a:has-text("search")');
    await page.waitForURL('**/team?team=search');
    await pages.shows(page, '[data-tile=calls] .figure', '2');
    await pages.shows(page, '#users tbody tr:first-child', 'ann');
    assert.equal(await page.locator('#users tbody tr').count(), 2);
    await page.click('#users a:has-text("bob")');
    await pages.shows(page, 'h1', 'bob');
    await pages.shows(page, '#top-model', 'o3');
    const all = await pages.open('/?by=team');
    await pages.shows(all, '#course .legend', /search\s*50.*ads\s*5/s);
  });

  it('compares two models by what they really cost', async () => {
    await record();
    // At the beginning of a week the office has not used it in the last days.
    await pages.usage.record([usageRecord(Date.now() - 600_000, { requestModel: 'gpt-5.1' })]);
    const page = await pages.open('/models');
    await pages.shows(page, '#models tbody', 'gpt-4o');
    const row = page.locator('#models tbody tr', { hasText: 'gpt-4o' }).first();
    assert.match(await row.innerText(), /\$0\.50/);
    await page.click('#models th:has-text("Cost of 1,000") button');
    assert.match(await page.innerText('#models tbody tr:first-child'), /gpt-4o/);
    await page.selectOption('#compare-models select >> nth=0', 'gpt-4o');
    await page.waitForURL(/model=gpt-4o/);
    await page.click('#models button:has-text("gpt-5.1")');
    await page.waitForURL(/model=gpt-4o&model=gpt-5.1/);
    await pages.shows(
      page,
      '#compare-models li',
      /the \d calls? of gpt-4o cost \$0\.00\d+; with gpt-5\.1/,
    );
    await pages.shows(page, '#compare-models .legend', 'gpt-5.1');
  });

  it('shows everything of one call, by mouse and by keyboard', async () => {
    await record();
    const page = await pages.open('/calls?range=24h&user=ann');
    await pages.shows(page, '#calls tbody', 'ann');
    await page.focus('#calls tbody button >> nth=0');
    await page.keyboard.press('Enter');
    for (const text of ['of it from cache\n600', 'list prices', 'feature\nsearch', 'gpt-4o']) {
      await pages.shows(page, '.call-detail', new RegExp(text.replace('\n', '\\s*')));
    }
    await pages.shows(page, '.call-detail', /Cache reads/);
    await page.keyboard.press('Enter');
    await page.waitForSelector('.call-detail', { state: 'detached' });
  });

  it('shows what calls used beside tokens, and nothing of it where none did', async () => {
    await record();
    const plain = await pages.open('/models?range=24h');
    await pages.shows(plain, '#models tbody', 'gpt-4o');
    assert.doesNotMatch(await plain.innerText('#models thead'), /Images/);
    const overview = await pages.open('/?range=24h');
    await pages.shows(overview, '[data-tile=calls] .figure', /\d/);
    assert.equal(await overview.locator('[data-tile=units]').count(), 0);
    const at = Date.now() - 60_000;
    const images = { 'token_meter.usage.generated_images': 1200 };
    const audio = { 'token_meter.usage.audio_input_seconds': 5400 };
    await pages.usage.record([
      usageRecord(at, { userId: 'eve', requestModel: 'gpt-image-1', attributes: images }),
      usageRecord(at, { userId: 'eve', requestModel: 'whisper-1', attributes: audio }),
    ]);
    const models = await pages.open('/models?range=24h');
    await pages.shows(models, '#models thead', /Audio read.*Images/s);
    await models.click('#models th:has-text("Images") button');
    await pages.shows(models, '#models tbody tr:first-child', /gpt-image-1.*1,200/s);
    const after = await pages.open('/?range=24h');
    await pages.shows(
      after,
      '[data-tile=units]',
      /Beside tokens.*Audio read\s*1\.5h.*Images\s*1,200/s,
    );
    assert.deepEqual(await axeProblems(after), []);
    assert.equal(await overflow(after), 0);
    const calls = await pages.open('/calls?range=24h&user=eve&model=whisper-1');
    await calls.locator('#calls tbody button').first().click();
    await pages.shows(calls, '.call-detail', /Beside tokens\s*Audio read\s*1\.5h/);
    assert.doesNotMatch(await calls.innerText('.call-detail'), /token_meter\.usage/);
  });

  it('shows the instances of the fleet on the page of its health', async () => {
    const page = await pages.open('/health');
    await pages.shows(page, '#instances tbody tr', 'connected');
    await pages.shows(page, '#exporter', 'ok');
  });

  it('keeps the chosen theme from the first paint of the next page', async () => {
    const page = await pages.open('/settings', { colorScheme: 'light' });
    await page.click('.theme');
    await page.click('.theme');
    await page.reload();
    const html = await (await page.request.get(page.url())).text();
    assert.match(html, /data-theme="dark"/);
    const back = await page.evaluate<string>('getComputedStyle(document.body).backgroundColor');
    assert.equal(back, 'rgb(20, 23, 28)');
    await page.click('.theme');
    assert.doesNotMatch(await (await page.request.get(page.url())).text(), /data-theme/);
  });

  it('goes from page to page without loading them again', async () => {
    await record();
    // There is no chat in this application.
    const page = await pages.open('/', {}, /404/);
    await page.evaluate('window.before = true');
    for (const path of ['/users', '/models', '/calls', '/health', '/settings', '/chat', '/']) {
      await page.click(`nav a[href="${path}"]`);
      await page.waitForURL(`**${path}`);
      await page.waitForSelector('h1');
    }
    assert.equal(await page.evaluate('window.before'), true);
  });

  for (const [name, options] of [
    ['on a desk in the light theme', { colorScheme: 'light' }],
    [
      'on a phone in the dark theme, in Chinese',
      { colorScheme: 'dark', locale: 'zh-CN', viewport: { width: 360, height: 740 } },
    ],
  ] as const) {
    it(`breaks no rule of accessibility ${name}`, async () => {
      await record();
      const page = await pages.open('/sign-in', options, /404/);
      for (const path of PAGES) {
        await page.goto(pages.usage.app.origin + path);
        await page.waitForSelector('[data-loaded="true"], #switches .state, #chat, #exporter dd');
        assert.deepEqual(await axeProblems(page), [], path);
        assert.equal(await overflow(page), 0, `${path} scrolls sideways`);
      }
    });
  }

  it('asks who is signed in once, ahead of the script, and opens the stream before it asks for usage', async () => {
    const page = await pages.open('/sign-in');
    await page.waitForLoadState('networkidle');
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    await page.goto(`${pages.usage.app.origin}/?range=7d`);
    await pages.loaded(page);
    assert.equal(asked.filter((path) => path === '/api/session').length, 1);
    const firstUsage = asked.findIndex((path) => path.startsWith('/api/usage/'));
    assert.ok(asked.indexOf('/api/session') < firstUsage);
    assert.ok(asked.indexOf('/api/events') < firstUsage, asked.join(' '));
  });

  it('loads in few requests and bytes', async () => {
    await pages.usage.record(officeUsage({ until: Date.now(), days: 8, perDay: 60 }));
    const page = await pages.open('/sign-in');
    await page.waitForLoadState('networkidle');
    let [requests, bytes] = [0, 0];
    page.on('response', (response) => {
      requests += 1;
      void response
        .request()
        .sizes()
        .then(({ responseBodySize }) => (bytes += responseBodySize))
        .catch(() => undefined);
    });
    await page.goto(`${pages.usage.app.origin}/?range=7d`);
    await pages.loaded(page);
    await page.waitForTimeout(200);
    assert.ok(requests <= 15, `${requests} requests`);
    assert.ok(bytes <= 150_000, `${bytes} bytes`);
    assert.ok(bytes > 20_000, 'it was measured');
  });
});
