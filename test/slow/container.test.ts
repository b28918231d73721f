import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InfluxUsageReader } from '../../exporter/index.ts';
import {
  AS_PROCESS_1,
  type Image,
  buildImage,
  canUnshare,
  composedApp,
  imageEnv,
} from '../support/image.ts';
import {
  type TestServer,
  freePort,
  requireServer,
  startInfluxd,
  startRedis,
} from '../support/servers.ts';
import { until } from '../support/until.ts';

const TOKEN = 'a-long-random-token-of-the-test';
const HELLO = { user_id: 'alice', model: 'gpt-4o', message: 'How often does the tide come in?' };

// The image of example-app/deploy, without Docker: its files, its command as process 1, and the
// environment of its compose file.
describe('the container', () => {
  let folder: string;
  let image: Image;
  let influx: TestServer;
  let redis: TestServer;
  let unshare: ChildProcess | undefined;

  before(async function () {
    requireServer(this, 'influxd');
    requireServer(this, 'redis-server');
    if (!canUnshare(AS_PROCESS_1)) {
      console.log('      skipped: this machine allows no namespace of processes (unshare --pid)');
      this.skip();
    }
    folder = mkdtempSync(join(tmpdir(), 'token-meter-image-'));
    image = buildImage(folder);
    influx = await startInfluxd({ databases: ['llm_metrics'] });
    redis = await startRedis();
  });

  after(async () => {
    if (unshare?.exitCode === null) process.kill(processOne(unshare), 'SIGKILL');
    await influx?.stop();
    await redis?.stop();
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  });

  /** Of the namespace, as this one sees it. */
  function processOne({ pid }: ChildProcess): number {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  it('starts, chats, and ends within 5 s of SIGTERM without a loss', async () => {
    const variables = {
      INFLUX_TOKEN: 'influx-token-of-the-test',
      INFLUX_PASSWORD: 'influx-password',
      TOKEN_METER_ADMIN_TOKEN: TOKEN,
    };
    const { environment, healthcheck } = composedApp(variables);
    assert.equal(environment['OPENAI_API_KEY'], '', 'compose passes what is not set as empty');
    // What another service of the compose file makes before this one starts.
    const tokenFile = environment['INFLUX_TOKEN_FILE'];
    if (tokenFile !== undefined) writeFileSync(join(folder, tokenFile), variables.INFLUX_TOKEN);
    const port = String(await freePort());
    const env: Record<string, string> = {
      ...imageEnv(),
      ...image.env,
      ...environment,
      // No other machine has these names here.
      INFLUX_URL: influx.url,
      REDIS_URL: redis.url,
      PORT: port,
    };
    let output = '';
    unshare = spawn('unshare', [...AS_PROCESS_1, ...image.command], { cwd: folder, env });
    for (const stream of [unshare.stdout, unshare.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => (output += text));
    }
    const ended = once(unshare, 'exit');
    await until(() => {
      if (unshare?.exitCode !== null) throw new Error(output);
      return output.includes('otel-token-meter example');
    }, 60_000);
    assert.match(output, /ledger +InfluxDB at /);
    assert.match(output, /settings +redis/);

    const [node = '', ...check] = healthcheck.map((part) => part.replace('3000', port));
    execFileSync(node, check, { env });
    const chat = async (body: object): Promise<Response> =>
      await fetch(`http://127.0.0.1:${port}/api/chat`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
    for (let i = 0; i < 5; i++) assert.equal((await chat(HELLO)).status, 200);
    // One that is still being answered.
    const streamed = await chat({ ...HELLO, message: 'At length. '.repeat(30), stream: true });
    assert.equal(streamed.status, 200);
    const text = streamed.text();
    const begun = performance.now();
    process.kill(processOne(unshare), 'SIGTERM');
    assert.deepEqual(await ended, [0, null], output);
    // Its own limit is 4.8 s, after which it would exit with 1; a busy machine gets a little more.
    assert.ok(performance.now() - begun < 8000);
    assert.match(await text, /event: (end|error)\n/);

    const reader = new InfluxUsageReader({ url: influx.url, bucket: 'llm_metrics' });
    try {
      const from = new Date(Date.now() - 600_000);
      const { total } = await reader.summary({ from, to: new Date(Date.now() + 60_000) });
      assert.equal(total.calls, 6, output);
    } finally {
      await reader.close();
    }
    assert.doesNotMatch(output, new RegExp(`${TOKEN}|${variables.INFLUX_TOKEN}|INVALID_CONFIG`));
  });
});
