import assert from 'node:assert/strict';
import { alertRoutes } from '../../../example-app/routes/alerts.ts';
import { budgetsRoutes } from '../../../example-app/routes/budgets.ts';
import type { ApiRoute } from '../../../example-app/routes/api-route.ts';
import {
  type BudgetsDocument,
  budgetsDocument,
  budgetsSettings,
} from '../../../src/budgets/index.ts';
import { MemorySettingsStore, SettingsService } from '../../../src/settings/index.ts';
import { type AlertReceiverServer, alertReceiver } from '../../support/alert-receiver.ts';
import { axeProblems } from '../../support/axe.ts';
import { consolePages } from '../../support/console-pages.ts';
import { type AppAlerts, appAlerts } from '../../support/running-alerts.ts';
import { until } from '../../support/until.ts';

describe('console: budgets and alerts', function () {
  this.timeout(60_000);
  let settings: SettingsService<BudgetsDocument>;
  let receiver: AlertReceiverServer;
  let running: AppAlerts;
  const pages = consolePages(routes);

  function routes(): readonly ApiRoute[] {
    const account = {
      id: 'daily',
      key: { team: 'search' },
      mode: 'block',
      unit: 'usd',
      limit: 100,
      spent: 99.5,
      reserved: 0,
      remaining: 0.5,
      from: '2026-11-01T00:00:00.000Z',
      resetsAt: '2026-12-01T00:00:00.000Z',
      blocked: false,
      stale: false,
    } as const;
    return [
      ...budgetsRoutes({ settings, accounts: async () => [account] }),
      ...alertRoutes({ alerts: () => running.alerts }),
    ];
  }

  before(async () => {
    settings = new SettingsService({
      schema: budgetsSettings,
      defaults: budgetsDocument([{ id: 'configured', window: 'day', limit: { tokens: 1000 } }]),
      store: new MemorySettingsStore(),
    });
    await settings.start();
    receiver = await alertReceiver();
    running = await appAlerts({ slackUrl: receiver.url });
  });

  after(async () => {
    await running.close();
    receiver.close();
    await settings.close();
  });

  it('shows what is spent, creates a budget by keyboard, and deletes it', async () => {
    const page = await pages.open('/budgets', {}, /412/);
    await pages.shows(page, '#accounts tbody tr', /daily.*search.*\$99\.50 \/ \$100\.00.*99\.5%/s);
    await pages.shows(page, '#budgets tbody tr', /configured.*day/s);
    await page.focus('#budget-id');
    await page.keyboard.type('configured');
    await page.fill('#budget-amount', '5');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#new-budget .banner', /./);
    await page.fill('#budget-id', 'per-user');
    await page.selectOption('#new-budget select >> nth=0', 'user');
    await page.keyboard.press('Enter');
    await page.click('#new-budget [type=submit]');
    await pages.shows(page, '#budgets tbody tr', /per-user.*each: User.*month.*\$5\.00/s);
    assert.deepEqual(settings.get()['per-user'], {
      scope: { each: ['user'] },
      window: 'month',
      limit: { usd: 5 },
      mode: 'warn',
    });
    page.on('dialog', (dialog) => void dialog.accept());
    await page.locator('#budgets tbody tr', { hasText: 'per-user' }).locator('button').click();
    await until(() => settings.get()['per-user'] === undefined);
    assert.deepEqual(await axeProblems(page), []);
  });

  it('takes charge of an alert, mutes its rule for two hours, ends that, and sends a test', async () => {
    const page = await pages.open('/alerts');
    await pages.shows(page, '#active-alerts tbody tr', /hour.*ann.*500/s);
    await page.click('#active-alerts button:has-text("Acknowledge")');
    await pages.shows(page, '#active-alerts tbody tr', 'ada');
    await pages.shows(page, '#alert-rules tbody tr', /hour.*threshold/s);
    await page.click('#alert-rules button:has-text("2 h") >> nth=0');
    await pages.shows(page, '#alert-rules tbody tr', /until .* by ada/);
    await pages.shows(page, '#alert-history tbody tr', /muted.*hour.*ada/s);
    await page.focus('#alert-rules button:has-text("End")');
    await page.keyboard.press('Enter');
    await pages.shows(page, '#alert-history tbody tr', 'no longer muted');
    await page.click('#test-channels');
    await page.waitForSelector('#test-channels:not(:disabled)');
    await pages.shows(page, '#channels', 'slack');
    assert.deepEqual(await axeProblems(page), []);
  });
});
