import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { flush, recordUsage, TokenMeterInstrumentation } from '../../src/index.ts';
import { runApp, type AppRun } from '../support/run-app.ts';
import { freePort, requireServer, startVictoriaMetrics } from '../support/servers.ts';
import { until } from '../support/until.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };

describe('backends of others', () => {
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  after(() => server.close());

  const run = async (env: Readonly<Record<string, string>>): Promise<AppRun> =>
    await runApp(fileURLToPath(new URL('./apps/chat.mjs', import.meta.url)), {
      node: ['--import', 'otel-token-meter/register'],
      env: {
        OPENAI_BASE_URL: server.url,
        OPENAI_API_KEY: 'test',
        TOKEN_METER_PROVIDER: 'otlp',
        TOKEN_METER_SETTINGS_STORE: 'memory',
        ...env,
      },
    });

  it('is scraped by Prometheus, as a real server reads it', async function () {
    requireServer(this, 'victoria-metrics');
    const [port, database] = [await freePort(), await startVictoriaMetrics()];
    const exporter = new PrometheusExporter({ port, host: '127.0.0.1' });
    const provider = new MeterProvider({ readers: [exporter] });
    metrics.setGlobalMeterProvider(provider);
    const instrumentation = new TokenMeterInstrumentation();
    try {
      // Without a duration there would be no metric of it.
      await recordUsage({
        model: 'gpt-4o',
        provider: 'openai',
        inputTokens: 18,
        outputTokens: 9,
        executionTimeMs: 12,
      });
      await flush();
      const scraped = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
      assert.match(scraped, /^# TYPE gen_ai_client_operation_duration\w* histogram$/m);
      const imported = await fetch(`${database.url}/api/v1/import/prometheus`, {
        method: 'POST',
        body: scraped,
      });
      assert.equal(imported.status, 204);
      await fetch(`${database.url}/internal/force_flush`);
      await until(async () => {
        const match = 'match[]=gen_ai_client_token_usage_sum';
        const lines = await (await fetch(`${database.url}/api/v1/export?${match}`)).text();
        const sums = lines
          .split('\n')
          .filter((line) => line !== '')
          .map((line) => JSON.parse(line) as { metric: Record<string, string>; values: number[] })
          .map(({ metric, values }) => `${metric['gen_ai_token_type']} ${values.at(-1)}`);
        return sums.includes('input 18') && sums.includes('output 9');
      });
    } finally {
      instrumentation.disable();
      metrics.disable();
      await provider.shutdown();
      await database.stop();
    }
  });

  it('is shown on the console by the exporters of the SDK', async () => {
    const { out, err, code } = await run({
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'console',
      OTEL_LOGS_EXPORTER: 'console',
    });
    assert.equal(code, 0, err);
    for (const part of [
      "name: 'chat gpt-4o'",
      "'gen_ai.usage.input_tokens': 18",
      "name: 'gen_ai.client.token.usage'",
      "eventName: 'gen_ai.client.inference.operation.details'",
    ]) {
      assert.ok(out.includes(part), `${part} is not in\n${out}`);
    }
  });
});
