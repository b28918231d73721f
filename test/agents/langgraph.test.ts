import assert from 'node:assert/strict';
import type * as LangChainOpenAi from '@langchain/openai';
import type * as LangChainTools from '@langchain/core/tools';
import { z } from 'zod';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../src/index.ts';
import { AGENT_SCRIPTS, agreeWithGolden } from '../support/agent-run.ts';
import { loadTogether } from '../support/sdk-versions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

interface State {
  readonly messages: readonly { readonly content: unknown }[];
}
interface Graph {
  invoke(input: object, config?: object): Promise<State>;
  stream(input: object, options?: object): Promise<AsyncIterable<unknown>>;
}
interface Builder {
  addNode(name: string, node: unknown): Builder;
  addEdge(from: string, to: string): Builder;
  compile(options?: object): Graph;
}

/** The parts of `langchain` and `@langchain/langgraph` that are used here. */
interface LangChain {
  createAgent(options: object): Graph;
}
interface LangGraph {
  readonly StateGraph: new (state: unknown) => Builder;
  readonly MessagesAnnotation: unknown;
  readonly MemorySaver: new () => object;
  interrupt(value: unknown): unknown;
  readonly START: string;
  readonly END: string;
}

describe('LangChain agents and LangGraph', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let langchain: LangChain;
  let langgraph: LangGraph;
  let tools: typeof LangChainTools;
  let openai: typeof LangChainOpenAi;
  let records: UsageRecord[] = [];

  before(async function () {
    this.timeout(20_000);
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    [langchain, langgraph, tools, openai] = loadTogether(
      ['langchain', '@langchain/langgraph', '@langchain/core/tools', '@langchain/openai'],
      'langgraph',
    ) as [LangChain, LangGraph, typeof LangChainTools, typeof LangChainOpenAi];
    instrumentation.instrument('@langchain/langgraph', langgraph);
    instrumentation.instrument('@langchain/core/tools', tools);
    instrumentation.instrument('@langchain/openai', openai);
  });
  beforeEach(async () => {
    // Records of the test before may still be on their way.
    await flush();
    records = [];
    telemetry.reset();
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  function planner(): Graph {
    const model = new openai.ChatOpenAI({
      model: 'gpt-4o',
      apiKey: 'none',
      maxRetries: 0,
      configuration: { baseURL: `${server.url}/v1` },
    });
    const reader = langchain.createAgent({ name: 'reader', model, tools: [] });
    const search = tools.tool(
      async ({ query }: { query: string }) => {
        const { messages } = await reader.invoke({ messages: [{ role: 'user', content: query }] });
        return messages.at(-1)?.content as string;
      },
      { name: 'search', schema: z.object({ query: z.string() }) },
    );
    const add = tools.tool(({ a, b }: { a: number; b: number }) => String(a + b), {
      name: 'add',
      schema: z.object({ a: z.number(), b: z.number() }),
    });
    return langchain.createAgent({ name: 'planner', model, tools: [search, add] });
  }
  const input = { messages: [{ role: 'user', content: 'When is high water?' }] };

  it('a run with two tools and a sub-agent', async () => {
    server.play(...AGENT_SCRIPTS);
    const { messages } = await planner().invoke(input);
    assert.equal(messages.at(-1)?.content, 'High water is at 3.');
    await agreeWithGolden('langgraph', telemetry, records);
  });

  it('the same as a stream of updates', async () => {
    server.play(...AGENT_SCRIPTS);
    for await (const _update of await planner().stream(input, { streamMode: 'updates' }));
    await agreeWithGolden('langgraph', telemetry, records);
  });

  it('keeps runs that overlap apart, and marks a tool that fails', async () => {
    const model = new openai.ChatOpenAI({
      model: 'gpt-4o',
      apiKey: 'none',
      maxRetries: 0,
      configuration: { baseURL: `${server.url}/v1` },
    });
    server.play({ ...(AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]), delayMs: 20 });
    const names = Array.from({ length: 6 }, (_, index) => `agent ${index}`);
    await Promise.all(
      names.map(async (name) => {
        await langchain.createAgent({ name, model, tools: [] }).invoke(input);
      }),
    );
    await flush();
    assert.deepEqual(records.map(({ agentName = '' }) => agentName).toSorted(), names);
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 6);
    telemetry.reset();
    const faulty = tools.tool(
      () => {
        throw new RangeError('by zero');
      },
      { name: 'search', schema: z.object({}) },
    );
    server.play(AGENT_SCRIPTS[0], AGENT_SCRIPTS[3] ?? AGENT_SCRIPTS[0]);
    const agent = langchain.createAgent({ name: 'faulty', model, tools: [faulty] });
    await agent.invoke(input).catch(() => undefined);
    const asking = tools.tool(() => langgraph.interrupt('Is that right?'), {
      name: 'search',
      schema: z.object({}),
    });
    server.play(AGENT_SCRIPTS[0]);
    const checkpointer = new langgraph.MemorySaver();
    await langchain
      .createAgent({ name: 'asking', model, tools: [asking], checkpointer })
      .invoke(input, { configurable: { thread_id: '1' } });
    const failed = telemetry.spans().filter(({ attributes }) => 'error.type' in attributes);
    assert.ok(telemetry.spans().some(({ name }) => name === 'invoke_agent asking'));
    assert.equal(failed.length, 1, 'waiting for a person is no failure');
    assert.equal(failed[0]?.name, 'execute_tool search');
    assert.equal(failed[0]?.attributes['error.type'], 'RangeError');
  });

  it('an agent as a node of a graph, which is a workflow', async () => {
    const { StateGraph, MessagesAnnotation, START, END } = langgraph;
    const agent = planner();
    const graph = new StateGraph(MessagesAnnotation)
      .addNode('plan', async (state: object) => await agent.invoke(state))
      .addEdge(START, 'plan')
      .addEdge('plan', END)
      .compile({ name: 'tides' });
    server.play(...AGENT_SCRIPTS);
    await graph.invoke(input);
    await agreeWithGolden('langgraph-workflow', telemetry, records);
  });
});
