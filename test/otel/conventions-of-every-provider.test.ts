import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import type * as GoogleGenAi from '@google/genai';
import { SpanKind } from '@opentelemetry/api';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation } from '../../src/index.ts';
import { currentCallMeter } from '../../src/metering-in-force.ts';
import type { ProviderUnderTest } from '../conformance/providers/provider-under-test.ts';
import { read, see } from '../conformance/providers/seen.ts';
import { everyProvider } from '../support/every-provider.ts';
import { mcpRequests, stepsByHand } from '../support/every-step.ts';
import {
  EMBEDDINGS_SPAN,
  EVENTS,
  INFERENCE_SPAN,
  isOurs,
  METRICS,
  OPENAI_SPAN,
  SECOND_BUCKETS,
  TOKEN_BUCKETS,
  type AttributeFact,
} from '../support/genai-conventions.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import {
  AGENT_SPAN,
  MCP_SPAN,
  STEP_METRICS,
  TOOL_SPAN,
  type StepMetricFact,
} from '../support/step-conventions.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const REPORT = new URL('../../docs/conventions.md', import.meta.url);
const SCHEMA = 'https://opentelemetry.io/schemas/gen-ai/0.1.0';
/** Set on the spans of embeddings too, whose table lacks them. */
const BEYOND: Readonly<Record<string, AttributeFact>> = Object.fromEntries(
  ['gen_ai.response.id', 'gen_ai.conversation.id', 'gen_ai.input.messages'].map((name) => [
    name,
    INFERENCE_SPAN[name] as AttributeFact,
  ]),
);
/** Operations that generate nothing have no convention for their span: the common part holds. */
const NOT_INFERENCE = new Set(['rerank']);

