import assert from 'node:assert/strict';
import { metrics } from '@opentelemetry/api';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import { resolveInfluxOptions } from '../../exporter/influxdb/influx-options.ts';
import { LineExporter } from '../../exporter/line-exporter.ts';
import { ContractServer } from '../support/contract-server.ts';

class ManualReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }

  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

describe('self-metrics of an exporter', () => {
  it('reach a meter provider that was set after the exporter was made', async () => {
    const server = await ContractServer.start('1.8');
    const options = { url: server.url, bucket: 'usage', spool: false as const };
    const exporter = new LineExporter('usage', resolveInfluxOptions('test', options));
    exporter.write('m v=1i 1');
    await exporter.flush();
    const reader = new ManualReader();
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));
    exporter.write('m v=2i 2');
    exporter.write('m v=oops 3');
    await exporter.flush();
    const { resourceMetrics } = await reader.collect();
    const told = Object.fromEntries(
      resourceMetrics.scopeMetrics.flatMap(({ metrics: all }) =>
        all.flatMap(({ descriptor, dataPoints }) =>
          dataPoints.map(({ attributes, value }) => [
            [descriptor.name, attributes['token_meter.exporter'], attributes['reason']].join(' '),
            typeof value === 'number' ? value : value.count > 0,
          ]),
        ),
      ),
    );
    assert.deepEqual(told, {
      'token_meter.exporter.accepted usage ': 3,
      'token_meter.exporter.delivered usage ': 2,
      'token_meter.exporter.dropped usage refused': 1,
      'token_meter.exporter.retries usage ': 0,
      'token_meter.exporter.spool_bytes usage ': 0,
      'token_meter.exporter.oldest_age usage ': 0,
      'token_meter.exporter.latency usage ': true,
    });
    metrics.disable();
    await exporter.shutdown();
    await server.stop();
  });
});
