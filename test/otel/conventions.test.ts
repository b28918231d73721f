import assert from 'node:assert/strict';
import { DataPointType, type MetricData } from '@opentelemetry/sdk-metrics';
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation, withUsageContext } from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatError, chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

/**
 * The tables of the GenAI conventions, written out from the documents of
 * open-telemetry/semantic-conventions-genai 0.1.0 and of semantic conventions 1.41. What is emitted is
 * held against them name by name; every provider is in `conventions-of-every-provider.test.ts`.
 */
const TOKEN_BUCKETS = [
  1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216, 67108864,
];
const SECOND_BUCKETS = [
  0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

interface MetricRow {
  readonly kind: 'counter' | 'histogram';
  readonly unit: '{token}' | 's' | 'USD';
  /** Attributes of this metric beside the common ones. */
  readonly required?: string;
}

const tokens = (kind: MetricRow['kind'], required?: string): MetricRow => ({
  kind,
  unit: '{token}',
  ...(required !== undefined && { required }),
});
const SECONDS: MetricRow = { kind: 'histogram', unit: 's' };
/** Of our own: the conventions have no cost. */
const COST: MetricRow = { kind: 'counter', unit: 'USD' };

const METRICS: Readonly<Record<'v1_41' | 'latest', Readonly<Record<string, MetricRow>>>> = {
  v1_41: {
    'token_meter.cost': COST,
    'gen_ai.client.token.usage': tokens('histogram', 'gen_ai.token.type'),
    'gen_ai.client.operation.duration': SECONDS,
    'gen_ai.client.operation.time_to_first_chunk': SECONDS,
    'gen_ai.client.operation.time_per_output_chunk': SECONDS,
  },
  latest: {
    'token_meter.cost': COST,
    'gen_ai.client.inference.usage.input_tokens': tokens('counter', 'gen_ai.token.modality'),
    'gen_ai.client.inference.usage.output_tokens': tokens('counter', 'gen_ai.token.modality'),
    'gen_ai.client.inference.usage.cache_read.input_tokens': tokens(
      'counter',
      'gen_ai.token.modality',
    ),
    'gen_ai.client.inference.usage.cache_write.input_tokens': tokens(
      'counter',
      'gen_ai.token.modality',
    ),
    'gen_ai.client.inference.usage.reasoning.output_tokens': tokens(
      'counter',
      'gen_ai.token.modality',
    ),
    'gen_ai.client.inference.operation.input_tokens': tokens('histogram'),
    'gen_ai.client.inference.operation.output_tokens': tokens('histogram'),
    'gen_ai.client.inference.duration': SECONDS,
    'gen_ai.client.inference.time_to_first_chunk': SECONDS,
    'gen_ai.client.inference.time_per_output_chunk': SECONDS,
  },
};
const METRIC_REQUIRED = ['gen_ai.operation.name', 'gen_ai.provider.name'];
const METRIC_ALLOWED = [
  ...METRIC_REQUIRED,
  'gen_ai.request.model',
  'gen_ai.response.model',
  'server.address',
  'server.port',
  'error.type',
  'token_meter.outcome',
];

const SPAN_REQUIRED = ['gen_ai.operation.name', 'gen_ai.provider.name'];
const SPAN_CONDITIONAL = [
  'error.type',
  'gen_ai.conversation.id',
  'gen_ai.output.type',
  'gen_ai.prompt.name',
  'gen_ai.prompt.version',
  'gen_ai.request.choice.count',
  'gen_ai.request.model',
  'gen_ai.request.seed',
  'gen_ai.request.stream',
  'gen_ai.request.top_k',
  'server.port',
];
const SPAN_RECOMMENDED = [
  'gen_ai.conversation.compacted',
  'gen_ai.request.frequency_penalty',
  'gen_ai.request.max_tokens',
  'gen_ai.request.presence_penalty',
  'gen_ai.request.previous_response.id',
  'gen_ai.request.reasoning.level',
  'gen_ai.request.stop_sequences',
  'gen_ai.request.temperature',
  'gen_ai.request.top_p',
  'gen_ai.response.finish_reasons',
  'gen_ai.response.id',
  'gen_ai.response.model',
  'gen_ai.response.time_to_first_chunk',
  'gen_ai.usage.input_tokens',
  'gen_ai.usage.output_tokens',
  'gen_ai.usage.cache_read.input_tokens',
  'gen_ai.usage.cache_write.input_tokens',
  'gen_ai.usage.cache_creation.input_tokens',
  'gen_ai.usage.reasoning.output_tokens',
  'gen_ai.usage.audio.input_tokens',
  'gen_ai.usage.audio.output_tokens',
  'gen_ai.usage.image.input_tokens',
  'gen_ai.usage.text.input_tokens',
  'openai.api.type',
  'server.address',
];
/** No convention has them: the user's id, and what is ours alone. */
const OURS = [
  'user.id',
  'token_meter.token_source',
  'token_meter.outcome',
  'token_meter.cost_usd',
  'token_meter.cost_source',
  'token_meter.cost_missing',
];
const EVENT_OURS = [...OURS, 'token_meter.record_id', 'token_meter.duration_ms'];

const USAGE = {
  prompt_tokens: 1218,
  completion_tokens: 340,
  total_tokens: 1558,
  prompt_tokens_details: { cached_tokens: 900, cache_write_tokens: 100, audio_tokens: 18 },
  completion_tokens_details: { reasoning_tokens: 40 },
};
const WIRE = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };
const REQUEST = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'When is high tide?' }],
  max_completion_tokens: 400,
  temperature: 0.2,
  top_p: 0.9,
  seed: 7,
  n: 2,
  frequency_penalty: 0.1,
  presence_penalty: 0.3,
  stop: ['END'],
  reasoning_effort: 'low' as const,
  response_format: { type: 'json_object' as const },
};

