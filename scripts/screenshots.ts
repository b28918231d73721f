/**
 * Takes the screenshots of the documentation, with generated data, of all pages or some:
 *
 *     npm run docs:images -- [users calls …]
 */
import { mkdirSync } from 'node:fs';
import { OpenAI } from 'openai';
import { ChatService } from '../example-app/chat/chat-service.ts';
import { DEMO_MODELS, startDemoModel } from '../example-app/demo-model/server.ts';
import type {
  AlertEntry,
  AlertsState,
  Budget,
  BudgetAccount,
} from '../example-app/console/api/contract.ts';
import { chatRoutes } from '../example-app/routes/chat.ts';
import { sessionCookie } from '../test/support/app.ts';
import { openPage, startBrowser } from '../test/support/browser.ts';
import { officeUsage } from '../test/support/office-usage.ts';
import { serveUsage } from '../test/support/usage-app.ts';
import { usageRecord } from '../test/support/usage-logs.ts';
import type { UsageRecord } from '../src/domain/usage-record.ts';

const VIEWPORT = { width: 1280, height: 1440 };
const DAY_MS = 86_400_000;

/** An afternoon with token statistics off. */
const gap = { from: startOfDay(9) + 13 * 3_600_000, to: startOfDay(8) + 9 * 3_600_000 };

function startOfDay(daysAgo: number): number {
  return new Date(Date.now() - daysAgo * DAY_MS).setHours(0, 0, 0, 0);
}

const TEAMS = ['product', 'research', 'sales', 'support'];

function teamOf({ userId = '' }: UsageRecord): string | undefined {
  return TEAMS[userId.length % (TEAMS.length + 1)];
}

function asRecorded(call: UsageRecord): UsageRecord {
  const team = teamOf(call);
  const record = {
    ...call,
    ...(call.costUsd !== undefined && { costSource: 'list' as const }),
    ...(team !== undefined && { team }),
  };
  const at = Date.parse(`${record.time.slice(0, 23)}Z`);
  if (at < gap.from || at > gap.to) return record;
  const kept = Object.entries(record).filter(
    ([key]) => !/tokens$|^tokenSource|^costUsd/i.test(key),
  );
  return Object.fromEntries(kept) as unknown as UsageRecord;
}

/** Images for the shop, one call a day, and what support's recordings said. */
const withUnits = Array.from({ length: 30 }, (_, day) => {
  const at = startOfDay(day) - 9 * 3_600_000;
  return [
    usageRecord(at, {
      userId: 'sofia.rossi',
      requestModel: 'gpt-image-1',
      operation: 'image_generation',
      durationMs: 21_000,
      attributes: { 'token_meter.usage.generated_images': 2 + (day % 3) },
    }),
    usageRecord(at + 60_000, {
      userId: 'omar.haddad',
      requestModel: 'whisper-1',
      operation: 'transcription',
      durationMs: 4200,
      attributes: { 'token_meter.usage.audio_input_seconds': 312 + day },
    }),
  ];
}).flat();

const ofTeam = {
  member: 'token_statistics@team:sales',
  until: new Date(Date.now() + 8 * 3_600_000),
} as const;

const audit = [
  {
    version: 3,
    time: Date.now(),
    from: { [ofTeam.member]: null },
    to: { [ofTeam.member]: false },
    until: ofTeam.until.toISOString(),
    reason: 'audit of contracts',
  },
  { version: 2, time: gap.to, from: { token_statistics: false }, to: { token_statistics: true } },
  { version: 1, time: gap.from, from: { token_statistics: true }, to: { token_statistics: false } },
].map(({ time, ...change }) => ({
  reason: 'gateway migration',
  ...change,
  time: new Date(time).toISOString(),
  actor: 'ada',
  action: 'change',
  undo: {},
}));

/** Another instance of the office, whose exporter reports what is given. */
const instance = (name: string, exporter: object) => ({
  name,
  details: () => ({ exporter: { state: 'ok', pending: 0, dropped: {}, ...exporter } }),
});

