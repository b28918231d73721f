import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp, type AppOptions } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const app = (name: string): string =>
  fileURLToPath(new URL(`../register/apps/${name}`, import.meta.url));

describe('an instrumentation made in the application', () => {
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  after(() => server.close());

  const run = async (name: string, options: AppOptions = {}) =>
    await runApp(app(name), {
      ...options,
      env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test', ...options.env },
    });

  it('sees an SDK imported or required after it, without any flag', async () => {
    for (const name of ['instrumentation-first.mjs', 'instrumentation-first.cjs']) {
      const { out, err, code } = await run(name);
      assert.deepEqual([out.trim(), err, code], ['[18]', '', 0], name);
    }
  });

  it('counts once beside the loader hook of OpenTelemetry', async () => {
    const hook = fileURLToPath(import.meta.resolve('@opentelemetry/instrumentation/hook.mjs'));
    const preload = `data:text/javascript,import{register}from'node:module';register(${JSON.stringify(`file://${hook}`)})`;
    const { out, code } = await run('instrumentation-first.mjs', { node: ['--import', preload] });
    assert.deepEqual([out.trim(), code], ['[18]', 0]);
  });

  it('warns once, with what to do, of an SDK that was imported before it', async () => {
    const { out, err } = await run('instrumentation-late.mjs');
    assert.equal(out.trim(), '[]');
    assert.equal(err.match(/is not metered: its SDK was imported before/g)?.length, 1, err);
    assert.match(err, /--import otel-token-meter\/register/);
  });

  it('takes such an SDK by hand and is silent then', async () => {
    const { out, err } = await run('instrumentation-late.mjs', { args: ['by-hand'] });
    assert.deepEqual([out.trim(), err], ['[18,18]', '']);
  });

  it('tells a wrong value on stderr and lets the application run', async () => {
    const { out, err, code } = await run('instrumentation-first.mjs', {
      env: { TOKEN_METER_COUNTING: 'often' },
    });
    assert.deepEqual([out.trim(), code], ['[18]', 0]);
    assert.match(err, /TOKEN_METER_COUNTING is "often"; allowed: missing, always, never/);
  });
});
