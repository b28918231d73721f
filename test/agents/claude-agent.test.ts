import assert from 'node:assert/strict';
import {
  flush,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { shutdown } from '../../src/metering-in-force.ts';
import { collectUntil } from '../support/collect.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import {
  callOf,
  HAIKU,
  init,
  inSubAgent,
  resultOf,
  SONNET,
  streamEvents,
  toolResult,
  toolUse,
  total,
  words,
  type Said,
} from '../support/claude-agent-messages.ts';

type Parameters = { readonly options?: object };

interface Sdk {
  query(parameters: Parameters & { prompt: string }): Query;
  startup(parameters?: Parameters): Promise<{ query(prompt: string): Query }>;
  prewarm(parameters?: Parameters): Promise<{
    claim(parameters: { prompt: string; options: object }): Query;
  }>;
}

/** As the SDK's: it is read through its messages, and closed past them. */
class Query implements AsyncIterable<Said> {
  readonly #messages: AsyncGenerator<Said, void>;
  hasEnded = false;

  constructor(messages: AsyncGenerator<Said, void>) {
    this.#messages = messages;
  }

  next(): Promise<IteratorResult<Said, void>> {
    return this.#messages.next();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Said, void> {
    return this.#messages;
  }

  close(): string {
    this.hasEnded = true;
    return 'closed';
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.resolve();
    this.hasEnded = true;
  }
}