const demo = await startDemoModel({ chunkPauseMs: 0 });
const served = await serveUsage({
  fleet: [
    instance('chat-eu', { pending: 12 }),
    instance('chat-us', { state: 'retrying', pending: 1840 }),
    instance('batch', { dropped: { queue_full: 3 } }),
  ],
  routes: chatRoutes({
    chat: new ChatService(new OpenAI({ apiKey: 'demo', baseURL: demo.url, maxRetries: 0 })),
    role: 'viewer',
    models: DEMO_MODELS,
    demo: true,
  }),
});
const { origin } = served.app;
served.health.prices = () => ({ name: 'genai-prices 0.1.8', date: '2026-09-23' });
await served.record([...officeUsage({ until: Date.now(), days: 62, perDay: 190 })].map(asRecorded));
await served.record(withUnits);
for (const [patch, until] of [
  [{ token_statistics: false }, undefined],
  [{ token_statistics: true }, undefined],
  [{ [ofTeam.member]: false }, ofTeam.until],
] as const) {
  await served.settings.patch(patch, { actor: 'ada', ...(until && { until }) });
}
mkdirSync(new URL('../docs/images/', import.meta.url), { recursive: true });
const browser = await startBrowser();
const midnight = startOfDay(0);
const month = new Date(midnight);
const window = {
  from: new Date(month.getFullYear(), month.getMonth(), 1).toISOString(),
  resets_at: new Date(month.getFullYear(), month.getMonth() + 1, 1).toISOString(),
  reserved: 0,
  stale: false,
};
const account = (
  budget: string,
  key: BudgetAccount['key'],
  mode: 'warn' | 'block',
  [spent, limit]: readonly [number, number],
): BudgetAccount => ({
  ...window,
  budget,
  key,
  mode,
  unit: 'usd',
  limit,
  spent,
  remaining: Math.max(0, limit - spent),
  blocked: mode === 'block' && spent >= limit,
});
const accounts = [
  account('each-team', { team: 'research' }, 'warn', [412.5, 400]),
  account('each-team', { team: 'product' }, 'warn', [338.1, 400]),
  account('each-team', { team: 'sales' }, 'warn', [120.75, 400]),
  account('each-user', { user: 'amelia.hart' }, 'block', [50.02, 50]),
  account('each-user', { user: 'wei.zhang' }, 'block', [31.4, 50]),
  account('company', {}, 'warn', [983.2, 2000]),
];
const budgets: Readonly<Record<string, Budget>> = {
  company: { window: { calendar: 'month' }, limit: { usd: 2000 }, mode: 'warn' },
  'each-team': { scope: { each: ['team'] }, window: 'month', limit: { usd: 400 }, mode: 'warn' },
  'each-user': { scope: { each: ['user'] }, window: 'month', limit: { usd: 50 }, mode: 'block' },
};
const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
const rule = { kind: 'threshold', metric: 'costUsd', by: 'user', window_ms: DAY_MS } as const;
const alerts: AlertsState = {
  rules: [
    { ...rule, id: 'rule_a', name: 'spend of a user', warning: 20, alert: 40 },
    { ...rule, id: 'rule_b', name: 'spend of everybody', by: 'all', warning: 150, alert: 250 },
    {
      ...rule,
      id: 'rule_c',
      name: 'calls of a model',
      metric: 'calls',
      by: 'model',
      window_ms: 3_600_000,
      alert: 500,
      muted: { until: hoursAgo(-2), by: 'ada', at: hoursAgo(22) },
    },
  ],
  active: [
    {
      id: 'alert_a',
      incident: 'incident_a',
      rule: 'spend of a user',
      rule_id: 'rule_a',
      kind: 'threshold',
      previous_level: 'warning',
      from: hoursAgo(24),
      to: hoursAgo(0),
      time_zone: 'UTC',
      is_muted: false,
      metric: 'costUsd',
      by: 'user',
      key: 'amelia.hart',
      level: 'alert',
      value: 43.2,
      threshold: 40,
      no_data: false,
      since: hoursAgo(3),
      window_ms: DAY_MS,
    },
  ],
  undelivered: 0,
  channels: [{ name: 'slack', delivered: 14, dropped: {}, queued: 0 }],
  last_evaluated: hoursAgo(0),
};
const change = { id: 'alert_a', rule: 'spend of a user', metric: 'costUsd' } as const;
const history: readonly AlertEntry[] = [
  { ...change, time: hoursAgo(3), event: 'level', key: 'amelia.hart', level: 'alert', value: 43.2 },
  { ...change, time: hoursAgo(5), event: 'level', key: 'amelia.hart', level: 'warning', value: 21 },
  { id: 'rule_c', rule: 'calls of a model', time: hoursAgo(22), event: 'muted', actor: 'ada' },
];
/** The call of the chat page. */
const ANSWERED = {
  userId: 'alice',
  durationMs: 840,
  timeToFirstChunkMs: 210,
  inputTokens: 21,
  outputTokens: 38,
  totalTokens: 59,
  tokenSource: 'provider',
  costUsd: 0.000_433,
  costSource: 'list',
} as const;

