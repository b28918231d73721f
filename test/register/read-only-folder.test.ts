import assert from 'node:assert/strict';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { startOtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const path = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** As functions on AWS Lambda and Vercel have it. Nobody, not even root, can make a file in `/proc`. */
describe('the preload in a folder that cannot be written to', () => {
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  after(() => server.close());

  const run = async (env: Readonly<Record<string, string>>): Promise<string> => {
    const { err, out, code } = await runApp(path('./apps/chat.mjs'), {
      cwd: '/proc',
      node: ['--import', pathToFileURL(path('../../src/register.ts')).href],
      env: { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: 'test', ...env },
    });
    assert.deepEqual([out, code], ['The tide comes in twice a day.\n', 0], err);
    return err;
  };

  before(function () {
    if (process.platform !== 'linux') this.skip();
  });

  it('prints its line and no warning', async () => {
    assert.match(await run({}), /^alice gpt-4o 18→9 tok [^\n]+\n$/);
  });

  it('exports over OTLP without a word', async () => {
    const receiver = await startOtlpReceiver();
    try {
      assert.equal(await run({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl }), '');
      const signals = receiver.requests.map(({ signal }) => signal).toSorted();
      assert.deepEqual(signals, ['logs', 'metrics', 'traces']);
    } finally {
      await receiver.close();
    }
  });
});
