import assert from 'node:assert/strict';
import { DataPointType } from '@opentelemetry/sdk-metrics';
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation } from '../../src/index.ts';
import { startTelemetry } from '../support/telemetry.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'High tide?' }] };

describe('time per output chunk', () => {
  for (const [chunkTimes, values] of [
    ['mean', 1],
    ['each', 5],
  ] as const) {
    it(`is measured of streams alone: ${chunkTimes}`, async () => {
      const server = await startWireServer();
      const telemetry = startTelemetry();
      const instrumentation = new TokenMeterInstrumentation({ chunkTimes });
      try {
        instrumentation.instrument('openai', OpenAI);
        const client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
        server.play(chatPlain(WIRE));
        await client.chat.completions.create(REQUEST);
        server.play(chatStream(WIRE));
        const askedAt = performance.now();
        for await (const _ of await client.chat.completions.create({ ...REQUEST, stream: true }));
        const tookSeconds = (performance.now() - askedAt) / 1000;
        await flush();

        const metric = (await telemetry.metrics()).find(
          ({ descriptor }) => descriptor.name === 'gen_ai.client.operation.time_per_output_chunk',
        );
        assert.ok(metric?.dataPointType === DataPointType.HISTOGRAM);
        const [point, ...more] = metric.dataPoints;
        assert.equal(more.length, 0);
        // Six chunks arrive, so there are five times between them.
        assert.equal(point?.value.count, values);
        const { sum = -1 } = point.value;
        assert.ok(sum > 0 && (sum / values) * 5 <= tookSeconds, `${sum} s of ${tookSeconds} s`);
      } finally {
        instrumentation.disable();
        await telemetry.close();
        await server.close();
      }
    });
  }
});
