import assert from 'node:assert/strict';
import { trace, type Tracer, type TracerProvider } from '@opentelemetry/api';
import type { Anthropic } from '@anthropic-ai/sdk';
import type { Mistral } from '@mistralai/mistralai';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { mistral } from '../../src/providers/mistral/index.ts';
import { withUsageContext } from '../../src/context.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, loadEsm } from '../support/sdk-versions.ts';
import { until } from '../support/until.ts';
import { anthropicPlain, anthropicStream } from '../support/wire/anthropic.ts';
import { mistralBareStream, mistralPlain, mistralStream } from '../support/wire/mistral.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = ['gen_ai.usage.input_tokens', 'gen_ai.usage.output_tokens'] as const;
const BODY = {
  model: 'claude-opus-5',
  max_tokens: 100,
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};
const CHAT = { model: 'mistral-large-latest', messages: BODY.messages };

let current: Metering;

/** The application's provider. Mistral keeps the first tracer it gets, so this one hands every span on. */
function relay(): TracerProvider {
  return {
    getTracer: (...about) => {
      const tracer = (): Tracer => current.provider.getTracer(...about);
      return {
        startSpan: (...args) => tracer().startSpan(...args),
        startActiveSpan: (...args: Parameters<Tracer['startActiveSpan']>) =>
          tracer().startActiveSpan(...args),
      } as Tracer;
    },
  };
}

/** SDKs that make spans themselves, with the application's provider registered globally. */
describe('spans of the SDKs themselves', () => {
  before(() => trace.setGlobalTracerProvider(relay()));
  after(() => trace.disable());

  for (const nativeSpans of ['separate', 'enrich'] as const) {
    describe(nativeSpans, function () {
      let server: WireServer;
      let metering: Metering;
      let anthropicModule: { Anthropic: typeof Anthropic };
      let mistralModule: { Mistral: typeof Mistral };

      before(async () => {
        server = await startWireServer();
        metering = startMetering({ nativeSpans });
        current = metering;
        anthropicModule = (await loadCjs('@anthropic-ai/sdk')()) as typeof anthropicModule;
        mistralModule = (await loadEsm('@mistralai/mistralai')()) as typeof mistralModule;
        anthropic.patch(anthropicModule, metering.current);
        mistral.patch(mistralModule, metering.current);
        process.env['MISTRAL_SDK_TELEMETRY'] = 'global';
        metering.on();
      });

      after(async () => {
        delete process.env['MISTRAL_SDK_TELEMETRY'];
        metering.off();
        metering.close();
        await server.close();
      });

      const claude = () =>
        new anthropicModule.Anthropic({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
      const mistralClient = () =>
        new mistralModule.Mistral({
          apiKey: 'test',
          serverURL: server.url,
          retryConfig: { strategy: 'none' },
        });

      /** Runs one call for a user and tells the spans that are left of it. */
      async function spansOf(call: () => Promise<unknown>) {
        await withUsageContext({ userId: 'u-7', conversationId: 'conv-7' }, call);
        const expected = nativeSpans === 'enrich' ? 1 : 2;
        await until(() => metering.ended === expected);
        const { records, spans } = await metering.take();
        assert.equal(records.length, 1);
        const [record] = records;
        assert.ok(record);
        const own = spans.find((span) => span.spanContext().spanId === record.spanId);
        assert.ok(own, 'the record names an exported span');
        assert.equal(own.attributes['user.id'], 'u-7');
        assert.equal(own.attributes['gen_ai.conversation.id'], 'conv-7');
        assert.equal(own.attributes['token_meter.outcome'], record.outcome);
        assert.equal(own.attributes['token_meter.token_source'], record.tokenSource);
        assert.deepEqual(
          USAGE.map((key) => own.attributes[key]),
          [record.inputTokens, record.outputTokens],
        );
        assert.equal(spans.length, expected);
        const foreign = nativeSpans === 'enrich';
        assert.equal(own.instrumentationScope.name === 'conformance', !foreign);
        return { record, own };
      }

      it('Anthropic, whole reply', async () => {
        server.play(anthropicPlain);
        const { record, own } = await spansOf(async () => claude().messages.create(BODY));
        assert.equal(record.outputTokens, 9);
        assert.equal(own.attributes['gen_ai.usage.cache_read.input_tokens'], 20);
      });

      it('Anthropic, stream', async () => {
        server.play(anthropicStream);
        await spansOf(async () => {
          for await (const event of await claude().messages.create({ ...BODY, stream: true })) {
            void event;
          }
        });
      });

      it('Anthropic, stream that is left: counted tokens are put on the span', async () => {
        server.play(anthropicStream);
        const { record } = await spansOf(async () => {
          let events = 0;
          for await (const event of await claude().messages.create({ ...BODY, stream: true })) {
            if (event.type === 'content_block_delta' && (events += 1) === 2) break;
          }
        });
        assert.equal(record.outcome, 'aborted');
        assert.equal(record.tokenSource, 'estimated');
      });

      it('Anthropic, raw response', async () => {
        server.play(anthropicPlain);
        await spansOf(async () => (await claude().messages.create(BODY).asResponse()).json());
      });

      it('Mistral, whole reply', async () => {
        server.play(mistralPlain);
        const { record } = await spansOf(() => mistralClient().chat.complete(CHAT));
        assert.equal(record.outputTokens, 9);
      });

      for (const [what, script] of [
        ['stream', mistralStream],
        ['stream without usage', mistralBareStream],
      ] as const) {
        it(`Mistral, ${what}`, async () => {
          server.play(script);
          await spansOf(async () => {
            for await (const event of await mistralClient().chat.stream(CHAT)) void event;
          });
        });
      }
    });
  }
});
