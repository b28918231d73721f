import assert from 'node:assert/strict';
import { REGISTER } from '../support/documented-app.ts';
import { installedApp, type UserApp } from '../support/packed.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };

const program = (first: string): string => `
${first}
import { Agent } from '@mastra/core/agent';
import { withUsageContext } from 'otel-token-meter';
const model = { id: 'openai/gpt-4o', url: process.env.MODEL_URL, apiKey: 'test' };
const agent = new Agent({ id: 'tides', name: 'tides', instructions: 'Be short.', model });
await withUsageContext({ userId: 'alice' }, async () => {
  await agent.generate('How often does the tide come in?');
  const { textStream } = await agent.stream('How often does the tide come in?');
  for await (const _text of textStream);
});
`;

/** The router calls provider packages that are inlined into @mastra/core. */
describe('the model router of Mastra', function () {
  this.timeout(600_000);
  let app: UserApp;
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    app = await installedApp(['@mastra/core@1']);
  });
  after(async () => {
    await app?.remove();
    await server?.close();
  });

  async function run(first: string): Promise<string> {
    server.play(chatPlain(WIRE), chatStream(WIRE));
    await app.write('app.mjs', program(first));
    const env = {
      MODEL_URL: server.url,
      TOKEN_METER_SETTINGS_STORE: 'memory',
      MASTRA_TELEMETRY_DISABLED: '1',
    };
    const { code, err } = await app.run('node', [...REGISTER, 'app.mjs'], env);
    assert.equal(code, 0, err);
    return err;
  }

  it('is metered once the entry that exports it is imported', async () => {
    const err = await run(`import '@mastra/core/llm';`);
    assert.deepEqual(err.match(/^alice gpt-4o 18→9 tok/gm), Array(2).fill('alice gpt-4o 18→9 tok'));
    assert.doesNotMatch(err, /TOKEN_METER/);
  });

  it('is warned about where it is not', async () => {
    const err = await run('');
    assert.match(err, /TOKEN_METER_BUNDLED_SDK/);
    assert.doesNotMatch(err, /^alice /m);
  });
});
