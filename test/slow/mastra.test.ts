import assert from 'node:assert/strict';
import { AGENT_SCRIPTS, streamedAgentScripts } from '../support/agent-run.ts';
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

/** As in test/agents: a planner with two tools, of which one asks a sub-agent. */
const agentProgram = `
import '@mastra/core/llm';
import { Agent } from '@mastra/core/agent';
import { createTool } from '@mastra/core/tools';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';
import { z } from 'zod';
new TokenMeterInstrumentation({
  onUsage({ agentName, toolName, totalTokens, runId, steps }) {
    const path = steps.map(({ kind, name }) => kind + ' ' + name).join(' > ');
    console.log(JSON.stringify([agentName, toolName, totalTokens, path, runId]));
  },
});
const model = { id: 'openai/gpt-4o', url: process.env.MODEL_URL, apiKey: 'test' };
const reader = new Agent({ id: 'reader', name: 'reader', instructions: 'Read.', model });
const search = createTool({
  id: 'search',
  description: 'Asks the reader',
  inputSchema: z.object({ query: z.string() }),
  execute: async ({ query }) => (await reader.generate(query)).text,
});
const add = createTool({
  id: 'add',
  description: 'Adds',
  inputSchema: z.object({ a: z.number(), b: z.number() }),
  execute: async ({ a, b }) => a + b,
});
const tools = { search, add };
const planner = new Agent({ id: 'planner', name: 'planner', instructions: 'Plan.', model, tools });
if (process.env.STREAMED) {
  const { textStream } = await planner.stream('When is high water?', { maxSteps: 5 });
  for await (const _text of textStream);
} else await planner.generate('When is high water?', { maxSteps: 5 });
await flush();
`;

/** The router calls provider packages that are inlined into @mastra/core. */
describe('the model router of Mastra', function () {
  this.timeout(600_000);
  let app: UserApp;
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    app = await installedApp(['@mastra/core@1', 'zod@4']);
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

  for (const [how, scripts, env] of [
    ['whole', AGENT_SCRIPTS, {}],
    ['streamed', streamedAgentScripts({ wholeSubAgent: true }), { STREAMED: '1' }],
  ] as const) {
    it(`makes an agent, its tools and its sub-agent steps of one run, ${how}`, async () => {
      server.play(...scripts);
      await app.write('agent.mjs', agentProgram);
      const { code, out, err } = await app.run('node', [...REGISTER, 'agent.mjs'], {
        MODEL_URL: server.url,
        TOKEN_METER_SETTINGS_STORE: 'memory',
        MASTRA_TELEMETRY_DISABLED: '1',
        ...env,
      });
      assert.equal(code, 0, err);
      const calls = out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as (string | number | null)[]);
      const inReader = 'agent planner > tool search > agent reader';
      assert.deepEqual(
        calls.map((call) => call.slice(0, 4)),
        [
          ['planner', null, 110, 'agent planner'],
          ['reader', 'search', 50, inReader],
          ['planner', null, 155, 'agent planner'],
          ['planner', null, 240, 'agent planner'],
        ],
      );
      assert.equal(new Set(calls.map((call) => call[4])).size, 1);
    });
  }

  it('is warned about where it is not', async () => {
    const err = await run('');
    assert.match(err, /TOKEN_METER_BUNDLED_SDK/);
    assert.doesNotMatch(err, /^alice /m);
  });
});
