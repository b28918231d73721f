import assert from 'node:assert/strict';
import { stopBudgets } from '../../../src/budgets/budgets-in-force.ts';
import { OpenAI } from 'openai';
import { TokenMeterInstrumentation } from 'otel-token-meter';
import { ChatService } from '../../../example-app/chat/chat-service.ts';
import { type DemoModel, startDemoModel } from '../../../example-app/demo-model/server.ts';
import { chatRoutes } from '../../../example-app/routes/chat.ts';
import { lowContrasts, overflow } from '../../support/browser.ts';
import { consolePages } from '../../support/console-pages.ts';
import { usageRecord } from '../../support/usage-logs.ts';
import { type TestTelemetry, startTelemetry } from '../../support/telemetry.ts';

describe('chat page', () => {
  let demo: DemoModel;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  const pages = consolePages(() =>
    chatRoutes({
      chat: new ChatService(new OpenAI({ apiKey: 'demo', baseURL: demo.url, maxRetries: 0 })),
      role: 'anyone',
      models: ['gpt-4o', 'o3', 'no-such-model'],
      demo: true,
    }),
  );

  before(async () => {
    telemetry = startTelemetry();
    demo = await startDemoModel({ chunkPauseMs: 10 });
    instrumentation = new TokenMeterInstrumentation({
      onUsage: (record) => void pages.usage.record([record]),
    });
    instrumentation.instrument('openai', OpenAI);
  });

  after(async () => {
    instrumentation.disable();
    await stopBudgets();
    await demo.close();
    await telemetry.close();
  });

  beforeEach(() => {
    const { settings } = pages.usage;
    settings.subscribe(({ settings: { enabled, token_statistics: tokenStatistics } }) =>
      instrumentation.applySettings({ enabled, tokenStatistics }),
    );
    instrumentation.applySettings({ enabled: true, tokenStatistics: true });
    instrumentation.applyBudgets([]);
  });

  it('shows an answer as it comes, then what was recorded of the call', async () => {
    const page = await pages.open('/chat');
    await pages.shows(page, '#recorded', 'Metering and token statistics are on');
    await pages.shows(page, '#model', 'offline demo model');
    assert.equal(await page.evaluate('document.activeElement.id'), 'message');
    await page.evaluate(`
      window.wasBusy = [];
      new MutationObserver((changes) => wasBusy.push(...changes.map((each) => each.oldValue)))
        .observe(document.body, { subtree: true, attributeFilter: ['aria-busy'], attributeOldValue: true });
    `);
    await page.keyboard.type('Hello <b>you</b>');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.said.user', 'Hello <b>you</b>');
    await pages.shows(page, '.said.model .words', 'You said: “Hello <b>you</b>”');
    await page.waitForSelector('.said.model[aria-busy="false"]');
    assert.deepEqual(await page.evaluate('wasBusy'), ['true']);
    await pages.shows(page, '.receipt', /\d+ → \d+ tokens · \$0\.\d{5} · .*first chunk after/);
    await pages.shows(page, '.receipt', 'counted with the exact tokenizer');
    const conversation = await page.inputValue('#conversation');
    assert.match(conversation, /^conv-/);
    await page.click('.receipt a');
    await pages.shows(page, '#conversation .facts', 'alice · 1 call ·');
  });

  it('goes on with a conversation, of the user and the model that are picked, without a stream', async () => {
    const page = await pages.open('/chat');
    await page.fill('#user', '王芳');
    await page.selectOption('#model', 'o3');
    await page.fill('#conversation', 'trip');
    await page.uncheck('#stream');
    for (const count of [1, 2]) {
      await page.fill('#message', 'again');
      await page.click('[type=submit]');
      await page
        .locator('.receipt a')
        .nth(count - 1)
        .waitFor();
    }
    assert.equal(await page.inputValue('#conversation'), 'trip');
    const receipt = await page.innerText('.receipt >> nth=0');
    assert.match(receipt, /reported by the provider/);
    assert.doesNotMatch(receipt, /first chunk/);
    await page.click('.receipt a >> nth=0');
    await pages.shows(page, '#conversation .facts', '王芳 · 2 calls');
    await pages.shows(page, '#top-model', 'o3');
  });

  it('stops an answer, which is recorded as aborted', async () => {
    const page = await pages.open('/chat');
    // Half a minute, since a busy machine comes to the button late.
    await page.fill('#message', 'A long story, please. '.repeat(800));
    await page.keyboard.press('Enter');
    await pages.shows(page, '.said.model .words', 'You said');
    // By keyboard: while the answer grows, the button moves, and a mouse of Playwright waits until it does not.
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.said.model .words', '(stopped)');
    await page.click('.receipt a');
    await pages.shows(page, '#conversation tbody', 'aborted');
  });

  it('shows the call of an answer that was over when it was stopped', async () => {
    const page = await pages.open('/chat');
    const conversationId = 'over-by-then';
    await page.fill('#conversation', conversationId);
    // The reply never arrives.
    await page.route('**/api/chat', async () => {
      await pages.usage.record([usageRecord(Date.now(), { conversationId, outcome: 'ok' })]);
    });
    await page.fill('#message', 'Hello');
    await page.keyboard.press('Enter');
    await page.focus('#stop');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.said.model .words', '(stopped)');
    await page.locator('.receipt a').waitFor();
  });

  it('explains what the two switches leave', async () => {
    const { settings } = pages.usage;
    const page = await pages.open('/chat');
    await settings.patch({ token_statistics: false });
    await pages.shows(page, '#recorded', 'Token statistics are off');
    await page.fill('#message', 'one');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.receipt', 'Recorded without tokens');
    await settings.patch({ enabled: false });
    await pages.shows(page, '#recorded', 'Metering is off');
    await page.fill('#message', 'two');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.receipt', 'Not recorded: metering is off.');
  });

  it('says why there is no answer, and that one is signed out', async () => {
    const page = await pages.open('/chat', {}, /422|401/);
    await page.selectOption('#model', 'no-such-model');
    await page.fill('#message', 'Hello');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#problem', 'no such model');
    await page.context().clearCookies();
    await page.selectOption('#model', 'gpt-4o');
    await page.fill('#message', 'Hello');
    await page.keyboard.press('Enter');
    await pages.shows(page, '.receipt', 'Sign in to see the usage record.');
  });

  for (const [locale, text] of [
    ['en-GB', /^Budget each-user is exhausted\. Try again after .*\d{2}:\d{2}.*\./],
    ['zh-CN', /^预算 each-user 已用完，请在 .*\d{2}:\d{2}.* 之后重试。/],
  ] as const) {
    it(`says which budget is exhausted, and until when, in ${locale}`, async () => {
      instrumentation.applyBudgets([
        {
          id: 'each-user',
          scope: { each: ['user'] },
          window: { rolling: '1h' },
          limit: { calls: 1 },
          mode: 'block',
        },
      ]);
      const page = await pages.open('/chat', { locale }, /429/);
      const ask = async (message: string): Promise<void> => {
        await page.fill('#message', message);
        await page.keyboard.press('Enter');
      };
      await ask('Hello');
      await page.waitForSelector('.receipt a');
      await ask('Again');
      await pages.shows(page, '#problem', text);
      const { y = -1, height = 0 } = (await page.locator('#problem').boundingBox()) ?? {};
      const { height: window } = page.viewportSize() ?? { height: 0 };
      assert.ok(y >= 0 && y + height < window + 1, 'is in the window');
      assert.equal(await page.locator('.receipt').count(), 1, 'there was no call');
      await page.uncheck('#stream');
      await ask('At once');
      await pages.shows(page, '#problem', text);
      assert.deepEqual(await lowContrasts(page), []);
      await page.fill('#user', 'bob');
      await ask('I have not asked yet');
      await page.waitForSelector('#problem', { state: 'detached' });
      await page.locator('.receipt a').nth(1).waitFor();
    });
  }

  for (const colorScheme of ['light', 'dark'] as const) {
    it(`speaks Chinese, fits a phone and can be read in the ${colorScheme} theme`, async () => {
      const viewport = { width: 360, height: 740 };
      const page = await pages.open('/chat', { colorScheme, viewport, locale: 'zh-CN' });
      await page.fill('#message', `${'x'.repeat(300)}\n你好`);
      await page.keyboard.press('Enter');
      await pages.shows(page, '.receipt', '本地分词器精确计数');
      assert.equal(await overflow(page), 0);
      assert.deepEqual(await lowContrasts(page), []);
      await pages.shows(page, '#recorded', '用量统计和 token 统计均已开启');
    });
  }
});
