import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import {
  attributesOf,
  startOtlpReceiver,
  type OtlpAttribute,
  type OtlpReceiver,
  type OtlpSignal,
} from '../support/otlp-receiver.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = {
  prompt_tokens: 1218,
  completion_tokens: 340,
  total_tokens: 1558,
  prompt_tokens_details: { cached_tokens: 900 },
};

/** The three wire formats of OTLP, each decoded with the official definitions. */
describe('usage over OTLP', () => {
  let server: WireServer;
  let receiver: OtlpReceiver;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  beforeEach(async () => {
    receiver = await startOtlpReceiver();
  });
  afterEach(() => receiver.close());
  after(() => server.close());

  for (const [protocol, contentType, asked] of [
    ['http/protobuf', 'application/x-protobuf', 'with the provider set to otlp'],
    ['http/json', 'application/json', 'by standard variables alone'],
    ['grpc', 'application/grpc', 'by standard variables alone'],
  ] as const) {
    it(`sends span, metrics and ledger by ${protocol}, ${asked}`, async () => {
      const { err, code } = await runApp(
        fileURLToPath(new URL('./apps/chat.mjs', import.meta.url)),
        {
          node: ['--import', 'otel-token-meter/register'],
          env: {
            OPENAI_BASE_URL: server.url,
            OPENAI_API_KEY: 'test',
            ...(asked.includes('provider') && { TOKEN_METER_PROVIDER: 'otlp' }),
            TOKEN_METER_SETTINGS_STORE: 'memory',
            TOKEN_METER_METRIC_NAMES: 'both',
            OTEL_SERVICE_NAME: 'tides',
            OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
            OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? receiver.grpcUrl : receiver.httpUrl,
          },
        },
      );
      assert.equal(code, 0, err);
      assert.doesNotMatch(err, / tok /);
      const bodies = (signal: OtlpSignal): readonly any[] =>
        receiver.requests
          .filter((request) => request.signal === signal)
          .map((request) => {
            assert.equal(request.contentType, contentType);
            return request.body;
          });

      const spans = bodies('traces').flatMap((body) => body.resourceSpans);
      assert.partialDeepStrictEqual(attributesOf(spans[0].resource.attributes), {
        'service.name': 'tides',
      });
      const named = spans
        .flatMap((resource: any) => resource.scopeSpans)
        .filter((scope: any) => scope.scope.name === 'otel-token-meter')
        .flatMap((scope: any) => scope.spans);
      assert.equal(named.length, 1);
      assert.equal(named[0].name, 'chat gpt-4o');
      assert.equal(named[0].kind, 3);
      assert.partialDeepStrictEqual(attributesOf(named[0].attributes), {
        'gen_ai.usage.input_tokens': 1218,
        'gen_ai.usage.output_tokens': 340,
        'gen_ai.usage.cache_read.input_tokens': 900,
        'user.id': 'alice',
        'token_meter.token_source': 'provider',
      });

      const logs = bodies('logs')
        .flatMap((body) => body.resourceLogs)
        .flatMap((resource: any) => resource.scopeLogs)
        .flatMap((scope: any) => scope.logRecords);
      assert.equal(logs.length, 1);
      assert.equal(logs[0].eventName, 'gen_ai.client.inference.operation.details');
      const event = attributesOf(logs[0].attributes);
      assert.partialDeepStrictEqual(event, {
        'gen_ai.request.model': 'gpt-4o',
        'gen_ai.usage.input_tokens': 1218,
        'user.id': 'alice',
        'token_meter.outcome': 'ok',
      });
      assert.equal(typeof event['token_meter.record_id'], 'string');

      const points = new Map<string, any[]>(
        bodies('metrics')
          .flatMap((body) => body.resourceMetrics)
          .flatMap((resource: any) => resource.scopeMetrics)
          .flatMap((scope: any) => scope.metrics)
          .map((metric: any) => [metric.name, (metric.histogram ?? metric.sum).dataPoints]),
      );
      const used = points.get('gen_ai.client.token.usage') ?? [];
      assert.deepEqual(
        used.map((point) => [attributesOf(point.attributes)['gen_ai.token.type'], point.sum]),
        [
          ['input', 1218],
          ['output', 340],
        ],
      );
      const [input] = points.get('gen_ai.client.inference.usage.input_tokens') ?? [];
      assert.equal(input.asDouble ?? Number(input.asInt), 1218);
      for (const [name, all] of points) {
        for (const { attributes } of all as { attributes: OtlpAttribute[] }[]) {
          assert.ok(!('user.id' in attributesOf(attributes)), name);
        }
      }
    });
  }

  it('sends nothing where another provider is set explicitly', async () => {
    const { err, code } = await runApp(fileURLToPath(new URL('./apps/chat.mjs', import.meta.url)), {
      node: ['--import', 'otel-token-meter/register'],
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_PROVIDER: 'console',
        TOKEN_METER_SETTINGS_STORE: 'memory',
        OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
      },
    });
    assert.equal(code, 0, err);
    assert.match(err, / tok /);
    assert.equal(receiver.requests.length, 0);
  });
});
