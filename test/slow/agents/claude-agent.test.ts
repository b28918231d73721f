import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { propagation, trace, type TextMapPropagator } from '@opentelemetry/api';
import { z } from 'zod';
import {
  flush,
  recordUsage,
  TokenMeterInstrumentation,
  type UsageRecord,
} from '../../../src/index.ts';
import { agreeWithGolden } from '../../support/agent-run.ts';
import {
  callOf,
  HAIKU,
  init,
  inSubAgent,
  resultOf,
  SONNET,
  toolResult,
  toolUse,
  total,
  words,
  type Said,
} from '../../support/claude-agent-messages.ts';
import { installPackages, type InstalledPackages } from '../../support/installed-packages.ts';
import { startTelemetry, type TestTelemetry } from '../../support/telemetry.ts';

const EXECUTABLE = fileURLToPath(new URL('../../support/fake-claude.mjs', import.meta.url));

interface Query extends AsyncGenerator<Said, void> {
  close(): void;
}
interface Warm extends AsyncDisposable {
  query(prompt: string): Query;
}
interface Spare extends AsyncDisposable {
  claim(parameters: { prompt: string; options: object }): Query;
}
interface Prompt {
  readonly type: 'user';
  readonly message: { readonly role: 'user'; readonly content: string };
  readonly parent_tool_use_id: null;
}

/** The part of `@anthropic-ai/claude-agent-sdk` that is used here. */
interface AgentSdk {
  query(parameters: { prompt: string | AsyncIterable<Prompt>; options?: object }): Query;
  startup(parameters: { options?: object }): Promise<Warm>;
  prewarm(parameters: { options?: object }): Promise<Spare>;
  createSdkMcpServer(options: object): object;
  tool(
    name: string,
    description: string,
    schema: object,
    handler: (input: { a: number; b: number }) => Promise<object>,
  ): object;
}

const question = { question: true };
const say = (...said: readonly Said[]): readonly object[] =>
  said.map((message) => ({ say: message }));
const PLANNED = [
  question,
  ...say(
    init,
    callOf('msg_1', 100, words),
    callOf('msg_1', 100, toolUse('use_1', 'Agent', { subagent_type: 'reader' })),
    inSubAgent('use_1', callOf('msg_2', 30, words)),
    toolResult('use_1', 'Twice a day.'),
    callOf('msg_3', 150, toolUse('use_2', 'mcp__tides__add', { a: 1, b: 2 })),
  ),
  { tool: { server: 'tides', name: 'add', input: { a: 1, b: 2 } } },
  ...say(
    toolResult('use_2', '3'),
    callOf('msg_4', 200, words),
    resultOf({ [SONNET]: total(480, 75), [HAIKU]: total(9, 2) }),
  ),
];
const SHORT = [
  question,
  ...say(init, callOf('msg_1', 100, words), resultOf({ [SONNET]: total(100, 40) })),
];

