import assert from 'node:assert/strict';
import { SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { Histogram, MetricData } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import {
  flush,
  TokenMeterInstrumentation,
  withAgent,
  withTool,
  withUsageContext,
  withWorkflow,
  type UsageRecord,
} from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 };
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };

describe('agents, tools and workflows by hand', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let openai: OpenAI;
  const records: UsageRecord[] = [];

  before(async () => {
    server = await startWireServer();
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({
      captureContent: true,
      onUsage: (record) => records.push(record),
    });
    instrumentation.instrument('openai', OpenAI);
    openai = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: 'none', maxRetries: 0 });
  });
  beforeEach(async () => {
    // Records of the test before may still be on their way.
    await flush();
    records.length = 0;
    telemetry.reset();
    instrumentation.applySettings({ enabled: true, hold: false });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await server.close();
  });

  const ask = async (model = 'gpt-4o'): Promise<void> => {
    server.play(chatPlain(WIRE));
    await openai.chat.completions.create({ model, messages: [{ role: 'user', content: 'Hi' }] });
  };
  const span = (name: string): ReadableSpan => {
    const found = telemetry.spans().filter((one) => one.name === name);
    assert.equal(found.length, 1, name);
    return found[0] as ReadableSpan;
  };
  const points = async (name: string): Promise<{ attributes: object; value: Histogram }[]> => {
    const metric = (await telemetry.metrics()).find(({ descriptor }) => descriptor.name === name);
    return (metric as MetricData | undefined)?.dataPoints as {
      attributes: object;
      value: Histogram;
    }[];
  };

  it('give their calls the run, the agent, the tool and the steps, nested as they are', async () => {
    const result = await withAgent({ name: 'planner', runId: 'run-1', id: 'asst_1' }, async () => {
      await ask();
      return await withTool({ name: 'search', callId: 'call_1' }, async () => {
        await withAgent({ name: 'reader' }, async () => {
          await ask('gpt-4o-mini');
          await ask();
        });
        await ask();
        return { found: 3 };
      });
    });
    await flush();
    assert.deepEqual(result, { found: 3 });
    const planner = span('invoke_agent planner');
    const search = span('execute_tool search');
    const reader = span('invoke_agent reader');
    const steps = [
      { kind: 'agent', name: 'planner', id: planner.spanContext().spanId },
      { kind: 'tool', name: 'search', id: search.spanContext().spanId },
      { kind: 'agent', name: 'reader', id: reader.spanContext().spanId },
    ];
    const positions = records.map(({ runId, agentName, toolName, steps }) => {
      return { runId, agentName, toolName, steps };
    });
    const inReader = { runId: 'run-1', agentName: 'reader', toolName: 'search', steps };
    assert.deepEqual(positions, [
      { runId: 'run-1', agentName: 'planner', toolName: undefined, steps: steps.slice(0, 1) },
      inReader,
      inReader,
      { runId: 'run-1', agentName: 'planner', toolName: 'search', steps: steps.slice(0, 2) },
    ]);
    assert.deepEqual(
      telemetry
        .spans()
        .map((one) => `${one.name} in ${one.parentSpanContext?.spanId}`)
        .toSorted(),
      [
        `chat gpt-4o in ${planner.spanContext().spanId}`,
        `chat gpt-4o-mini in ${reader.spanContext().spanId}`,
        `chat gpt-4o in ${reader.spanContext().spanId}`,
        `invoke_agent reader in ${search.spanContext().spanId}`,
        `chat gpt-4o in ${search.spanContext().spanId}`,
        `execute_tool search in ${planner.spanContext().spanId}`,
        'invoke_agent planner in undefined',
      ].toSorted(),
    );
    assert.equal(planner.kind, SpanKind.INTERNAL);
    assert.deepEqual(planner.attributes, {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'planner',
      'gen_ai.agent.id': 'asst_1',
      'token_meter.run_id': 'run-1',
    });
    assert.deepEqual(search.attributes, {
      'gen_ai.operation.name': 'execute_tool',
      'gen_ai.tool.name': 'search',
      'gen_ai.tool.type': 'function',
      'gen_ai.tool.call.id': 'call_1',
      'gen_ai.tool.call.result': '{"found":3}',
      'gen_ai.agent.name': 'planner',
      'token_meter.run_id': 'run-1',
    });
    const chat = span('chat gpt-4o-mini');
    assert.equal(chat.attributes['token_meter.tool_name'], 'search');
    assert.equal(chat.attributes['gen_ai.agent.name'], 'reader');
  });

  it('count what each invocation did itself', async () => {
    await withAgent({ name: 'chief' }, async () => {
      await ask();
      await withTool({ name: 'ask_aide' }, () => withAgent({ name: 'aide' }, () => ask()));
      await withTool({ name: 'add' }, () => Promise.resolve(2));
      await ask();
    });
    await assert.rejects(
      withAgent({ name: 'faulty' }, () =>
        withTool({ name: 'divide', type: 'extension' }, async () => {
          await ask();
          throw new RangeError('by zero');
        }),
      ),
      RangeError,
    );
    await flush();
    const sumsOf = async (name: string) =>
      Object.fromEntries(
        (await points(name)).map(({ attributes, value }) => [
          (attributes as Record<string, string>)['gen_ai.agent.name'],
          value.sum,
        ]),
      );
    assert.partialDeepStrictEqual(await sumsOf('gen_ai.invoke_agent.inference_calls'), {
      chief: 2,
      aide: 1,
      faulty: 1,
    });
    assert.partialDeepStrictEqual(await sumsOf('gen_ai.invoke_agent.tool_calls'), {
      chief: 2,
      aide: 0,
      faulty: 1,
    });
    const agents = await points('gen_ai.invoke_agent.duration');
    const failed = agents.find(({ attributes }) => 'error.type' in attributes);
    assert.deepEqual(failed?.attributes, {
      'gen_ai.operation.name': 'invoke_agent',
      'gen_ai.agent.name': 'faulty',
      'error.type': 'RangeError',
    });
    assert.deepEqual(failed?.value.buckets.boundaries.slice(0, 3), [0.1, 0.2, 0.4]);
    const tools = await points('gen_ai.execute_tool.duration');
    assert.deepEqual(tools.find(({ attributes }) => 'error.type' in attributes)?.attributes, {
      'gen_ai.tool.name': 'divide',
      'gen_ai.tool.type': 'extension',
      'gen_ai.agent.name': 'faulty',
      'error.type': 'RangeError',
    });
    const divide = span('execute_tool divide');
    assert.equal(divide.status.code, SpanStatusCode.ERROR);
    assert.equal(divide.attributes['error.type'], 'RangeError');
  });

  it('begin a run each, of which the id may come from the user context', async () => {
    await withAgent({ name: 'one' }, ask);
    await withAgent({ name: 'one' }, ask);
    await withUsageContext(
      { conversationId: 'c-1', attributes: { 'token_meter.run_id': 'job-7' } },
      () => withAgent({ name: 'one' }, ask),
    );
    await ask();
    await flush();
    const runs = records.map(({ runId }) => runId);
    assert.match(runs[0] ?? '', /^[0-9a-f]{8}-[0-9a-f-]{27}$/);
    assert.notEqual(runs[0], runs[1]);
    assert.deepEqual(runs.slice(2), ['job-7', undefined]);
    assert.equal(
      telemetry.spans().find((one) => one.attributes['token_meter.run_id'] === 'job-7')?.attributes[
        'gen_ai.conversation.id'
      ],
      'c-1',
    );
  });

  it('keep a workflow apart from its agents', async () => {
    await withWorkflow({ name: 'review' }, async () => {
      await ask();
      await withAgent({ name: 'critic' }, ask);
    });
    await flush();
    const [first, second] = records;
    assert.equal(first?.agentName, undefined);
    assert.equal(second?.agentName, 'critic');
    assert.equal(first?.runId, second?.runId);
    assert.deepEqual(
      second?.steps?.map(({ kind, name }) => `${kind} ${name}`),
      ['workflow review', 'agent critic'],
    );
    assert.equal(span('invoke_workflow review').attributes['gen_ai.workflow.name'], 'review');
    assert.ok(
      (await points('gen_ai.invoke_agent.duration')).some(
        ({ attributes }) =>
          (attributes as Record<string, string>)['gen_ai.operation.name'] === 'invoke_workflow',
      ),
    );
  });

  it('last until a generator is read to its end or left, and hold in each of its parts', async () => {
    async function* parts(): AsyncGenerator<number> {
      await ask();
      yield 1;
      await ask();
      yield 2;
    }
    for await (const part of withAgent({ name: 'streamer' }, parts)) assert.ok(part > 0);
    for await (const part of withAgent({ name: 'left' }, parts)) {
      assert.equal(part, 1);
      assert.deepEqual(
        telemetry.spans().filter(({ name }) => name.endsWith('left')),
        [],
      );
      break;
    }
    await flush();
    assert.deepEqual(
      records.map(({ agentName }) => agentName),
      ['streamer', 'streamer', 'left'],
    );
    span('invoke_agent streamer');
    span('invoke_agent left');
  });

  it('hold for a stream that is read after they have ended', async () => {
    server.play(chatStream(WIRE));
    const stream = await withAgent({ name: 'early' }, () =>
      openai.chat.completions.create({
        model: 'gpt-4o',
        stream: true,
        messages: [{ role: 'user', content: 'Hi' }],
      }),
    );
    for await (const _chunk of stream);
    await flush();
    assert.equal(records[0]?.agentName, 'early');
  });

  it('return and throw what their function does, also without a name, and while nothing is metered', async () => {
    const error = new Error('mine');
    const rejected = Promise.reject(error);
    assert.equal(
      withAgent({ name: 'sync' }, () => 7),
      7,
    );
    assert.throws(
      () =>
        withTool({ name: 'sync' }, () => {
          throw error;
        }),
      (thrown) => thrown === error,
    );
    await assert.rejects(
      withAgent({ name: 'async' }, () => rejected),
      (thrown) => thrown === error,
    );
    for (const wrong of [undefined, null, {}, { name: 3n }, { name: '' }, { name: {} }]) {
      assert.equal(
        withAgent(wrong as never, () => 7),
        7,
      );
    }
    await withTool({} as never, ask);
    instrumentation.applySettings({ enabled: false });
    telemetry.reset();
    assert.equal(await withAgent({ name: 'off' }, () => Promise.resolve(7)), 7);
    assert.deepEqual(telemetry.spans(), []);
  });

  it('leave what their function returns as it is, whatever that is', async () => {
    const strict = new Proxy(
      { ok: 1 },
      {
        get(target, key) {
          if (key in target) return Reflect.get(target, key) as unknown;
          throw new Error(`no member ${String(key)}`);
        },
      },
    );
    assert.equal(withTool({ name: 'strict' }, () => strict).ok, 1);
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    assert.equal(
      withTool({ name: 'revoked' }, () => proxy),
      proxy,
    );
    const request = Object.assign(Promise.resolve('{}'), { cancel: () => 'cancelled' });
    const sent = withTool({ name: 'cancellable' }, () => request);
    assert.equal(sent.cancel(), 'cancelled');
    assert.equal(await sent, '{}');
    let count = 0;
    const rows = {
      next: () => ({ done: count === 2, value: count++ }),
      [Symbol.iterator]: () => rows,
      [Symbol.asyncIterator]: () => rows,
    };
    const read = withTool({ name: 'rows' }, () => rows);
    assert.deepEqual(read.next(), { done: false, value: 0 });
    assert.deepEqual([...read], [1]);
    assert.equal(telemetry.spans().length, 4);
  });

  it('name the type of what is thrown, never its text', async () => {
    assert.throws(() =>
      withTool({ name: 'lookup' }, () => {
        // oxlint-disable-next-line no-throw-literal -- as some applications do
        throw 'Jane Roe is not a customer';
      }),
    );
    assert.equal(span('execute_tool lookup').attributes['error.type'], 'string');
    const reason = 'Jane Roe has left';
    await assert.rejects(async () => {
      await withAgent({ name: 'waiter' }, () => Promise.reject(reason as unknown as Error));
    });
    assert.equal(span('invoke_agent waiter').attributes['error.type'], 'string');
  });

  it('have no span while nobody knows whether calls are recorded, and their calls have the steps', async () => {
    instrumentation.applySettings({ hold: true });
    await withAgent({ name: 'held' }, ask);
    assert.deepEqual(telemetry.spans(), []);
    instrumentation.applySettings({ enabled: true, hold: false });
    await flush();
    assert.equal(records[0]?.agentName, 'held');
    assert.match(records[0]?.steps?.[0]?.id ?? '', /^[0-9a-f]{16}$/);
    assert.ok(telemetry.spans().every(({ name }) => !name.startsWith('invoke_agent')));
  });

  it('nest 32 deep at most; what is deeper belongs to the last step', async () => {
    const deep = (level: number): Promise<void> =>
      level === 0
        ? ask()
        : withAgent({ name: `agent ${level} ${'x'.repeat(300)}` }, () => deep(level - 1));
    await deep(40);
    await flush();
    assert.equal(records[0]?.steps?.length, 32);
    assert.ok(records[0]?.steps?.every(({ name }) => name.length === 256));
    assert.match(records[0]?.agentName ?? '', /^agent 9 x/);
  });
});
