import assert from 'node:assert/strict';
import { z } from 'zod';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../../src/index.ts';
import { AGENT_SCRIPTS, agreeWithGolden, streamedAgentScripts } from '../../support/agent-run.ts';
import { installPackages, type InstalledPackages } from '../../support/installed-packages.ts';
import { startTelemetry, type TestTelemetry } from '../../support/telemetry.ts';
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts';

interface Agent {
  invoke(input: string): Promise<{ toString(): string }>;
  stream(input: string): AsyncGenerator<unknown>;
}

/** The part of `@strands-agents/sdk` that is used here. */
interface Strands {
  readonly Agent: new (options: object) => Agent;
  tool(options: object): unknown;
}
interface Models {
  readonly OpenAIModel: new (options: object) => unknown;
}
interface Multiagent {
  readonly Graph: new (options: object) => { invoke(input: string): Promise<unknown> };
}

describe('Strands', () => {
  let installed: InstalledPackages;
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let strands: Strands;
  let models: Models;
  let multiagent: Multiagent;
  let records: UsageRecord[] = [];

  before(async () => {
    installed = await installPackages([
      '@strands-agents/sdk@1',
      'openai@6',
      'zod@4',
      '@opentelemetry/api@1',
    ]);
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    strands = (await installed.load('@strands-agents/sdk')) as Strands;
    models = (await installed.load('@strands-agents/sdk/models/openai')) as Models;
    assert.ok(instrumentation.instrument('@strands-agents/sdk', strands));
    multiagent = (await installed.load('@strands-agents/sdk/multiagent')) as Multiagent;
    assert.ok(instrumentation.instrument('@strands-agents/sdk/multiagent', multiagent));
    assert.ok(instrumentation.instrument('openai', await installed.load('openai')));
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

  const model = (): unknown =>
    new models.OpenAIModel({
      api: 'chat',
      modelId: 'gpt-4o',
      apiKey: 'none',
      clientConfig: { baseURL: `${server.url}/v1`, maxRetries: 0 },
    });

  function planner(): Agent {
    const reader = new strands.Agent({ name: 'reader', model: model(), printer: false });
    const search = strands.tool({
      name: 'search',
      description: 'Asks the reader',
      inputSchema: z.object({ query: z.string() }),
      callback: async ({ query }: { query: string }) => String(await reader.invoke(query)),
    });
    const add = strands.tool({
      name: 'add',
      description: 'Adds',
      inputSchema: z.object({ a: z.number(), b: z.number() }),
      callback: ({ a, b }: { a: number; b: number }) => a + b,
    });
    return new strands.Agent({
      name: 'planner',
      model: model(),
      tools: [search, add],
      printer: false,
    });
  }

  it('a run with two tools and a sub-agent', async () => {
    server.play(...streamedAgentScripts());
    const result = await planner().invoke('When is high water?');
    assert.equal(String(result).trim(), 'High water is at 3.');
    await agreeWithGolden('strands', telemetry, records);
  });

  it('the same as a stream', async () => {
    server.play(...streamedAgentScripts());
    for await (const _event of planner().stream('When is high water?'));
    await agreeWithGolden('strands', telemetry, records);
  });

  it('a graph of agents is a workflow, and a tool that fails is marked', async () => {
    const divide = strands.tool({
      name: 'search',
      description: 'Divides',
      inputSchema: z.object({}),
      callback: () => {
        throw new RangeError('by zero');
      },
    });
    const first = new strands.Agent({
      id: 'first',
      name: 'first',
      model: model(),
      tools: [divide],
      printer: false,
    });
    const second = new strands.Agent({
      id: 'second',
      name: 'second',
      model: model(),
      printer: false,
    });
    const graph = new multiagent.Graph({
      id: 'tides',
      nodes: [first, second],
      edges: [['first', 'second']],
    });
    const [asks, , , answers = asks] = streamedAgentScripts();
    server.play(asks, answers, answers);
    await graph.invoke('When is high water?');
    await flush();
    assert.deepEqual(
      records.map(({ steps = [] }) => steps.map(({ kind, name }) => `${kind} ${name}`).join(' > ')),
      [
        'workflow tides > agent first',
        'workflow tides > agent first',
        'workflow tides > agent second',
      ],
    );
    const failed = telemetry.spans().filter(({ attributes }) => 'error.type' in attributes);
    assert.deepEqual(
      failed.map(({ name, attributes }) => [name, attributes['error.type']]),
      [['execute_tool search', 'RangeError']],
    );
    const ids = new Set(telemetry.spans().map((span) => span.spanContext().spanId));
    for (const { id, name } of records.flatMap((record) => record.steps ?? [])) {
      assert.ok(ids.has(id), `${name} has the id of its span`);
    }
  });

  it('names the model and the tokens on the span of the SDK, once', async () => {
    const [, , , answers = AGENT_SCRIPTS[0]] = streamedAgentScripts();
    server.play(answers);
    await new strands.Agent({ name: 'alone', model: model(), printer: false }).invoke('Hello');
    await flush();
    const chats = telemetry.spans().filter(({ name }) => name.startsWith('chat'));
    assert.equal(chats.length, 1);
    assert.equal(chats[0]?.attributes['gen_ai.usage.input_tokens'], 200);
    assert.equal(chats[0].attributes['token_meter.outcome'], 'ok');
    assert.equal(records[0]?.spanId, chats[0].spanContext().spanId);
  });

  it('has one span for a call where metering is switched on during the run', async () => {
    server.play(...streamedAgentScripts());
    instrumentation.applySettings({ enabled: false });
    let seen = 0;
    for await (const _event of planner().stream('When is high water?')) {
      seen += 1;
      if (seen === 3) instrumentation.applySettings({ enabled: true });
    }
    await flush();
    const chats = telemetry.spans().filter(({ name }) => name.startsWith('chat'));
    assert.equal(chats.length, 4);
    const ids = new Set(chats.map((span) => span.spanContext().spanId));
    assert.ok(records.length > 1);
    for (const { spanId } of records) assert.ok(spanId !== undefined && ids.has(spanId));
  });
});