describe('the GenAI conventions', () => {
  let server: WireServer;
  before(async () => (server = await startWireServer()));
  after(() => server.close());

  for (const generation of ['v1_41', 'latest', 'both'] as const) {
    describe(`generation ${generation}`, () => {
      let telemetry: TestTelemetry;
      let instrumentation: TokenMeterInstrumentation;
      let metrics: readonly MetricData[];
      before(async () => {
        telemetry = startTelemetry();
        instrumentation = new TokenMeterInstrumentation({ metricNames: generation });
        instrumentation.instrument('openai', OpenAI);
        const client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
        await withUsageContext({ userId: 'alice', conversationId: 'c-1' }, async () => {
          server.play(chatPlain(WIRE));
          await client.chat.completions.create(REQUEST);
          server.play(chatStream(WIRE));
          for await (const _ of await client.chat.completions.create({ ...REQUEST, stream: true }));
          server.play(chatError);
          await client.chat.completions.create(REQUEST).catch(() => undefined);
        });
        await flush();
        metrics = await telemetry.metrics();
      });
      after(async () => {
        instrumentation.disable();
        await telemetry.close();
      });

      const table: Readonly<Record<string, MetricRow>> =
        generation === 'both' ? { ...METRICS.v1_41, ...METRICS.latest } : METRICS[generation];

      it('has these metrics and no others, with kind, unit and buckets', () => {
        assert.deepEqual(
          metrics.map(({ descriptor }) => descriptor.name).toSorted((a, b) => a.localeCompare(b)),
          Object.keys(table).toSorted((a, b) => a.localeCompare(b)),
        );
        for (const metric of metrics) {
          const { name, unit } = metric.descriptor;
          const row = table[name];
          assert.equal(unit, row?.unit, name);
          if (row?.kind === 'counter') {
            assert.equal(metric.dataPointType, DataPointType.SUM, name);
            assert.ok(metric.isMonotonic, name);
            continue;
          }
          assert.ok(metric.dataPointType === DataPointType.HISTOGRAM, name);
          const expected = unit === 's' ? SECOND_BUCKETS : TOKEN_BUCKETS;
          for (const point of metric.dataPoints) {
            assert.deepEqual(point.value.buckets.boundaries, expected, name);
          }
        }
      });

      it('has the attributes of the tables on metrics, and no user on any', () => {
        for (const { descriptor, dataPoints } of metrics) {
          const extra = table[descriptor.name]?.required;
          for (const { attributes } of dataPoints) {
            const names = Object.keys(attributes);
            for (const name of [...METRIC_REQUIRED, ...(extra === undefined ? [] : [extra])]) {
              assert.ok(names.includes(name), `${descriptor.name} lacks ${name}`);
            }
            const unknown = names.filter((name) => ![...METRIC_ALLOWED, extra].includes(name));
            assert.deepEqual(unknown, [], descriptor.name);
          }
        }
        const durations = metrics.find(({ descriptor }) => descriptor.name.endsWith('duration'));
        const failed = durations?.dataPoints.filter(({ attributes }) => 'error.type' in attributes);
        assert.deepEqual(
          failed?.map(({ attributes }) => attributes['token_meter.outcome']),
          ['error'],
        );
      });

      it('has the attributes of the table on spans, each with its value', () => {
        const [plain, stream, error] = telemetry.spans();
        const known = [...SPAN_REQUIRED, ...SPAN_CONDITIONAL, ...SPAN_RECOMMENDED, ...OURS];
        for (const span of telemetry.spans()) {
          assert.equal(span.name, 'chat gpt-4o');
          assert.equal(span.kind, 2);
          const names = Object.keys(span.attributes);
          assert.deepEqual(
            names.filter((name) => !known.includes(name)),
            [],
          );
          for (const name of [...SPAN_REQUIRED, 'gen_ai.request.model', 'server.address'])
            assert.ok(names.includes(name), name);
        }
        const cacheWrite = {
          ...(generation !== 'latest' && { 'gen_ai.usage.cache_creation.input_tokens': 100 }),
          ...(generation !== 'v1_41' && { 'gen_ai.usage.cache_write.input_tokens': 100 }),
        };
        assert.deepEqual(
          { ...plain?.attributes, 'token_meter.cost_usd': 0 },
          {
            'gen_ai.operation.name': 'chat',
            'gen_ai.provider.name': 'openai',
            'gen_ai.request.model': 'gpt-4o',
            'server.address': '127.0.0.1',
            'server.port': Number(new URL(server.url).port),
            'gen_ai.request.max_tokens': 400,
            'gen_ai.request.temperature': 0.2,
            'gen_ai.request.top_p': 0.9,
            'gen_ai.request.seed': 7,
            'gen_ai.request.choice.count': 2,
            'gen_ai.request.frequency_penalty': 0.1,
            'gen_ai.request.presence_penalty': 0.3,
            'gen_ai.request.stop_sequences': ['END'],
            'gen_ai.request.reasoning.level': 'low',
            'gen_ai.output.type': 'json',
            'gen_ai.response.id': 'chatcmpl-1',
            'gen_ai.response.model': 'gpt-4o-2024-08-06',
            'gen_ai.response.finish_reasons': ['stop'],
            'gen_ai.conversation.id': 'c-1',
            'gen_ai.usage.input_tokens': 1218,
            'gen_ai.usage.output_tokens': 340,
            'gen_ai.usage.cache_read.input_tokens': 900,
            'gen_ai.usage.reasoning.output_tokens': 40,
            'gen_ai.usage.audio.input_tokens': 18,
            ...(generation !== 'v1_41' && { 'gen_ai.usage.text.input_tokens': 1200 }),
            'openai.api.type': 'chat_completions',
            ...cacheWrite,
            'user.id': 'alice',
            'token_meter.token_source': 'provider',
            'token_meter.outcome': 'ok',
            'token_meter.cost_usd': 0,
            'token_meter.cost_source': 'list',
            // The price list has no price for audio of gpt-4o.
            'token_meter.cost_missing': 'audio_input_tokens',
          },
        );
        assert.equal(stream?.attributes['gen_ai.request.stream'], true);
        assert.equal(typeof stream?.attributes['gen_ai.response.time_to_first_chunk'], 'number');
        assert.equal(plain?.attributes['gen_ai.request.stream'], undefined);
        assert.equal(error?.attributes['error.type'], 'RateLimitError');
        assert.equal(error?.status.code, 2);
        assert.equal('gen_ai.usage.input_tokens' in (error?.attributes ?? {}), false);
      });

      it('has one details event a call, on the trace of its span and without content', () => {
        const known = [...SPAN_REQUIRED, ...SPAN_CONDITIONAL, ...SPAN_RECOMMENDED, ...EVENT_OURS];
        const name = 'gen_ai.client.inference.operation.details';
        const events = telemetry.events().filter(({ eventName }) => eventName === name);
        assert.equal(events.length, 3);
        for (const [i, event] of events.entries()) {
          assert.equal(event.severityText, generation === 'v1_41' ? 'INFO' : 'DEBUG');
          assert.equal(event.spanContext?.spanId, telemetry.spans()[i]?.spanContext().spanId);
          const names = Object.keys(event.attributes);
          assert.deepEqual(
            names.filter((name) => !known.includes(name)),
            [],
          );
          for (const name of ['token_meter.record_id', ...SPAN_REQUIRED])
            assert.ok(names.includes(name), name);
          assert.doesNotMatch(JSON.stringify(event.attributes), /tide/);
        }
      });

      it('has one exception of the failed call, with its type alone', () => {
        const exceptions = telemetry
          .events()
          .filter(({ eventName }) => eventName?.endsWith('exception'));
        assert.deepEqual(
          exceptions.map(({ eventName, severityText, attributes }) => [
            eventName,
            severityText,
            attributes,
          ]),
          [
            ...(generation === 'latest' ? [] : ['gen_ai.client.operation.exception']),
            ...(generation === 'v1_41' ? [] : ['gen_ai.client.inference.exception']),
          ].map((name) => [name, 'WARN', { 'exception.type': 'RateLimitError' }]),
        );
        const failed = telemetry.spans()[2]?.spanContext().spanId;
        for (const { spanContext } of exceptions) assert.equal(spanContext?.spanId, failed);
      });

      it('names its schema, unless it follows two', () => {
        const schema = {
          v1_41: 'https://opentelemetry.io/schemas/1.41.0',
          latest: 'https://opentelemetry.io/schemas/gen-ai/0.1.0',
          both: undefined,
        }[generation];
        for (const { instrumentationScope } of [...telemetry.spans(), ...telemetry.events()]) {
          assert.equal(instrumentationScope.schemaUrl, schema);
        }
      });
    });
  }
});