describe('release 0.1.0 of the GenAI conventions, held against every provider', function () {
  let http1: WireServer;
  let http2: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation;
  let metrics: readonly MetricData[];
  let stepMetrics: readonly MetricData[];
  const spans: ReadableSpan[] = [];
  const stepSpans: ReadableSpan[] = [];
  /** Provider names by attribute, metric or event. */
  const seen = new Map<string, Set<string>>();
  const note = (name: string, provider: unknown): void => {
    if (!seen.has(name)) seen.set(name, new Set());
    seen.get(name)?.add(String(provider));
  };

  before(async function () {
    this.timeout(120_000);
    [http1, http2] = await Promise.all([startWireServer(), startWireServer('http2')]);
    telemetry = startTelemetry();
    instrumentation = new TokenMeterInstrumentation({
      metricNames: 'latest',
      nativeSpans: 'separate',
      captureContent: true,
    });
    for (const sdk of await everyProvider()) await runAll(sdk);
    await runWithParameters();
    await flush();
    spans.push(...ours());
    metrics = await telemetry.metrics();
    await stepsByHand();
    await mcpRequests(instrumentation);
    stepSpans.push(...ours().slice(spans.length));
    stepMetrics = (await telemetry.metrics()).filter(({ descriptor: { name } }) =>
      metrics.every(({ descriptor }) => descriptor.name !== name),
    );
  });
  after(async () => {
    instrumentation.disable();
    await telemetry.close();
    await Promise.all([http1.close(), http2.close()]);
  });

  function ours(): readonly ReadableSpan[] {
    return telemetry
      .spans()
      .filter(({ instrumentationScope }) => instrumentationScope.name === 'otel-token-meter');
  }

  async function runAll(sdk: ProviderUnderTest<unknown>): Promise<void> {
    const server = sdk.protocol === 'http2' ? http2 : http1;
    const module = await sdk.load();
    sdk.patch.patch(module, currentCallMeter);
    const client = (): unknown => sdk.client(module, server.url);
    const { plain, stream, error } = sdk.wire;
    const play = (script: Script | readonly [Script, ...Script[]]): void =>
      Array.isArray(script)
        ? server.play(...(script as [Script, ...Script[]]))
        : server.play(script as Script);
    play(plain);
    await see(() => sdk.plain(client()));
    play(stream);
    await read(() => sdk.stream(client()));
    play(error);
    await see(() => sdk.plain(client()));
    for (const shape of sdk.shapes ?? []) {
      if (shape.endsAtShutdown) continue;
      play(shape.script);
      await see(() => shape.run(client()));
    }
  }

  /** What the requests of the suite do not ask for, and its replies do not report. */
  async function runWithParameters(): Promise<void> {
    instrumentation.instrument('openai', OpenAI);
    const openai = new OpenAI({ apiKey: 'test', baseURL: http1.url, maxRetries: 0 });
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 50,
      total_tokens: 150,
      prompt_tokens_details: { audio_tokens: 20, image_tokens: 30 },
      completion_tokens_details: { audio_tokens: 10 },
    };
    const { body } = chatPlain({ model: 'gpt-4o', usage, streamUsage: {} });
    const served = { service_tier: 'flex', system_fingerprint: 'fp_1' };
    http1.play({ body: JSON.stringify({ ...(JSON.parse(String(body)) as object), ...served }) });
    await openai.chat.completions.create({
      model: 'gpt-4o',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'High tide?' }] },
      ],
      max_completion_tokens: 9,
      temperature: 0.2,
      top_p: 0.9,
      seed: 7,
      n: 2,
      frequency_penalty: 0.1,
      presence_penalty: 0.1,
      stop: 'END',
      service_tier: 'flex',
      reasoning_effort: 'low',
    });
    http1.play({ body: '{"id":"resp_1","model":"gpt-5","status":"completed","output":[]}' });
    await openai.responses.create({
      model: 'gpt-5',
      instructions: 'Be brief.',
      prompt: { id: 'pmpt_1', version: '3' },
      previous_response_id: 'resp_0',
      input: [{ type: 'compaction', encrypted_content: 'x' }],
    });
    http1.play({ status: 429, body: '{"error":{"message":"slow down"}}' });
    await see(() =>
      openai.embeddings.create({ model: 'text-embedding-3-small', input: 'x', dimensions: 9 }),
    );
    const google = (await loadCjs('@google/genai')()) as typeof GoogleGenAi;
    instrumentation.instrument('@google/genai', google);
    const gemini = new google.GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: http1.url } });
    const details = (text: number, audio: number, image: number): object[] => [
      { modality: 'TEXT', tokenCount: text },
      { modality: 'AUDIO', tokenCount: audio },
      { modality: 'IMAGE', tokenCount: image },
    ];
    http1.play({
      body: JSON.stringify({
        candidates: [{ content: { parts: [{ text: 'Noon.' }] }, finishReason: 'STOP' }],
        modelVersion: 'gemini-2.5-flash',
        usageMetadata: {
          promptTokenCount: 90,
          candidatesTokenCount: 60,
          cachedContentTokenCount: 30,
          promptTokensDetails: details(40, 30, 20),
          cacheTokensDetails: details(10, 15, 5),
          candidatesTokensDetails: details(10, 0, 50),
        },
      }),
    });
    await gemini.models.generateContent({
      model: 'gemini-2.5-flash',
      contents: 'High tide?',
      config: { systemInstruction: 'Be brief.', topK: 40 },
    });
  }

  it('has spans with the attributes of the tables, of their types, and no others', () => {
    assert.ok(spans.length > 100, `${spans.length} spans`);
    const problems = new Set<string>();
    for (const span of spans) {
      const { attributes } = span;
      const operation = String(attributes['gen_ai.operation.name']);
      const provider = attributes['gen_ai.provider.name'];
      const facts: Readonly<Record<string, AttributeFact>> = {
        ...(operation === 'embeddings' ? { ...EMBEDDINGS_SPAN, ...BEYOND } : INFERENCE_SPAN),
        ...(provider === 'openai' && OPENAI_SPAN),
      };
      assert.equal(span.instrumentationScope.schemaUrl, SCHEMA);
      assert.equal(span.kind, 2, 'CLIENT');
      assert.equal(
        span.name,
        `${operation} ${(attributes['gen_ai.request.model'] as string | undefined) ?? 'unknown'}`,
      );
      for (const [name, value] of Object.entries(attributes)) {
        if (isOurs(name)) continue;
        const fact = facts[name];
        const where = `${name} of ${span.name}`;
        if (fact === undefined) problems.add(`${where} is in no table`);
        else if (!isOfType(value, fact.type)) problems.add(`${where}: ${JSON.stringify(value)}`);
        note(`${operation === 'embeddings' ? 'embeddings' : 'inference'} ${name}`, provider);
      }
      for (const [name, { level }] of Object.entries(facts)) {
        if (level === 'required' && !(name in attributes)) {
          problems.add(`${span.name} lacks ${name}`);
        }
      }
      if ('error.type' in attributes !== (span.status.code === 2)) {
        problems.add(`status of ${span.name}: ${JSON.stringify(attributes)}`);
      }
      if ('server.port' in attributes !== 'server.address' in attributes) {
        problems.add(`server of ${span.name}`);
      }
      assert.notEqual(attributes['gen_ai.request.stream'], false);
      const { input_tokens: input = 0, ...parts } = inputCounts(attributes);
      for (const [name, part] of Object.entries(parts)) {
        if (part > input) problems.add(`${name} of ${span.name} is no part of the input`);
      }
    }
    assert.deepEqual([...problems], []);
  });

  it('has the metrics of the tables, with kind, unit, buckets and attributes', () => {
    const names = metrics.map(({ descriptor }) => descriptor.name);
    assert.deepEqual(
      names.filter((name) => name.startsWith('gen_ai.')).toSorted((a, b) => a.localeCompare(b)),
      Object.keys(METRICS).toSorted((a, b) => a.localeCompare(b)),
    );
    for (const metric of metrics) {
      const { name, unit } = metric.descriptor;
      const fact = METRICS[name];
      if (fact === undefined) {
        assert.ok(name.startsWith('token_meter.'), name);
        continue;
      }
      assert.equal(unit, fact.unit, name);
      assert.equal(
        metric.dataPointType,
        fact.kind === 'counter' ? DataPointType.SUM : DataPointType.HISTOGRAM,
        name,
      );
      for (const { attributes, value } of metric.dataPoints) {
        if (fact.kind === 'histogram') {
          const { boundaries } = (value as { buckets: { boundaries: number[] } }).buckets;
          assert.deepEqual(boundaries, unit === 's' ? SECOND_BUCKETS : TOKEN_BUCKETS, name);
        }
        for (const attribute of Object.keys(attributes)) {
          assert.ok(
            isOurs(attribute) || attribute in fact.attributes,
            `${attribute} of ${name} is in no table`,
          );
        }
        for (const [attribute, level] of Object.entries(fact.attributes)) {
          if (level === 'required')
            assert.ok(attribute in attributes, `${name} lacks ${attribute}`);
        }
        note(name, attributes['gen_ai.provider.name']);
      }
    }
  });

  it('has spans of agents, tools and MCP with the attributes of their tables', () => {
    const problems = new Set<string>();
    for (const { name, kind, attributes, status } of stepSpans) {
      const isMcp = 'mcp.method.name' in attributes;
      const isTool = attributes['gen_ai.operation.name'] === 'execute_tool';
      const [table, facts] = isMcp
        ? (['mcp', MCP_SPAN] as const)
        : isTool
          ? (['tool', TOOL_SPAN] as const)
          : (['agent', AGENT_SPAN] as const);
      const seenFrom = isMcp ? (kind === SpanKind.CLIENT ? 'client' : 'server') : 'by hand';
      if (!isMcp) assert.equal(kind, SpanKind.INTERNAL, name);
      for (const [attribute, value] of Object.entries(attributes)) {
        if (isOurs(attribute)) continue;
        // On the span of a tool that a client calls.
        const fact = facts[attribute] ?? (isMcp ? TOOL_SPAN[attribute] : undefined);
        if (fact === undefined) problems.add(`${attribute} of ${name} is in no table`);
        else if (!isOfType(value, fact.type))
          problems.add(`${attribute} of ${name}: ${String(value)}`);
        note(`${table} ${attribute}`, seenFrom);
      }
      for (const [attribute, { level }] of Object.entries(facts)) {
        if (level === 'required' && !(attribute in attributes)) {
          problems.add(`${name} lacks ${attribute}`);
        }
      }
      if ('error.type' in attributes !== (status.code === 2)) problems.add(`status of ${name}`);
    }
    assert.deepEqual([...problems], []);
    const names = new Set(stepSpans.map(({ name, kind }) => `${name} ${SpanKind[kind]}`));
    for (const name of [
      'invoke_agent planner INTERNAL',
      'invoke_workflow tides INTERNAL',
      'execute_tool search INTERNAL',
      'tools/call search CLIENT',
      'tools/call search SERVER',
      'prompts/get ask SERVER',
      'initialize CLIENT',
    ]) {
      assert.ok(names.has(name), name);
    }
  });

  it('has the metrics of agents, tools and MCP, with unit, buckets and attributes', () => {
    assert.deepEqual(
      stepMetrics.map(({ descriptor }) => descriptor.name).toSorted((a, b) => a.localeCompare(b)),
      Object.keys(STEP_METRICS).toSorted((a, b) => a.localeCompare(b)),
    );
    for (const { descriptor, dataPointType, dataPoints } of stepMetrics) {
      const { name, unit } = descriptor;
      const { buckets, attributes: levels, unit: expected } = STEP_METRICS[name] as StepMetricFact;
      assert.equal(unit, expected, name);
      assert.equal(dataPointType, DataPointType.HISTOGRAM, name);
      for (const { attributes, value } of dataPoints) {
        const { boundaries } = (value as { buckets: { boundaries: number[] } }).buckets;
        assert.deepEqual(boundaries, buckets, name);
        for (const attribute of Object.keys(attributes)) {
          assert.ok(attribute in levels, `${attribute} of ${name} is in no table`);
        }
        for (const [attribute, level] of Object.entries(levels)) {
          if (level === 'required')
            assert.ok(attribute in attributes, `${name} lacks ${attribute}`);
        }
      }
    }
  });

  it('has the events of the tables, with their severity, and no content', () => {
    const provider = new Map(
      spans.map((span) => [span.spanContext().spanId, span.attributes['gen_ai.provider.name']]),
    );
    const failed = spans.filter(({ status }) => status.code === 2).length;
    let exceptions = 0;
    for (const event of telemetry.events()) {
      const name = String(event.eventName);
      const fact = EVENTS[name];
      assert.ok(fact !== undefined, `${name} is in no table`);
      assert.equal(event.severityNumber, fact.severity, name);
      const of = provider.get(String(event.spanContext?.spanId));
      assert.ok(of !== undefined, `${name} is on no trace`);
      note(name, of);
      for (const content of ['gen_ai.input.messages', 'gen_ai.output.messages']) {
        assert.equal(content in event.attributes, false);
      }
      if (!name.endsWith('exception')) continue;
      exceptions += 1;
      assert.deepEqual(Object.keys(event.attributes), ['exception.type']);
    }
    assert.equal(exceptions, failed);
  });

  it('counts a call without usage as 0 in an unknown modality, failed ones too', () => {
    const counter = metrics.find(
      ({ descriptor }) => descriptor.name === 'gen_ai.client.inference.usage.input_tokens',
    );
    const zeros = counter?.dataPoints.filter(
      ({ attributes }) => attributes['token_meter.outcome'] === 'error',
    );
    assert.ok(zeros !== undefined && zeros.length > 5);
    for (const { value, attributes } of zeros) {
      if (value === 0) assert.equal(attributes['gen_ai.token.modality'], 'unknown');
    }
  });

  it('is what docs/conventions.md says', () => {
    const report = conformanceReport(seen);
    if (process.env['TOKEN_METER_WRITE_CONVENTIONS'] === '1') writeFileSync(REPORT, report);
    assert.equal(
      readFileSync(REPORT, 'utf8'),
      report,
      'run `npm run build:conventions` to write the page again',
    );
  });
});

