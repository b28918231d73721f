import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { APP_TOKEN, type RunningApp, startExampleApp } from '../support/example-app.ts';
import { until } from '../support/until.ts';

const HELLO = { user_id: 'alice', model: 'gpt-4o', message: 'How often does the tide come in?' };
/** What the compose file passes when nothing is set. */
const EMPTY = { OPENAI_API_KEY: '', OPENAI_BASE_URL: ' ', REDIS_URL: '', INFLUX_URL: '', PORT: '' };

describe('the end of the example app', function () {
  this.timeout(60_000);
  let app: RunningApp | undefined;
  let directory: string;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'example-app-'));
  });

  afterEach(async () => {
    await app?.close();
    app = undefined;
    rmSync(directory, { recursive: true, force: true });
  });

  async function recorded(): Promise<number> {
    const reader = new SqliteUsageReader({ path: join(directory, '.token-meter/usage.db') });
    try {
      return (await reader.summary({ from: new Date(0), to: new Date(Date.now() + 60_000) })).total
        .calls;
    } finally {
      await reader.close();
    }
  }

  it('loses nothing and takes no half-open request for an answer', async () => {
    app = await startExampleApp({ directory, env: { ...EMPTY, PORT: '0' } });
    assert.equal((await app.chat(HELLO)).status, 200);
    const { port, hostname } = new URL(app.origin);
    const halfOpen = connect(Number(port), hostname);
    halfOpen.on('error', () => undefined);
    await once(halfOpen, 'connect');
    halfOpen.write('POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{');
    const events = await app.api('/api/settings/metrics/events');
    const streamed = await app.chat({
      ...HELLO,
      message: 'Tell me at length. '.repeat(20),
      stream: true,
    });
    const texts = Promise.all([events.text(), streamed.text()]);
    const begun = performance.now();
    assert.equal(await app.stop(), 0, app.output());
    assert.ok(performance.now() - begun < 6000);
    const [settings, chat] = await texts;
    assert.match(settings, /event: end\n/);
    assert.match(chat, /event: (end|error)\n/);
    assert.equal(await recorded(), 2);
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
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
