import assert from 'node:assert/strict';
import { consolePages } from '../../../support/console-pages.ts';
import { usageAlert } from '../../../support/usage-alerts.ts';
import { usageRecord } from '../../../support/usage-logs.ts';

describe('dashboard: names from right to left', () => {
  const pages = consolePages();

  it('change the order of nothing around them', async () => {
    const arabic = 'أحمد 12';
    const hostile = 'x\u2069\u202Eevil';
    pages.usage.health.alerts = () => [
      usageAlert({ key: arabic }),
      usageAlert({ id: 'two', key: hostile, atLeast: true }),
    ];
    await pages.usage.record([
      usageRecord(Date.now() - 1000, { userId: arabic, conversationId: hostile }),
      usageRecord(Date.now() - 2000, { userId: hostile, conversationId: arabic }),
    ]);
    const page = await pages.open();
    await pages.shows(page, '#calls tbody tr:first-child', arabic);
    for (const place of ['#calls tbody td', '#top-user li', '#top-conversation li']) {
      const names = page.locator(`${place} bdi`);
      assert.ok((await names.count()) >= 2, place);
    }
    const shown = await page.evaluate<string>('document.body.innerText');
    assert.ok(shown.includes('x\uFFFD\uFFFDevil'));
    assert.doesNotMatch(shown, /[\u202a-\u202e]|\u2069\u202E/);
    assert.ok(shown.includes(`(\u2068${arabic}\u2069)`), 'in the text of the alert');
    assert.match(shown, /at least \$12\.50/);
    // The value stays to the right of the name, as with any other.
    const isInOrder = await page.evaluate<boolean>(`
      [...document.querySelectorAll('#top-user li')].every((item) => {
        const at = (part) => item.querySelector(part).getBoundingClientRect();
        return at('bdi').right <= at('.value').left + 1;
      })`);
    assert.ok(isInOrder);
  });
});
