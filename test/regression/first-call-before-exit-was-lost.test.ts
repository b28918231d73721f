import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SqliteUsageReader } from '../../exporter/index.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };

const CLIENT = `
import { createRequire } from 'node:module';
const { OpenAI } = createRequire('${import.meta.url}')('openai');
const client = new OpenAI({ maxRetries: 0 });
const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'High tide?' }] };
`;

/** Prices were still loading, and the settings file had not been read. */
describe('a process that ends right after its first call', function () {
  this.timeout(60_000);
  let server: WireServer;
  let folder: string;
  before(async () => (server = await startWireServer()));
  after(() => server.close());
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-exit-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  async function run(program: string, provider = 'sqlite') {
    const file = join(folder, 'app.mjs');
    writeFileSync(file, CLIENT + program);
    const path = join(folder, 'usage.db');
    const ended = await runApp(file, {
      node: ['--import', 'otel-token-meter/register'],
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_PROVIDER: provider,
        TOKEN_METER_SQLITE_PATH: path,
        TOKEN_METER_SETTINGS_PATH: join(folder, 'settings.json'),
      },
    });
    return { ...ended, path };
  }

  async function recordsIn(path: string) {
    const reader = new SqliteUsageReader({ path });
    const { records } = await reader.records({
      from: new Date(Date.now() - 3_600_000),
      to: new Date(Date.now() + 60_000),
    });
    await reader.close();
    return records.map(({ outcome, totalTokens }) => [outcome, totalTokens]);
  }

  it('has a record after process.exit()', async () => {
    server.play(chatPlain(WIRE));
    const { code, path } = await run(
      'await client.chat.completions.create(request); process.exit(7);',
    );
    assert.equal(code, 7);
    assert.deepEqual(await recordsIn(path), [['ok', 27]]);
  });

  it('prints its line before process.exit()', async () => {
    server.play(chatPlain(WIRE));
    const program = 'await client.chat.completions.create(request); process.exit(0);';
    assert.match((await run(program, 'console')).err, /gpt-4o 18→9 tok/);
  });

  it('has a record after an error that nobody caught', async () => {
    server.play(chatPlain(WIRE));
    const { code, path } = await run(
      'await client.chat.completions.create(request); throw new Error("over");',
    );
    assert.equal(code, 1);
    assert.deepEqual(await recordsIn(path), [['ok', 27]]);
  });

  it('has a record of a stream that was open', async () => {
    server.play(chatStream(WIRE));
    const { path } = await run(`
      for await (const _ of await client.chat.completions.create({ ...request, stream: true })) {
        process.exit(0);
      }
    `);
    assert.deepEqual(
      (await recordsIn(path)).map(([outcome]) => outcome),
      ['aborted'],
    );
  });

  for (const provider of ['none', 'console', 'sqlite']) {
    it(`emits beforeExit once to the host, with ${provider}`, async () => {
      server.play(chatPlain(WIRE));
      const { out } = await run(
        `
          process.on('beforeExit', () => console.log('beforeExit'));
          await client.chat.completions.create(request);
        `,
        provider,
      );
      assert.equal(out, 'beforeExit\n');
    });
  }
});
