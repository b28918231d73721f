import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { runApp } from '../support/run-app.ts';
import { chatStream } from '../support/wire/openai-chat.ts';
import { responsesPending } from '../support/wire/openai-responses.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('../register/apps/open-streams.mjs', import.meta.url));
const WIRE = { model: 'gpt-4o', usage: {}, streamUsage: {} };

/** Of the replies that were open when the process ended only unread ones left a record. */
describe('calls that are open when a signal ends the process', function () {
  this.timeout(60_000);
  let server: WireServer;
  let folder: string;
  before(async () => {
    server = await startWireServer();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-open-'));
  });
  after(async () => {
    rmSync(folder, { recursive: true });
    await server.close();
  });

  for (const how of ['alone', 'signal-exit']) {
    it(`each leave an aborted record, ${how}`, async () => {
      const path = join(folder, `${how}.db`);
      const { held: _held, ...stream } = chatStream(WIRE);
      const pieces = (stream.pieces ?? []).slice(0, -2);
      const open = { ...stream, pieces, held: pieces.at(-1) ?? '' };
      server.play(open, open, responsesPending({ model: 'gpt-4o', usage: {} }, 'queued'));
      const { err, signal } = await runApp(APP, {
        node: ['--import', 'otel-token-meter/register'],
        args: [how],
        env: {
          OPENAI_BASE_URL: server.url,
          OPENAI_API_KEY: 'test',
          TOKEN_METER_PROVIDER: 'sqlite',
          TOKEN_METER_SQLITE_PATH: path,
          TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
        },
        onOutput: (out, kill) => out.includes('ready') && kill('SIGTERM'),
      });
      assert.deepEqual([err, signal], ['', 'SIGTERM']);
      const reader = new SqliteUsageReader({ path });
      const { records } = await reader.records({
        from: new Date(Date.now() - 3_600_000),
        to: new Date(Date.now() + 60_000),
      });
      await reader.close();
      const left = records.map(({ userId, outcome, inputTokens, outputTokens }) => [
        userId,
        outcome,
        (inputTokens ?? 0) > 0,
        (outputTokens ?? 0) > 0,
      ]);
      assert.deepEqual(
        left.toSorted((a, b) => String(a).localeCompare(String(b))),
        [
          ['background', 'aborted', true, false],
          ['half-read', 'aborted', true, true],
          ['unread', 'aborted', true, false],
        ],
      );
    });
  }
});
