import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { consolePages } from '../../../support/console-pages.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

const MODELS = ['gpt-5.1', 'claude-sonnet-4-5', 'gpt-4.1-mini', 'gemini-2.5-flash', 'qwen3-max'];

describe('dashboard: colours of names', () => {
  const pages = consolePages();

  const coloursOn = async (page: Page): Promise<ReadonlyMap<string, string>> => {
    const shown = await page.evaluate<[string, string][]>(`
      [...document.querySelectorAll('#course .legend-item')].map((item) => [
        item.querySelector('.name').textContent,
        getComputedStyle(item.querySelector('[style]')).backgroundColor,
      ])`);
    return new Map(shown);
  };

  it('stay after a reload, in a view with other names and in the next tab', async () => {
    const calls = [...MODELS, 'deepseek-chat'].map((requestModel, index) =>
      usageRecord(Date.now() - 60_000 - index, {
        requestModel,
        userId: 'ann',
        totalTokens: 1000 - 100 * index,
      }),
    );
    // In the view of bob another model stands in the place of deepseek-chat.
    const ofBob = [...MODELS, 'support-bot-ft'].map((requestModel, index) =>
      usageRecord(Date.now() - 50_000 - index, {
        requestModel,
        userId: 'bob',
        totalTokens: 10 + index,
      }),
    );
    await pages.usage.record([...calls, ...ofBob]);
    const page = await pages.open('/?range=24h&user=ann&stack=model');
    const first = await coloursOn(page);
    assert.equal(new Set(first.values()).size, 6, JSON.stringify([...first]));
    await page.goto(`${pages.usage.app.origin}/?range=24h&user=bob&stack=model`);
    await pages.loaded(page);
    const second = await coloursOn(page);
    assert.ok(second.has('support-bot-ft'));
    for (const model of MODELS) assert.equal(second.get(model), first.get(model), model);
    const stored = await page.evaluate<string>('JSON.stringify({ ...localStorage })');
    for (const name of [...first.keys(), 'ann']) assert.ok(!stored.includes(name), stored);
  });

  it('are there where the browser refuses its storage or another program wrote to it', async () => {
    await pages.usage.record(
      MODELS.map((requestModel) => usageRecord(Date.now() - 60_000, { requestModel })),
    );
    const page = await pages.open('/?range=24h&stack=model');
    await page.evaluate(`localStorage.setItem('token_meter_colours', '[[1, 77], "x", [null, 2]]')`);
    await page.reload();
    await pages.loaded(page);
    assert.equal(new Set((await coloursOn(page)).values()).size, 5);
    await page.addInitScript(`
      Object.defineProperty(window, 'localStorage', { get() { throw new Error('refused'); } });`);
    await page.reload();
    await pages.loaded(page);
    assert.equal(new Set((await coloursOn(page)).values()).size, 5);
  });
});
