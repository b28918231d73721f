import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import { diag, DiagLogLevel, metrics } from '@opentelemetry/api';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { resolveInfluxOptions } from '../../../exporter/influxdb/influx-options.ts';
import { LineExporter } from '../../../exporter/influxdb/write/line-exporter.ts';
import { ContractServer } from '../../support/contract-server.ts';
import { exporterMetrics } from '../../support/exporter-metrics.ts';
import { lineOf } from '../../support/line-of.ts';
import { OnDemandReader } from '../../support/telemetry.ts';

describe('self-metrics of an exporter', () => {
  it('reach a meter provider that was set after the exporter was made', async () => {
    const server = await ContractServer.start('1.8');
    const options = { url: server.url, bucket: 'usage', spool: false as const };
    const exporter = new LineExporter('usage', resolveInfluxOptions('test', options));
    exporter.write(lineOf('m v=1i 1'));
    await exporter.flush();
    const reader = new OnDemandReader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    exporter.write(lineOf('m v=2i 2'));
    exporter.write(lineOf('m v=oops 3'));
    await exporter.flush();
    assert.deepEqual(await exporterMetrics(reader), {
      'accepted usage': 3,
      'delivered usage': 2,
      'dropped usage refused': 1,
      'retries usage': 0,
      'spool_bytes usage': 0,
      'oldest_age usage': 0,
      'latency usage': true,
    });
    metrics.disable();
    await exporter.shutdown();
    await server.stop();
  });

  it('ask nothing of a provider that is shutting down, when its last export is the first record', async () => {
    const server = await ContractServer.start('1.8');
    const options = { url: server.url, bucket: 'usage', spool: false as const };
    const provider = new MeterProvider({ readers: [new OnDemandReader()] });
    metrics.setGlobalMeterProvider(provider);
    const warnings: string[] = [];
    const silent = (): void => undefined;
    const warn = (text: string): void => void warnings.push(text);
    diag.setLogger(
      { warn, error: silent, info: silent, debug: silent, verbose: silent },
      DiagLogLevel.WARN,
    );
    try {
      const exporter = new LineExporter('metrics', resolveInfluxOptions('test', options));
      await turn();
      await provider.shutdown();
      exporter.write(lineOf('m v=1i 1'));
      await exporter.shutdown();
      assert.equal(exporter.counts.delivered, 1);
      assert.deepEqual(warnings, []);
    } finally {
      diag.disable();
      metrics.disable();
      await server.stop();
    }
  });
});
