import assert from 'node:assert/strict';
import { OpenAI } from 'openai';
import { z } from 'zod';
import {
  flush,
  TokenMeterInstrumentation,
  withTool,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { AGENT_SCRIPTS, agreeWithGolden, streamedAgentScripts } from '../support/agent-run.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

interface Agent {
  asTool(options: { readonly toolName: string; readonly toolDescription: string }): unknown;
}
interface RunResult extends AsyncIterable<unknown> {
  readonly finalOutput: unknown;
  readonly completed: Promise<void>;
}

/** The part of `@openai/agents` that is used here. */
interface AgentsSdk {
  readonly Agent: new (options: object) => Agent;
  tool(options: object): unknown;
  run(agent: Agent, input: string, options?: object): Promise<RunResult>;
  setTraceProcessors(processors: readonly object[]): void;
  setTracingDisabled(isDisabled: boolean): void;
  setDefaultOpenAIClient(client: unknown): void;
  setOpenAIAPI(api: 'chat_completions'): void;
}

describe('the OpenAI Agents SDK', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let agents: AgentsSdk;
  let openai: OpenAI;
  let records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    agents = (await loadCjs('@openai/agents', 'openai-agents')()) as AgentsSdk;
    // Its own exporter would send to OpenAI.
    agents.setTraceProcessors([]);
    instrumentation.instrument('@openai/agents', agents);
    instrumentation.instrument('openai', OpenAI);
    openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
    agents.setDefaultOpenAIClient(openai);
    agents.setOpenAIAPI('chat_completions');
  });
  beforeEach(async () => {
    // Records of the test before may still be on their way.
    await flush();
    records = [];
    telemetry.reset();
    agents.setTracingDisabled(false);
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  function planner(): Agent {
    const reader = new agents.Agent({ name: 'reader', model: 'gpt-4o', instructions: 'Read.' });
    const search = reader.asTool({ toolName: 'search', toolDescription: 'Asks the reader' });
    const add = agents.tool({
      name: 'add',
      description: 'Adds',
      parameters: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }: { a: number; b: number }) => String(a + b),
    });
    return new agents.Agent({ name: 'planner', model: 'gpt-4o', tools: [search, add] });
  }

  it('a run with two tools and a sub-agent', async () => {
    server.play(...AGENT_SCRIPTS);
    const { finalOutput } = await agents.run(planner(), 'When is high water?');
    assert.equal(finalOutput, 'High water is at 3.');
    await agreeWithGolden('openai-agents', telemetry, records);
  });

  it('the same as a stream', async () => {
    server.play(...streamedAgentScripts({ wholeSubAgent: true }));
    const result = await agents.run(planner(), 'When is high water?', { stream: true });
    for await (const _event of result);
    await result.completed;
    assert.equal(result.finalOutput, 'High water is at 3.');
    await agreeWithGolden('openai-agents', telemetry, records);
  });

  it('gives calls their agent and tool where its tracing is disabled', async () => {
    agents.setTracingDisabled(true);
    server.play(...AGENT_SCRIPTS);
    await agents.run(planner(), 'When is high water?');
    await agreeWithGolden('openai-agents-untraced', telemetry, records);
  });

  it('keeps one run across a handoff', async () => {
    const expert = new agents.Agent({ name: 'expert', model: 'gpt-4o' });
    const desk = new agents.Agent({ name: 'desk', model: 'gpt-4o', handoffs: [expert] });
    const [toolCall, ...replies] = AGENT_SCRIPTS;
    const handoff = String(toolCall.body).replace('search', 'transfer_to_expert');
    server.play({ ...toolCall, body: handoff }, replies.at(-1) ?? toolCall);
    await agents.run(desk, 'Hello');
    assert.deepEqual(
      records.map(({ agentName }) => agentName),
      ['desk', 'expert'],
    );
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 1);
    const [own, next] = await Promise.all([1, 2].map(async () => await twice()));
    assert.notEqual(own, next);
  });

  it('keeps runs that overlap apart, also within a step of the application', async () => {
    server.play({ ...(AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]), delayMs: 20 });
    const names = Array.from({ length: 8 }, (_, index) => `agent ${index}`);
    await Promise.all(
      names.map(async (name, index) => {
        const agent = new agents.Agent({ name, model: 'gpt-4o' });
        const run = () => agents.run(agent, 'Hello');
        await (index % 2 === 0 ? run() : withTool({ name: `tool ${index}` }, run));
      }),
    );
    await flush();
    assert.deepEqual(records.map(({ agentName = '' }) => agentName).toSorted(), names);
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 8);
    for (const { agentName, toolName } of records) {
      const index = Number(agentName?.at(-1));
      assert.equal(toolName, index % 2 === 0 ? undefined : `tool ${index}`);
    }
    records = [];
    await openai.chat.completions.create({ model: 'gpt-4o', messages: [] });
    await flush();
    assert.equal(records[0]?.runId, undefined, 'no run goes on');
  });

  it('marks a tool and an agent that fail, and leaves the error as it is', async () => {
    const divide = agents.tool({
      name: 'search',
      description: 'Divides',
      parameters: z.object({}),
      errorFunction: null,
      execute: () => {
        throw new RangeError('by zero');
      },
    });
    server.play(AGENT_SCRIPTS[0]);
    const agent = new agents.Agent({ name: 'faulty', model: 'gpt-4o', tools: [divide] });
    await assert.rejects(agents.run(agent, 'Hello'));
    await flush();
    const failed = telemetry
      .spans()
      .filter(({ attributes }) => 'error.type' in attributes)
      .map(({ name }) => name);
    assert.deepEqual(failed, ['execute_tool search', 'invoke_agent faulty']);
  });

  it('takes the run id of the user context', async () => {
    server.play(AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]);
    await withUsageContext({ attributes: { 'token_meter.run_id': 'order-1' } }, async () => {
      await agents.run(new agents.Agent({ name: 'alone', model: 'gpt-4o' }), 'Hello');
    });
    assert.deepEqual(
      records.map(({ runId }) => runId),
      ['order-1'],
    );
  });

  async function twice(): Promise<string | undefined> {
    server.play(AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]);
    await agents.run(new agents.Agent({ name: 'alone', model: 'gpt-4o' }), 'Hello');
    return records.at(-1)?.runId;
  }
});