function inputCounts(attributes: ReadableSpan['attributes']): Record<string, number> {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith('gen_ai.usage.') && name.endsWith('input_tokens')
        ? [[name.replace('gen_ai.usage.', ''), Number(value)]]
        : [],
    ),
  );
}

function isOfType(value: unknown, type: AttributeFact['type']): boolean {
  if (type === 'int') return Number.isSafeInteger(value);
  if (type === 'double') return typeof value === 'number';
  if (type === 'string[]') {
    return Array.isArray(value) && value.every((item) => typeof item === 'string');
  }
  if (type === 'text') return typeof value === 'string';
  if (type === 'json') return typeof value === 'string' && Array.isArray(JSON.parse(value));
  return typeof value === type;
}

function conformanceReport(seen: ReadonlyMap<string, ReadonlySet<string>>): string {
  const providers = (name: string): string =>
    [...(seen.get(name) ?? [])].toSorted((a, b) => a.localeCompare(b)).join(', ') || '–';
  const attributes = (
    kind: string,
    facts: Readonly<Record<string, AttributeFact>>,
  ): readonly string[] => [
    '| Attribute | Level | Type | Read from | Seen from |',
    '|---|---|---|---|---|',
    ...Object.entries(facts).map(
      ([name, { level, type, from }]) =>
        `| \`${name}\` | ${level} | ${type} | ${from} | ${providers(`${kind} ${name}`)} |`,
    ),
  ];
  return `${[
    '# GenAI conventions',
    '',
    'What `metric_names: latest` emits, held against release 0.1.0 of the [GenAI semantic conventions](https://github.com/open-telemetry/semantic-conventions-genai). This page is written by `test/otel/conventions-of-every-provider.test.ts`, which calls every SDK of [providers.md](providers.md) against a local server, makes steps by hand and requests of MCP, and compares each name, type, unit, bucket and requirement level; `npm run build:conventions` writes it again. "Seen from" lists the providers whose calls had it in that run, with the requests and replies of the conformance suite: a provider that is not listed may not have been asked for it. The schema URL of spans, metrics and events is `' +
      SCHEMA +
      '`.',
    '',
    '## Span of an inference',
    '',
    ...attributes('inference', INFERENCE_SPAN),
    '',
    'Not set: `gen_ai.prompt.variable.<key>` (opt-in; the values are content of the caller). Tokens that were counted here because the provider reported none are on the span too, with `token_meter.token_source` `counted` or `estimated`.',
    '',
    '## The same, of OpenAI',
    '',
    ...attributes('inference', OPENAI_SPAN),
    '',
    '## Span of an embedding',
    '',
    ...attributes('embeddings', EMBEDDINGS_SPAN),
    '',
    `Operations for which there is no convention, such as ${[...NOT_INFERENCE].join(', ')}, image generation and transcription, have the attributes of an inference that apply.`,
    '',
    '## Span of an agent or a workflow',
    '',
    ...attributes('agent', AGENT_SPAN),
    '',
    'Not set: `gen_ai.provider.name`, model, request and usage. An agent may ask several models, whose calls have them, and a sum over spans counts each token once. `gen_ai.agent.id`, which 0.1.0 took off spans of agents in the process, is set where `withAgent` is given one. Names up to 1.41, such as `gen_ai.workflow.name`, are those of `metric_names: v1_41`.',
    '',
    '## Span of a tool',
    '',
    ...attributes('tool', TOOL_SPAN),
    '',
    '## Span of an MCP request',
    '',
    ...attributes('mcp', MCP_SPAN),
    '',
    'Not set: `server.address`, `server.port`, `network.protocol.*`, `mcp.protocol.version` and `jsonrpc.protocol.version`: the SDK keeps the address and the version in members of each transport. The span of a tool that a client calls has the attributes of tools too.',
    '',
    '## Metrics',
    '',
    '| Metric | Level | Kind | Unit | Read from | Seen from |',
    '|---|---|---|---|---|---|',
    ...Object.entries(METRICS).map(
      ([name, { level, kind, unit, from }]) =>
        `| \`${name}\` | ${level} | ${kind} | ${unit} | ${from} | ${providers(name)} |`,
    ),
    '',
    `Histograms in seconds have the buckets ${SECOND_BUCKETS.join(', ')}, those in tokens ${TOKEN_BUCKETS.join(', ')}. Points have the attributes of the tables and \`token_meter.outcome\`. \`openai.response.system_fingerprint\` is not set on metrics, since its values have no bound. Where a provider reports billed tokens beside processed ones (Cohere), metrics and spans have the billed ones. Tokens that were counted locally are on metrics only where \`counting\` is set explicitly, as the conventions demand.`,
    '',
    '## Metrics of agents, tools and MCP',
    '',
    '| Metric | Unit | Read from | Attributes | Buckets |',
    '|---|---|---|---|---|',
    ...Object.entries(STEP_METRICS).map(
      ([name, { unit, from, attributes: levels, buckets }]) =>
        `| \`${name}\` | ${unit} | ${from} | ${Object.keys(levels)
          .map((attribute) => `\`${attribute}\``)
          .join(', ')} | ${buckets.join(', ')} |`,
    ),
    '',
    'All are histograms, recommended. Their names are the same in every generation.',
    '',
    '## Events',
    '',
    '| Event | Level | Severity | When | Seen from |',
    '|---|---|---|---|---|',
    ...Object.entries(EVENTS).map(
      ([name, { level, severity, from }]) =>
        `| \`${name}\` | ${level} | ${severity === 5 ? 'DEBUG' : 'WARN'} | ${from} | ${providers(name)} |`,
    ),
  ].join('\n')}\n`;
}
