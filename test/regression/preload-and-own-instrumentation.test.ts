import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('../register/apps/own-instrumentation.mjs', import.meta.url));
const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };

/** The instrumentation made last took all records: the preload's SQLite file stayed empty. */
describe('the preload beside an instrumentation of the application', function () {
  this.timeout(60_000);
  let server: WireServer;
  let folder: string;
  before(async () => {
    server = await startWireServer();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-both-'));
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  it('both get every record, each by its own options; disabled, either leaves the other alone', async () => {
    const path = join(folder, 'usage.db');
    const reply = chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: {} });
    server.play(reply, reply, reply);
    const { out, err, code } = await runApp(APP, {
      node: ['--import', 'otel-token-meter/register'],
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_PROVIDER: 'sqlite',
        TOKEN_METER_SQLITE_PATH: path,
        TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
      },
    });
    assert.deepEqual([err, code], ['', 0]);
    const seen = JSON.parse(out) as {
      own: { id: string; userId: string; inputTokens?: number }[];
      spans: number;
      events: number;
      diag: boolean;
    };
    const reader = new SqliteUsageReader({ path });
    const { records } = await reader.records({
      from: new Date(Date.now() - 3_600_000),
      to: new Date(Date.now() + 60_000),
    });
    await reader.close();
    assert.deepEqual(
      new Set(records.map(({ userId }) => userId)),
      new Set(['after', 'both', 'bare']),
    );
    assert.deepEqual(
      records.map(({ inputTokens }) => inputTokens),
      [18, 18, 18],
    );
    // Hashed for the one that asks for it, and without tokens where its switch is off.
    assert.equal(seen.own.length, 2);
    assert.match(seen.own[0]?.userId ?? '', /^[0-9a-f]{64}$/);
    assert.deepEqual(
      seen.own.map(({ inputTokens }) => inputTokens),
      [18, undefined],
    );
    const ids = new Set(records.map(({ id }) => id));
    assert.ok(seen.own.every(({ id }) => ids.has(id)));
    assert.deepEqual([seen.spans, seen.events], [3, 3]);
    assert.ok(seen.diag, 'the diag logger of the application is in place');
  });
});