describe('the Claude Agent SDK', () => {
  let installed: InstalledPackages;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let sdk: AgentSdk;
  let records: UsageRecord[] = [];

  before(async () => {
    installed = await installPackages(['@anthropic-ai/claude-agent-sdk@0.3', 'zod@4']);
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    // As the hooks hand it out: an object whose exports can be replaced.
    sdk = { ...((await installed.load('@anthropic-ai/claude-agent-sdk')) as AgentSdk) };
    assert.ok(instrumentation.instrument('@anthropic-ai/claude-agent-sdk', sdk));
  });
  beforeEach(async () => {
    await flush();
    records = [];
    telemetry.reset();
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await installed.remove();
  });

  function options(script: readonly object[], rest: object = {}, env: object = {}): object {
    return {
      pathToClaudeCodeExecutable: EXECUTABLE,
      executable: process.execPath,
      env: { PATH: process.env['PATH'], FAKE_CLAUDE_SCRIPT: JSON.stringify(script), ...env },
      ...rest,
    };
  }

  async function readAll(query: AsyncIterable<Said>): Promise<readonly unknown[]> {
    const types: unknown[] = [];
    for await (const { type } of query) types.push(type);
    await flush();
    return types;
  }
  const lines = (): string[] =>
    records.map(({ inputTokens, outputTokens, outcome }) =>
      [inputTokens, outputTokens, outcome].join(' '),
    );

  for (const [when, meta] of [
    ['named by its use', { id: 'use_2' }],
    ['named by nothing', {}],
  ] as const) {
    it(`a run with two tools and a sub-agent, the tool of this process ${when}`, async () => {
      const madeIn: unknown[] = [];
      const add = sdk.tool('add', 'Adds', { a: z.number(), b: z.number() }, async ({ a, b }) => {
        const made = await recordUsage({ model: 'local', inputTokens: 1, outputTokens: 1 });
        madeIn.push(made?.toolName, made?.agentName);
        return { content: [{ type: 'text', text: String(a + b) }] };
      });
      const mcpServers = { tides: sdk.createSdkMcpServer({ name: 'tides', tools: [add] }) };
      const script = PLANNED.map((part) =>
        'tool' in part ? { tool: { ...(part.tool as object), ...meta } } : part,
      );
      const asked = sdk.query({
        prompt: 'When is high water?',
        options: options(script, { agent: 'planner', mcpServers }),
      });
      assert.equal((await readAll(asked)).at(-1), 'result');
      assert.deepEqual(madeIn, ['mcp__tides__add', 'planner']);
      records = records.filter(({ requestModel }) => requestModel !== 'local');
      await agreeWithGolden('claude-agent', telemetry, records);
      const sum = (of: (record: UsageRecord) => number | undefined) =>
        records.reduce((all, record) => all + (of(record) ?? 0), 0);
      assert.equal(
        sum(({ inputTokens }) => inputTokens),
        489,
        'as the result says',
      );
      assert.equal(
        sum(({ outputTokens }) => outputTokens),
        77,
        'as the result says',
      );
    });
  }

  it('a conversation of two turns is one run', async () => {
    async function* prompts(): AsyncGenerator<Prompt> {
      for (const content of ['When is high water?', 'And tomorrow?']) {
        await Promise.resolve();
        yield { type: 'user', message: { role: 'user', content }, parent_tool_use_id: null };
      }
    }
    const script = [
      ...SHORT,
      question,
      ...say(callOf('msg_2', 150, words), resultOf({ [SONNET]: total(250, 60) })),
    ];
    await readAll(sdk.query({ prompt: prompts(), options: options(script) }));
    assert.deepEqual(lines(), ['100 40 ok', '150 20 ok']);
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 1);
  });

  it('a process that was started before', async () => {
    const warm = await sdk.startup({ options: options(SHORT) });
    await readAll(warm.query('When is high water?'));
    assert.deepEqual(lines(), ['100 40 ok']);
  });

  it('leaves and closes as ever', async () => {
    for (const leave of [
      async (query: Query) => void (await query.return()),
      async (query: Query) => {
        query.close();
        await query.next();
      },
    ]) {
      records = [];
      const query = sdk.query({ prompt: '', options: options(PLANNED.slice(0, 3)) });
      await query.next();
      await query.next();
      await leave(query);
      await flush();
      assert.deepEqual(lines(), ['100 1 aborted']);
    }
  });

  it('fails as ever where the process does', async () => {
    const script = [question, ...say(init, callOf('msg_1', 100, words)), { exit: 3 }];
    const query = sdk.query({ prompt: '', options: options(script) });
    await assert.rejects(readAll(query), /code 3/);
    await flush();
    assert.deepEqual(lines(), ['100 1 aborted']);
  });

  it('gives the process its trace, and marks its telemetry', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'claude-agent-'));
    const file = join(folder, 'environment');
    const env = { FAKE_CLAUDE_ENVIRONMENT: file, CLAUDE_CODE_ENABLE_TELEMETRY: '1' };
    propagation.setGlobalPropagator(PROPAGATOR);
    try {
      await readAll(sdk.query({ prompt: '', options: options(SHORT, {}, env) }));
    } finally {
      propagation.disable();
    }
    const seen = JSON.parse(readFileSync(file, 'utf8')) as Record<string, string>;
    rmSync(folder, { recursive: true });
    assert.equal(seen['OTEL_RESOURCE_ATTRIBUTES'], 'token_meter.metered=true');
    const step = telemetry.spans().find(({ name }) => name === 'invoke_agent claude-code');
    assert.equal(seen['TRACEPARENT'], `test-${step?.spanContext().spanId}`);
  });

  it('records a session when it is closed, past its messages', async () => {
    const long = [question, ...say(init, callOf('msg_1', 100, words)), question];
    const readTwo = async (query: Query): Promise<Query> => {
      await query.next();
      await query.next();
      return query;
    };
    const held: object[] = [];
    const ways: readonly (() => Promise<object>)[] = [
      async () => {
        const query = await readTwo(sdk.query({ prompt: '', options: options(long) }));
        query.close();
        return query;
      },
      async () => {
        await using query = await readTwo(sdk.query({ prompt: '', options: options(long) }));
        return query;
      },
      async () => {
        await using warm = await sdk.startup({ options: options(long) });
        return await readTwo(warm.query(''));
      },
      async () => {
        await using spare = await sdk.prewarm({ options: options(long) });
        return await readTwo(spare.claim({ prompt: '', options: { cwd: tmpdir() } }));
      },
    ];
    for (const [index, leave] of ways.entries()) {
      records = [];
      telemetry.reset();
      held.push(await leave());
      await flush();
      assert.deepEqual(lines(), ['100 1 aborted'], `way ${index}`);
      assert.ok(telemetry.spans().some(({ name }) => name === 'invoke_agent claude-code'));
    }
    assert.equal(held.length, ways.length, 'nothing was collected');
  });
});

const PROPAGATOR: TextMapPropagator = {
  inject: (from, carrier, setter) => {
    const span = trace.getSpanContext(from)?.spanId;
    if (span !== undefined) setter.set(carrier, 'traceparent', `test-${span}`);
  },
  extract: (from) => from,
  fields: () => ['traceparent'],
};
