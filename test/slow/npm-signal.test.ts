import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { APP_TOKEN } from '../support/example-app.ts';
import { until } from '../support/until.ts';

/** What the compose file passes when nothing is set. */
const EMPTY = { OPENAI_API_KEY: '', OPENAI_BASE_URL: ' ', REDIS_URL: '', INFLUX_URL: '', PORT: '' };

describe('the end of the example app started by npm', function () {
  this.timeout(60_000);
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'example-app-'));
  });

  afterEach(() => {
    rmSync(directory, { recursive: true, force: true });
  });

  for (const signal of ['SIGTERM'] as const) {
    it(`comes when npm gets ${signal}`, async () => {
      const root = fileURLToPath(new URL('../..', import.meta.url));
      const npm = spawn('npm', ['start', '--silent'], {
        cwd: root,
        env: {
          ...process.env,
          ...EMPTY,
          PORT: '0',
          TOKEN_METER_ADMIN_TOKEN: APP_TOKEN,
          TOKEN_METER_SQLITE_PATH: join(directory, 'usage.db'),
          TOKEN_METER_SETTINGS_PATH: join(directory, 'settings.json'),
        },
      });
      let output = '';
      for (const stream of [npm.stdout, npm.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => (output += text));
      }
      await until(() => /example: (http:\S+)/.test(output), 30_000);
      const origin = /example: (http:\S+)/.exec(output)?.[1] as string;
      npm.kill(signal);
      await until(
        async () =>
          await fetch(`${origin}/healthz`).then(
            () => false,
            () => true,
          ),
        20_000,
      );
      await until(() => npm.exitCode !== null || npm.signalCode !== null, 20_000);
    });
  }
});
