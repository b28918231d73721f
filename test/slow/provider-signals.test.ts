import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { runApp } from '../support/run-app.ts';

const APP = fileURLToPath(new URL('../register/apps/every-provider.ts', import.meta.url));
const SUITE = new URL('../conformance/providers/', import.meta.url);

/** A3 of the conformance suite, for every SDK at once: one process takes long enough to load them all. */
describe('A3, signals: a stream of every SDK that is open when a signal ends the process', function () {
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-signals-'))));
  after(() => rmSync(folder, { recursive: true }));

  for (const how of ['alone', 'signal-exit']) {
    it(`leaves an aborted record with what was received, ${how}`, async () => {
      const path = join(folder, `${how}.db`);
      const { out, err, signal } = await runApp(APP, {
        node: ['--no-warnings', '--import', 'otel-token-meter/register'],
        args: [how],
        // Forty copies of SDKs take a minute to load on a busy machine.
        hangsMs: 280_000,
        env: {
          TOKEN_METER_PROVIDER: 'sqlite',
          TOKEN_METER_SQLITE_PATH: path,
          TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
        },
        onOutput: (text, kill) => text.includes('ready') && kill('SIGTERM'),
      });
      assert.deepEqual([err, signal], ['', 'SIGTERM']);
      const titles = JSON.parse(out.split('\n')[0] ?? '') as readonly string[];
      const files = readdirSync(SUITE).filter((name) => name.endsWith('.test.ts'));
      assert.ok(titles.length > files.length, `${titles.length} SDKs`);
      const reader = new SqliteUsageReader({ path });
      const { records } = await reader.records({
        from: new Date(Date.now() - 3_600_000),
        to: new Date(Date.now() + 60_000),
        limit: 1000,
      });
      await reader.close();
      const left = records.map(({ userId, outcome, outputTokens }) =>
        [userId, outcome, (outputTokens ?? 0) > 0].join(' '),
      );
      assert.deepEqual(left.toSorted(), titles.map((title) => `${title} aborted true`).toSorted());
    });
  }
});
