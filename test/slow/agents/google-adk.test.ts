import assert from 'node:assert/strict';
import { z } from 'zod';
import { flush, TokenMeterInstrumentation, type UsageRecord } from '../../../src/index.ts';
import { agreeWithGolden } from '../../support/agent-run.ts';
import { installPackages, type InstalledPackages } from '../../support/installed-packages.ts';
import { startTelemetry, type TestTelemetry } from '../../support/telemetry.ts';
import {
  sse,
  startWireServer,
  type Script,
  type WireServer,
} from '../../support/wire/wire-server.ts';

interface Runner {
  runEphemeral(parameters: object): AsyncGenerator<{ readonly content?: unknown }>;
}

/** The part of `@google/adk` that is used here. */
interface Adk {
  readonly LlmAgent: new (options: object) => object;
  readonly FunctionTool: new (options: object) => object;
  readonly AgentTool: new (options: object) => object;
  readonly SequentialAgent: new (options: object) => object;
  readonly Gemini: new (options: object) => object;
  readonly InMemoryRunner: new (options: object) => Runner;
  setLogLevel(level: number): void;
  readonly StreamingMode: { readonly SSE: unknown };
}

const reply = (input: number, output: number, part: object): object => ({
  candidates: [{ content: { role: 'model', parts: [part] }, finishReason: 'STOP', index: 0 }],
  usageMetadata: {
    promptTokenCount: input,
    candidatesTokenCount: output,
    totalTokenCount: input + output,
  },
  modelVersion: 'gemini-2.5-flash',
});
const call = (name: string, args: object): object => ({ functionCall: { name, args } });
const REPLIES = [
  reply(100, 10, call('reader', { request: 'tide' })),
  reply(30, 20, { text: 'Twice a day.' }),
  reply(150, 5, call('add', { a: 1, b: 2 })),
  reply(200, 40, { text: 'High water is at 3.' }),
];
const whole = REPLIES.map((body): Script => ({ body: JSON.stringify(body) }));
/** `AgentTool` asks for whole replies. */
const streamed = REPLIES.map((body, index): Script =>
  index === 1 ? { body: JSON.stringify(body) } : { pieces: [sse(body)] },
);

describe("Google's Agent Development Kit", () => {
  let installed: InstalledPackages;
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let adk: Adk;
  let records: UsageRecord[] = [];

  before(async () => {
    installed = await installPackages(['@google/adk@2', 'zod@4']);
    server = await startWireServer();
    process.env['GOOGLE_GEMINI_BASE_URL'] = server.url;
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    adk = (await installed.load('@google/adk')) as Adk;
    // Errors alone.
    adk.setLogLevel(3);
    assert.ok(instrumentation.instrument('@google/adk', adk));
    assert.ok(instrumentation.instrument('@google/genai', await installed.load('@google/genai')));
  });
  beforeEach(async () => {
    await flush();
    records = [];
    telemetry.reset();
  });
  after(async () => {
    delete process.env['GOOGLE_GEMINI_BASE_URL'];
    instrumentation.disable();
    await telemetry.close();
    await server.close();
    await installed.remove();
  });

  const model = (): object => new adk.Gemini({ model: 'gemini-2.5-flash', apiKey: 'none' });

  function planner(): object {
    const reader = new adk.LlmAgent({ name: 'reader', description: 'Reads', model: model() });
    const add = new adk.FunctionTool({
      name: 'add',
      description: 'Adds',
      parameters: z.object({ a: z.number(), b: z.number() }),
      execute: ({ a, b }: { a: number; b: number }) => ({ sum: a + b }),
    });
    const tools = [new adk.AgentTool({ agent: reader }), add];
    return new adk.LlmAgent({ name: 'planner', model: model(), tools });
  }

  async function run(
    agent: object,
    options: object = {},
    onEvent: () => void = () => undefined,
  ): Promise<string> {
    const runner = new adk.InMemoryRunner({ agent, appName: 'tides' });
    const newMessage = { role: 'user', parts: [{ text: 'When is high water?' }] };
    let last: unknown;
    for await (const event of runner.runEphemeral({ userId: 'ann', newMessage, ...options })) {
      last = event.content ?? last;
      onEvent();
    }
    return JSON.stringify(last);
  }

  it('a run with two tools and a sub-agent', async () => {
    server.play(...(whole as [Script, ...Script[]]));
    assert.match(await run(planner()), /High water is at 3\./);
    await agreeWithGolden('google-adk', telemetry, records);
  });

  it('the same as a stream', async () => {
    server.play(...(streamed as [Script, ...Script[]]));
    const runConfig = { streamingMode: adk.StreamingMode.SSE };
    assert.match(await run(planner(), { runConfig }), /High water is at 3\./);
    // Tools run while the reply that asks for them is being read.
    await agreeWithGolden('google-adk-streamed', telemetry, records);
  });

  it('agents in a row are one run, and a tool that fails is marked', async () => {
    const divide = new adk.FunctionTool({
      name: 'add',
      description: 'Divides',
      parameters: z.object({ a: z.number(), b: z.number() }),
      execute: () => {
        throw new RangeError('by zero');
      },
    });
    const first = new adk.LlmAgent({ name: 'first', model: model(), tools: [divide] });
    const second = new adk.LlmAgent({ name: 'second', model: model() });
    const row = new adk.SequentialAgent({ name: 'row', subAgents: [first, second] });
    server.play(...([2, 3, 3].map((index) => whole[index]) as [Script, ...Script[]]));
    await run(row);
    await flush();
    assert.deepEqual(
      records.map(({ steps = [] }) => steps.map(({ name }) => name).join(' > ')),
      ['row > first', 'row > first', 'row > second'],
    );
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 1);
    const failed = telemetry.spans().filter(({ attributes }) => 'error.type' in attributes);
    assert.deepEqual(
      failed.map(({ name, attributes }) => [name, attributes['error.type']]),
      [['execute_tool add', 'Error']],
    );
    const steps = records.flatMap((record) => record.steps ?? []);
    const ids = new Set(telemetry.spans().map((span) => span.spanContext().spanId));
    for (const { id, name } of steps) assert.ok(ids.has(id), `${name} has the id of its span`);
  });

  it('leaves its spans as they are while metering is off', async () => {
    instrumentation.applySettings({ enabled: false });
    server.play(...(whole as [Script, ...Script[]]));
    await run(planner());
    instrumentation.applySettings({ enabled: true });
    assert.deepEqual(records, []);
    assert.ok(telemetry.spans().length > 0);
    for (const { attributes } of telemetry.spans()) {
      assert.ok(!Object.keys(attributes).some((name) => name.startsWith('token_meter')));
    }
  });

  it('has one span for a call where metering is switched on during the run', async () => {
    server.play(...(whole as [Script, ...Script[]]));
    instrumentation.applySettings({ enabled: false });
    await run(planner(), {}, () => instrumentation.applySettings({ enabled: true }));
    await flush();
    assert.equal(records.length, 3, 'all but the first call');
    const spans = telemetry.spans();
    assert.ok(!spans.some(({ name }) => name.startsWith('generate_content')));
    const own = spans.filter(({ name }) => name === 'call_llm');
    const ids = new Set(own.map((span) => span.spanContext().spanId));
    for (const { spanId } of records) assert.ok(spanId !== undefined && ids.has(spanId));
  });
});