/** The SDK itself runs in test/slow/agents. */
describe('messages of the Claude Agent SDK', () => {
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let sdk: Sdk;
  let script: readonly (Said | Error)[] = [];
  let asked: { options?: { env?: Record<string, string | undefined> } }[] = [];
  let records: UsageRecord[] = [];

  before(() => {
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    const said = async function* (parameters: Parameters): AsyncGenerator<Said, void> {
      asked.push(parameters);
      await Promise.resolve();
      for (const part of script) {
        if (part instanceof Error) throw part;
        yield part;
      }
    };
    sdk = {
      query: (parameters) => new Query(said(parameters)),
      startup: (parameters = {}) =>
        Promise.resolve({ query: (prompt) => bare.query({ ...parameters, prompt }) }),
      prewarm: (parameters = {}) =>
        Promise.resolve({ claim: ({ prompt }) => bare.query({ ...parameters, prompt }) }),
    };
    const bare = { ...sdk };
    assert.ok(instrumentation.instrument('@anthropic-ai/claude-agent-sdk', sdk));
  });
  beforeEach(async () => {
    await flush();
    [records, asked] = [[], []];
    telemetry.reset();
    instrumentation.applySettings({ enabled: true, tokenStatistics: true });
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
  });

  async function ask(said: readonly (Said | Error)[], options: object = {}): Promise<void> {
    script = said;
    for await (const message of sdk.query({ prompt: 'When is high water?', options })) {
      assert.ok(said.includes(message), 'the messages of the SDK itself');
    }
    await flush();
  }
  const line = ({ requestModel, inputTokens, outputTokens, outcome }: UsageRecord): string =>
    `${requestModel === SONNET ? 'sonnet' : requestModel} ${inputTokens} ${outputTokens} ${outcome}`;
  const lines = (): string[] => records.map(line);
  const isPartial = ({ attributes }: UsageRecord): boolean =>
    attributes['token_meter.reported_output'] === 'partial';
  const spanNames = (): string[] => telemetry.spans().map(({ name }) => name);

  it('gives the only call of a turn the output that the result reports', async () => {
    await withUsageContext({ userId: 'ann' }, () =>
      ask([init, callOf('msg_1', 100, words), resultOf({ [SONNET]: total(100, 40) })]),
    );
    assert.deepEqual(lines(), ['sonnet 100 40 ok']);
    assert.ok(!records.some(isPartial));
    assert.equal(records[0]?.userId, 'ann');
    assert.equal(records[0]?.conversationId, 'session-1');
    assert.equal(records[0]?.responseId, 'msg_1');
    assert.equal(records[0]?.costUsd, 0.0009);
  });

  it('keeps the conversation of the application', async () => {
    await withUsageContext({ conversationId: 'thread-7' }, () =>
      ask([
        callOf('msg_1', 100, words),
        resultOf({ [SONNET]: total(100, 40), [HAIKU]: total(5, 1) }),
      ]),
    );
    assert.deepEqual(
      records.map(({ conversationId }) => conversationId),
      ['thread-7', 'thread-7'],
    );
  });

  it('knows the output of each call where partial messages are asked for', async () => {
    await ask([
      init,
      ...streamEvents('msg_1', 100, 7),
      toolResult('use_1', '3'),
      ...streamEvents('msg_2', 120, 30),
      resultOf({ [SONNET]: total(220, 37) }),
    ]);
    assert.deepEqual(lines(), ['sonnet 100 7 ok', 'sonnet 120 30 ok']);
    assert.ok(!records.some(isPartial));
  });

  it('adds what a result reports beyond the calls that were heard', async () => {
    await ask([
      callOf('msg_1', 100, words),
      callOf('msg_2', 200, words),
      resultOf({ [`${SONNET}[1m]`]: total(300, 70), [HAIKU]: total(9, 3) }),
    ]);
    assert.deepEqual(lines(), [
      'sonnet 100 1 ok',
      'sonnet 200 1 ok',
      'sonnet 0 68 ok',
      `${HAIKU} 9 3 ok`,
    ]);
    assert.deepEqual(records.map(isPartial), [true, true, false, false]);
  });

  it('takes totals of a session apart by turn, also after they were set back', async () => {
    await ask([
      callOf('msg_1', 100, words),
      resultOf({ [SONNET]: total(100, 40) }),
      callOf('msg_2', 150, words),
      resultOf({ [SONNET]: total(250, 60) }),
      // After `/clear`.
      callOf('msg_3', 90, words),
      resultOf({ [SONNET]: total(90, 8) }),
    ]);
    assert.deepEqual(lines(), ['sonnet 100 40 ok', 'sonnet 150 20 ok', 'sonnet 90 8 ok']);
    assert.equal(new Set(records.map(({ runId }) => runId)).size, 1, 'one run');
    assert.equal(spanNames().filter((name) => name === 'invoke_agent claude-code').length, 3);
  });

  it('leaves out what earlier turns of a resumed session used', async () => {
    const said = (earlier: string): Said[] => [
      callOf(`${earlier}_1`, 100, words),
      resultOf({ [SONNET]: total(5100, 900) }),
      callOf(`${earlier}_2`, 100, words),
      resultOf({ [SONNET]: total(5200, 930) }),
    ];
    await ask(said('resumed'), { resume: 'session-0' });
    assert.deepEqual(lines(), ['sonnet 100 1 ok', 'sonnet 100 30 ok']);
    records = [];
    await ask(said('continued'), { continue: true });
    assert.deepEqual(lines(), ['sonnet 100 1 ok', 'sonnet 100 30 ok']);
  });

  it('adds nothing where the totals have no model of the name that messages have', async () => {
    await ask([callOf('msg_1', 100, words), resultOf({ 'my-deployment': total(100, 40) })]);
    assert.deepEqual(lines(), ['sonnet 100 1 ok']);
    records = [];
    const platform = total(100, 40, { canonicalModel: 'claude-sonnet-4-5' });
    await ask([callOf('msg_1', 100, words), resultOf({ 'my-deployment': platform })]);
    assert.deepEqual(lines(), ['sonnet 100 1 ok', 'my-deployment 0 39 ok']);
  });

  it('records what a turn used that has no message of a model', async () => {
    await ask([init, resultOf({ [HAIKU]: total(900, 100) })]);
    assert.deepEqual(lines(), [`${HAIKU} 900 100 ok`]);
  });

  it('counts a cache as the API reports it', async () => {
    const cached = { cacheReadInputTokens: 50, cacheCreationInputTokens: 20 };
    const usage = { cache_read_input_tokens: 50, cache_creation_input_tokens: 20 };
    await ask([callOf('msg_1', 30, words, usage), resultOf({ [SONNET]: total(30, 4, cached) })]);
    assert.deepEqual(lines(), ['sonnet 100 4 ok']);
    assert.equal(records[0]?.cacheReadTokens, 50);
    assert.equal(records[0]?.cacheWriteTokens, 20);
  });

  it('marks what the API refused, and the turn that ends with it', async () => {
    const refused = {
      type: 'assistant',
      message: { id: 'x', model: '<synthetic>', content: [words], usage: {} },
      error: 'rate_limit',
      parent_tool_use_id: null,
      session_id: 'session-1',
    };
    await ask([init, refused, resultOf({}, { is_error: true, api_error_status: 429 })]);
    assert.deepEqual(lines(), ['sonnet undefined undefined error']);
    assert.equal(records[0]?.errorType, 'rate_limit');
    const step = telemetry.spans().find(({ name }) => name.startsWith('invoke_agent'));
    assert.equal(step?.attributes['error.type'], '429');
  });

  it('ends with the reader who leaves, and with an error, which passes', async () => {
    script = [init, callOf('msg_1', 100, toolUse('use_1', 'Bash', {})), callOf('msg_2', 9, words)];
    for await (const message of sdk.query({ prompt: '' })) if (message !== init) break;
    await flush();
    assert.deepEqual(lines(), ['sonnet 100 1 aborted']);
    assert.deepEqual(spanNames().toSorted(), [
      `chat ${SONNET}`,
      'execute_tool Bash',
      'invoke_agent claude-code',
    ]);
    records = [];
    telemetry.reset();
    const failure = new RangeError('exit code 1');
    await assert.rejects(ask([callOf('msg_1', 100, words), failure]), failure);
    await flush();
    assert.deepEqual(lines(), ['sonnet 100 1 aborted']);
    const step = telemetry.spans().find(({ name }) => name.startsWith('invoke_agent'));
    assert.equal(step?.attributes['error.type'], 'RangeError');
  });

  it('follows a sub-agent in the background to its end', async () => {
    await ask([
      callOf('msg_1', 100, toolUse('use_1', 'Agent', { subagent_type: 'reader' })),
      toolResult('use_1', 'started', { tool_use_result: { status: 'async_launched' } }),
      callOf('msg_2', 110, words),
      inSubAgent('use_1', callOf('msg_3', 40, words)),
      {
        type: 'system',
        subtype: 'task_notification',
        tool_use_id: 'use_1',
        status: 'failed',
        session_id: 'session-1',
      },
      resultOf({ [SONNET]: total(250, 30) }),
    ]);
    const reader = records.find(({ responseId }) => responseId === 'msg_3');
    assert.equal(reader?.agentName, 'reader');
    assert.equal(reader.toolName, 'Agent');
    const spans = telemetry.spans();
    const agent = spans.find(({ name }) => name === 'invoke_agent reader');
    assert.equal(agent?.attributes['error.type'], 'failed');
    const tool = spans.find(({ name }) => name === 'execute_tool Agent');
    assert.equal(tool?.attributes['error.type'], undefined);
    assert.equal(tool?.attributes['gen_ai.tool.call.id'], 'use_1');
  });

  it('records turns of the time that metering is on', async () => {
    script = [
      callOf('msg_1', 100, words),
      resultOf({ [SONNET]: total(100, 40) }),
      callOf('msg_2', 150, words),
      resultOf({ [SONNET]: total(250, 60) }),
    ];
    instrumentation.applySettings({ enabled: false });
    for await (const message of sdk.query({ prompt: '' })) {
      if (message['type'] === 'result') instrumentation.applySettings({ enabled: true });
    }
    await flush();
    assert.deepEqual(lines(), ['sonnet 150 20 ok']);
    records = [];
    instrumentation.applySettings({ tokenStatistics: false });
    await ask(script as Said[]);
    assert.deepEqual(lines(), ['sonnet undefined undefined ok', 'sonnet undefined undefined ok']);
    assert.equal(records[0]?.costUsd, undefined);
  });

  it('records what was received when the process ends', async () => {
    script = [init, callOf('msg_1', 100, words), callOf('msg_2', 120, words), resultOf({})];
    const query = sdk.query({ prompt: '' });
    for (let read = 0; read < 3; read += 1) await query.next();
    await shutdown();
    assert.deepEqual(lines(), ['sonnet 100 1 ok', 'sonnet 120 1 aborted']);
    assert.ok(spanNames().includes('invoke_agent claude-code'));
  });

  it('records a session that is dropped half-way', async () => {
    script = [callOf('msg_1', 100, words), resultOf({})];
    await (async () => void (await sdk.query({ prompt: '' }).next()))();
    assert.ok(await collectUntil(() => spanNames().includes('invoke_agent claude-code')));
    await flush();
    assert.deepEqual(lines(), ['sonnet 100 1 aborted']);
  });

  it('records a session when it is closed, without waiting for its collection', async () => {
    script = [callOf('msg_1', 100, words), callOf('msg_2', 110, words)];
    const warm = await sdk.startup();
    const queries = [sdk.query({ prompt: '' }), warm.query(''), sdk.query({ prompt: '' })];
    for (const query of queries) {
      records = [];
      telemetry.reset();
      await query.next();
      if (query === queries[2]) await query[Symbol.asyncDispose]();
      else assert.equal(query.close(), 'closed');
      assert.ok(query.hasEnded);
      await flush();
      assert.deepEqual(lines(), ['sonnet 100 1 aborted']);
      assert.ok(spanNames().includes('invoke_agent claude-code'));
    }
    records = [];
    // What had arrived before can still be read.
    for (const query of queries)
      for await (const message of query) assert.equal(message, script[1]);
    await flush();
    assert.deepEqual(lines(), Array(3).fill('sonnet 110 1 aborted'));
  });

  it('counts a message once that is sent again', async () => {
    const late = inSubAgent('use_1', callOf('msg_2', 10, toolUse('use_2', 'Read', {})));
    await ask([
      callOf('msg_1', 100, toolUse('use_1', 'Agent', {})),
      inSubAgent('use_1', callOf('msg_2', 10, words)),
      toolResult('use_1', 'Twice a day.'),
      late,
      callOf('msg_3', 200, words),
      resultOf({ [SONNET]: total(310, 50) }),
      callOf('msg_3', 200, words),
      callOf('msg_4', 210, words),
      resultOf({ [SONNET]: total(520, 70) }),
    ]);
    assert.deepEqual(lines().toSorted(), [
      'sonnet 0 47 ok',
      'sonnet 10 1 ok',
      'sonnet 100 1 ok',
      'sonnet 200 1 ok',
      'sonnet 210 20 ok',
    ]);
  });

  it('counts a message once that a resumed session sends again', async () => {
    const waiting = callOf('waiting_1', 100, toolUse('use_1', 'Bash', {}));
    script = [waiting, resultOf({})];
    await using query = sdk.query({ prompt: '' });
    await query.next();
    query.close();
    const rest = [toolResult('use_1', '3'), callOf('waiting_2', 130, words)];
    await ask([waiting, ...rest, resultOf({ [SONNET]: total(230, 60) })], { resume: 'session-1' });
    assert.deepEqual(lines(), ['sonnet 100 1 aborted', 'sonnet 130 1 ok']);
    records = [];
    // Elsewhere an id says nothing: servers in between may use one again.
    await ask([waiting, resultOf({ [SONNET]: total(100, 40) })]);
    assert.deepEqual(lines(), ['sonnet 100 40 ok']);
  });

  it('counts each reply whose stream begins, whatever id a server gives it', async () => {
    await ask([
      ...streamEvents('same', 100, 7),
      toolResult('use_1', '3'),
      ...streamEvents('same', 120, 30),
      resultOf({ [SONNET]: total(220, 37) }),
    ]);
    assert.deepEqual(lines(), ['sonnet 100 7 ok', 'sonnet 120 30 ok']);
  });

  it('marks the telemetry of the process, and leaves the options as they are', async () => {
    const env = { CLAUDE_CODE_ENABLE_TELEMETRY: '1', OTEL_RESOURCE_ATTRIBUTES: 'team=research' };
    const options = { env, model: 'sonnet' };
    await ask([callOf('msg_1', 100, words)], options);
    const given = asked[0]?.options;
    assert.equal(
      given?.env?.['OTEL_RESOURCE_ATTRIBUTES'],
      'team=research,token_meter.metered=true',
    );
    assert.deepEqual(options, { env, model: 'sonnet' });
    assert.equal(env.OTEL_RESOURCE_ATTRIBUTES, 'team=research');
    const plain = { env: { PATH: '/bin' } };
    await ask([callOf('msg_2', 100, words)], plain);
    assert.equal(asked[1]?.options, plain, 'without telemetry nothing is changed');
    assert.equal(records[1]?.provider, 'anthropic');
    await ask([callOf('msg_3', 100, words)], { env: { CLAUDE_CODE_USE_BEDROCK: '1' } });
    assert.equal(records[2]?.provider, 'aws.bedrock');
  });

  it('has content where it is asked for alone', async () => {
    const said = [
      callOf('msg_1', 100, words),
      callOf('msg_1', 100, toolUse('use_1', 'Bash', { command: 'tide' })),
      toolResult('use_1', 'Twice a day.'),
      resultOf({ [SONNET]: total(100, 40) }),
    ];
    const content = (): string =>
      JSON.stringify(telemetry.spans().map(({ attributes }) => attributes));
    await ask(said);
    assert.doesNotMatch(content(), /Twice a day|tide/);
    telemetry.reset();
    instrumentation.disable();
    const capturing = new TokenMeterInstrumentation({ captureContent: true });
    await ask(said);
    capturing.disable();
    instrumentation.enable();
    const spans = telemetry.spans();
    const of = (name: string) => spans.find((span) => span.name === name)?.attributes;
    const output = String(of(`chat ${SONNET}`)?.['gen_ai.output.messages']);
    assert.match(output, /Twice a day.*Bash/);
    assert.equal(of('execute_tool Bash')?.['gen_ai.tool.call.arguments'], '{"command":"tide"}');
    assert.equal(of('execute_tool Bash')?.['gen_ai.tool.call.result'], 'Twice a day.');
  });

  it('marks nothing while metering is off, and leaves the report to the process', async () => {
    const options = { env: { CLAUDE_CODE_ENABLE_TELEMETRY: '1' } };
    const said = [callOf('msg_1', 100, words), resultOf({ [SONNET]: total(100, 40) })];
    instrumentation.applySettings({ enabled: false });
    await ask(said, options);
    assert.equal(asked[0]?.options, options);
    const warm = await sdk.startup({ options });
    instrumentation.applySettings({ enabled: true });
    for await (const _message of warm.query('When is high water?'));
    await flush();
    assert.equal(asked[1]?.options, options);
    assert.deepEqual(records, []);
  });

  it('marks a process that is started before its question, which is recorded here', async () => {
    script = [callOf('msg_1', 100, words), resultOf({ [SONNET]: total(100, 40) })];
    const warm = await sdk.startup({ options: { env: { CLAUDE_CODE_ENABLE_TELEMETRY: '1' } } });
    for await (const _message of warm.query('When is high water?'));
    await flush();
    const spare = await sdk.prewarm({ options: { env: { CLAUDE_CODE_ENABLE_TELEMETRY: '1' } } });
    const query = spare.claim({ prompt: 'When is high water?', options: { cwd: '/tides' } });
    for await (const _message of query);
    await flush();
    for (const { options } of asked) {
      assert.equal(options?.env?.['OTEL_RESOURCE_ATTRIBUTES'], 'token_meter.metered=true');
    }
    assert.deepEqual(lines(), ['sonnet 100 40 ok', 'sonnet 100 40 ok']);
  });
});
