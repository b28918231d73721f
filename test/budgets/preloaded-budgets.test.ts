import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { budgetsRoutes } from '../../example-app/routes/budgets.ts';
import { type BudgetsDocument, budgetsSettings } from '../../src/budgets/index.ts';
import { dispatch } from '../../src/cli/dispatch.ts';
import { RedisSettingsStore, SettingsService } from '../../src/settings/index.ts';
import { memoryIo } from '../cli/memory-io.ts';
import { ADMIN_TOKEN, type ServedApp, serveApp } from '../support/app.ts';
import { type AppRun, runApp } from '../support/run-app.ts';
import { type TestServer, requireServer, startRedis } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('../register/apps/chat-on-and-on.mjs', import.meta.url));
const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const REFUSED = JSON.stringify([true, 429, 'budget_exceeded', 'live']);

describe('an application that is only preloaded, with a Redis', () => {
  let redis: TestServer;
  let model: WireServer;
  let settings: SettingsService<BudgetsDocument>;
  let api: ServedApp;

  before(async function () {
    requireServer(this, 'redis-server');
    redis = await startRedis();
    model = await startWireServer();
    model.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: {} }));
    settings = new SettingsService({
      schema: budgetsSettings,
      store: new RedisSettingsStore({ url: redis.url, document: 'budgets' }),
      lastKnownGoodPath: false,
    });
    await settings.start();
    api = await serveApp({ routes: budgetsRoutes({ settings, accounts: async () => [] }) });
  });

  after(async () => {
    await api?.close();
    await settings?.close();
    await model?.close();
    await redis?.stop();
  });

  async function command(...args: readonly string[]): Promise<void> {
    const io = memoryIo({ TOKEN_METER_URL: api.origin, TOKEN_METER_TOKEN: ADMIN_TOKEN });
    assert.equal(await dispatch(['budgets', ...args], io), 0, io.err());
  }

  it('obeys a budget soon after the command that sets it, and is free again without', async () => {
    let lines: readonly string[] = [];
    let stop: ((signal: NodeJS.Signals) => void) | undefined;
    let ended: AppRun | undefined;
    const running = runApp(APP, {
      node: ['--import', 'otel-token-meter/register'],
      env: {
        OPENAI_BASE_URL: model.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_SETTINGS_STORE: 'redis',
        REDIS_URL: redis.url,
        TOKEN_METER_BUDGETS: '[{"id": "configured", "window": "day", "limit": {"usd": 1000}}]',
      },
      onOutput(out, kill) {
        lines = out.trim().split('\n');
        stop = kill;
      },
    }).then((run) => (ended = run));
    const says = async (line: string, withinMs?: number): Promise<void> => {
      const seen = lines.length;
      await until(() => ended !== undefined || lines.slice(seen).includes(line), withinMs);
      assert.equal(ended, undefined, ended?.err);
    };
    await says('answered');
    const budget = { window: 'day', limit: { tokens: 1 }, mode: 'block' };
    await command('set', 'live', JSON.stringify(budget));
    // Milliseconds; on a machine that is busy a process may wait longer for its turn.
    await says(REFUSED, 5000);
    const sent = model.arrived;
    await until(() => lines.at(-3) === REFUSED);
    assert.equal(model.arrived, sent, 'nothing leaves, and nothing is tried again');
    await command('delete', 'live');
    await says('answered', 5000);
    stop?.('SIGTERM');
    const { out, err } = await running;
    assert.deepEqual(
      [...new Set(out.trim().split('\n'))],
      ['answered', REFUSED],
      'no call ends in any other way',
    );
    assert.match(err, /^alice gpt-4o .*blocked.*$/m);
    assert.doesNotMatch(err, /does not answer/, 'a Redis that is being connected to is not down');
  });
});
