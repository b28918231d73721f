import assert from 'node:assert/strict';
import { budgetsRoutes } from '../../example-app/routes/budgets.ts';
import { type BudgetsDocument, budgetsDocument, budgetsSettings } from '../../src/budgets/index.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { MemorySettingsStore, SettingsService } from '../../src/settings/index.ts';
import { ADMIN_TOKEN, type ServedApp, VIEWER_TOKEN, serveApp } from '../support/app.ts';
import { memoryIo } from './memory-io.ts';

describe('otel-token-meter budgets', () => {
  let app: ServedApp;
  let settings: SettingsService<BudgetsDocument>;

  beforeEach(async () => {
    settings = new SettingsService({
      schema: budgetsSettings,
      defaults: budgetsDocument([{ id: 'configured', window: 'day', limit: { tokens: 1000 } }]),
      store: new MemorySettingsStore(),
    });
    await settings.start();
    const account = {
      id: 'per-user',
      key: { user: 'ali\u001b[2Jce' },
      mode: 'block',
      unit: 'usd',
      limit: 3,
      spent: 2.5,
      reserved: 0.5,
      remaining: 0,
      from: '2026-11-29T00:00:00.000Z',
      resetsAt: '2026-11-30T00:00:00.000Z',
      blocked: true,
      stale: true,
    } as const;
    app = await serveApp({ routes: budgetsRoutes({ settings, accounts: async () => [account] }) });
  });

  afterEach(async () => {
    await app.close();
    await settings.close();
  });

  async function call(
    args: readonly string[],
    token: string = ADMIN_TOKEN,
    stdin = '',
  ): Promise<{ code: number; out: string; err: string }> {
    const io = memoryIo({ TOKEN_METER_URL: app.origin, TOKEN_METER_TOKEN: token }, stdin);
    const code = await dispatch(['budgets', ...args], io);
    return { code, out: io.out(), err: io.err() };
  }

  const definition = '{"scope":{"each":["user"]},"window":"day","limit":{"usd":3},"mode":"block"}';

  it('sets, lists and deletes', async () => {
    const created = await call(['set', 'per-user', definition, '--reason', 'launch']);
    assert.deepEqual([created.code, created.out], [0, 'per-user is created\n']);
    assert.equal((await settings.audit())[0]?.reason, 'launch');
    assert.equal(
      (await call(['set', 'per-user', '-'], ADMIN_TOKEN, definition)).out,
      'per-user is in force\n',
    );
    const { out } = await call(['list'], VIEWER_TOKEN);
    assert.match(out, /^configured +all calls +day +1000 tokens +warn$/m);
    assert.match(out, /^per-user +\{"each":\["user"\]\} +day +3 usd +block$/m);
    const json = JSON.parse((await call(['list', '--json'])).out) as object;
    assert.deepEqual(Object.keys(json), ['configured', 'per-user']);
    assert.equal((await call(['delete', 'per-user'])).out, 'per-user is deleted\n');
    await call(['set', 'configured', definition]);
    assert.equal((await call(['delete', 'configured'])).out, 'configured is as configured again\n');
  });

  it('shows what is spent, and that it may be old', async () => {
    const { code, out, err } = await call(['status', 'per-user'], VIEWER_TOKEN);
    assert.equal(code, 0);
    assert.match(
      out,
      /^per-user +user ali\uFFFD\[2Jce +2\.5 +0\.5 +3 usd +83 % +2026-11-30T\S+ +blocked$/m,
    );
    assert.match(err, /^stale/);
    assert.equal((JSON.parse((await call(['status', '--json'])).out) as unknown[]).length, 1);
  });

  it('refuses what is wrong, and says why', async () => {
    const wrong = await call(['set', 'x', '{"window":"year","limit":{"usd":3}}']);
    assert.equal(wrong.code, 1);
    assert.match(wrong.err, /x\.window is "year"; allowed: hour, day, week, month/);
    assert.match((await call(['set', 'x', 'day=3'])).err, /the definition is not JSON/);
    assert.match((await call(['set', 'x', definition], VIEWER_TOKEN)).err, /403/);
    assert.match((await call(['delete', 'unknown'])).err, /404: There is no such budget/);
    assert.match((await call(['delete', 'configured'])).err, /409: .*configuration/);
    for (const args of [[], ['list', 'x'], ['set', 'x'], ['toString']]) {
      assert.equal((await call(args)).code, 2, args.join(' '));
    }
    assert.equal(settings.version, 0);
  });
});
