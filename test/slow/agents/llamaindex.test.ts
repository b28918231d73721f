import assert from 'node:assert/strict';
import { z } from 'zod';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../../src/index.ts';
import { agreeWithGolden, streamedAgentScripts } from '../../support/agent-run.ts';
import { installPackages, type InstalledPackages } from '../../support/installed-packages.ts';
import { startTelemetry, type TestTelemetry } from '../../support/telemetry.ts';
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts';

interface Workflow {
  run(input: string): Promise<{ readonly data: { readonly result: unknown } }>;
  runStream(input: string): AsyncIterable<unknown>;
}

/** The parts of LlamaIndex.TS that are used here. */
interface Workflows {
  agent(options: object): Workflow;
  multiAgent(options: object): Workflow;
}
interface Models {
  openai(options: object): object;
}
interface Tools {
  tool(options: object): object;
}

describe('LlamaIndex.TS', () => {
  let installed: InstalledPackages;
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let workflows: Workflows;
  let models: Models;
  let tools: Tools;
  let records: UsageRecord[] = [];

  before(async () => {
    installed = await installPackages(['llamaindex', '@llamaindex/workflow', '@llamaindex/openai']);
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    workflows = (await installed.load('@llamaindex/workflow')) as Workflows;
    models = (await installed.load('@llamaindex/openai')) as Models;
    tools = (await installed.load('llamaindex')) as Tools;
    assert.ok(instrumentation.instrument('@llamaindex/workflow', workflows));
    const openai = await installed.load(
      './node_modules/@llamaindex/openai/node_modules/openai/index.mjs',
    );
    assert.ok(instrumentation.instrument('openai', openai));
  });
  beforeEach(async () => {
    await flush();
    records = [];
    telemetry.reset();
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
    await installed.remove();
  });

  const model = (): object =>
    models.openai({ model: 'gpt-4o', apiKey: 'none', baseURL: `${server.url}/v1`, maxRetries: 0 });

  function planner(): Workflow {
    const reader = workflows.agent({ name: 'reader', llm: model(), tools: [] });
    const search = tools.tool({
      name: 'search',
      description: 'Asks the reader',
      parameters: z.object({ query: z.string() }),
      execute: async ({ query }: { query: string }) =>
        String((await reader.run(query)).data.result),
    });
    const add = tools.tool({
      name: 'add',
      description: 'Adds',
      parameters: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }: { a: number; b: number }) => a + b,
    });
    return workflows.agent({ name: 'planner', llm: model(), tools: [search, add] });
  }

  it('a run with two tools and a sub-agent', async () => {
    server.play(...streamedAgentScripts());
    const { data } = await planner().run('When is high water?');
    assert.equal(data.result, 'High water is at 3.');
    await agreeWithGolden('llamaindex', telemetry, records);
  });

  it('the same as a stream', async () => {
    server.play(...streamedAgentScripts());
    for await (const _event of planner().runStream('When is high water?'));
    await agreeWithGolden('llamaindex', telemetry, records);
  });

  it('keeps one run across a handover', async () => {
    const expert = workflows.agent({ name: 'expert', llm: model(), tools: [] });
    const desk = workflows.agent({
      name: 'desk',
      llm: model(),
      tools: [],
      canHandoffTo: [expert],
    });
    const workflow = workflows.multiAgent({ agents: [desk, expert], rootAgent: desk });
    const [asks, , , answers = asks] = streamedAgentScripts();
    const handoff = asks.pieces?.map((piece) =>
      String(piece)
        .replace('"search"', '"handOff"')
        .replace(
          '{\\"query\\":\\"tide\\",\\"input\\":\\"tide\\"}',
          '{\\"toAgent\\":\\"expert\\",\\"reason\\":\\"tides\\"}',
        ),
    );
    server.play({ pieces: handoff ?? [] }, answers);
    await workflow.run('When is high water?');
    await flush();
    assert.deepEqual(
      records.map(({ agentName }) => agentName),
      ['desk', 'expert'],
    );
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 1);
    assert.deepEqual(
      telemetry
        .spans()
        .map(({ name }) => name)
        .filter((name) => !name.startsWith('chat')),
      ['execute_tool handOff', 'invoke_agent desk', 'invoke_agent expert'],
    );
  });

  it('marks a tool that fails', async () => {
    const divide = tools.tool({
      name: 'search',
      description: 'Divides',
      parameters: z.object({}),
      execute: () => {
        throw new RangeError('by zero');
      },
    });
    const [asks, , , answers = asks] = streamedAgentScripts();
    server.play(asks, answers);
    await workflows.agent({ name: 'faulty', llm: model(), tools: [divide] }).run('Hello');
    await flush();
    const failed = telemetry.spans().filter(({ attributes }) => 'error.type' in attributes);
    assert.deepEqual(
      failed.map(({ name }) => name),
      ['execute_tool search'],
    );
  });
});
