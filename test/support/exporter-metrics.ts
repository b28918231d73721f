import type { MetricReader } from '@opentelemetry/sdk-metrics';

/**
 * Metrics `token_meter.exporter.*` by name, exporter and reason; `true` for a histogram with
 * values.
 */
export async function exporterMetrics(reader: MetricReader): Promise<Record<string, unknown>> {
  const { resourceMetrics } = await reader.collect();
  return Object.fromEntries(
    resourceMetrics.scopeMetrics.flatMap(({ metrics }) =>
      metrics.flatMap(({ descriptor, dataPoints }) =>
        dataPoints.map(({ attributes, value }) => [
          [
            descriptor.name.replace('token_meter.exporter.', ''),
            attributes['token_meter.exporter'],
            attributes['reason'],
          ]
            .filter(Boolean)
            .join(' '),
          typeof value === 'number' ? value : value.count > 0,
        ]),
      ),
    ),
  );
}