/** What the pages get instead of the answers of a server that has just begun. */
const ANSWERS = [
  ['**/api/settings/metrics/audit?*', { entries: audit }],
  ['**/api/budgets/status*', { accounts }],
  ['**/api/settings/budgets', budgets],
  ['**/api/alerts', alerts],
  ['**/api/alerts/history', { entries: history }],
] as const;

/** Name of the file, address, and what is there when the page has its data. */
const LOADED = '[data-loaded="true"]';
const PAGES = [
  // First: its call is the newest one of the next pages.
  ['chat', '/chat', '#model'],
  ['dashboard', '/?range=30d', LOADED],
  ['users', '/users?range=30d', LOADED],
  ['user', '/user?range=30d&user=amelia.hart', LOADED],
  ['teams', '/teams?range=30d', LOADED],
  ['team', '/team?range=30d&team=research', LOADED],
  ['models', '/models?range=30d&model=gpt-5.1&model=claude-sonnet-4-5', LOADED],
  ['calls', '/calls', LOADED],
  ['budgets', '/budgets', '#accounts tbody tr'],
  ['alerts', '/alerts', '#alert-history tbody tr'],
  ['health', '/health', '#exporter dd'],
  ['settings', '/settings', '#switches .state'],
] as const;
const LOOKS = [
  ['', { viewport: VIEWPORT, colorScheme: 'light' }],
  ['-dark', { viewport: VIEWPORT, colorScheme: 'dark' }],
  ['-phone', { viewport: { width: 390, height: 844 }, colorScheme: 'light' }],
  // Needs a font with Chinese characters, such as fonts-noto-cjk.
  ['-zh', { viewport: VIEWPORT, colorScheme: 'light', locale: 'zh-CN' }],
] as const;
const only = process.argv.slice(2);
for (const [suffix, options] of LOOKS) {
  const { page, close } = await openPage(browser, options);
  await page.context().addCookies([await sessionCookie(origin)]);
  for (const [path, json] of ANSWERS) {
    await page.route(path, async (route) => await route.fulfill({ json }));
  }
  for (const [name, path, loaded] of PAGES) {
    if (only.length > 0 && !only.includes(name)) continue;
    await page.goto(origin + path);
    await page.waitForSelector(loaded);
    await page.waitForLoadState('networkidle', { timeout: 5000 }).catch(() => undefined);
    if (name === 'chat') {
      await page.waitForSelector('#model option', { state: 'attached' });
      await page.fill('#message', 'Which of our products sells best in Norway?');
      const answered = page.waitForResponse('**/api/chat');
      await page.keyboard.press('Enter');
      await page.waitForSelector('#transcript .said[aria-busy="false"] .words');
      // Nothing meters the calls of this script.
      const [responseId = ''] = /chatcmpl-[\w-]+/.exec(await (await answered).text()) ?? [];
      const conversationId = await page.inputValue('#conversation');
      await served.record([usageRecord(Date.now(), { ...ANSWERED, responseId, conversationId })]);
      await page.waitForSelector('#transcript .receipt a');
    }
    if (name === 'calls') {
      const costs = page.waitForResponse('**/api/usage/costs?*');
      await page.locator('#calls tbody button').first().click();
      await (await costs).finished();
    }
    const file = new URL(`../docs/images/${name}${suffix}.png`, import.meta.url).pathname;
    await page.screenshot({ path: file });
    console.log(file);
  }
  await close();
}
await browser.close();
await served.close();
await demo.close();
