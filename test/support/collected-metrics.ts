import { ValueType, type Attributes } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  DataPointType,
  type ResourceMetrics,
} from '@opentelemetry/sdk-metrics';

/** One collection with one integer counter, as a reader passes it to an exporter. */
export function collectedMetrics(
  name: string,
  points: readonly (readonly [Attributes, number])[],
): ResourceMetrics {
  const endTime: [number, number] = [Math.floor(Date.now() / 1000), 0];
  return {
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    scopeMetrics: [
      {
        scope: { name: 'test' },
        metrics: [
          {
            descriptor: { name, description: '', unit: '', valueType: ValueType.INT },
            aggregationTemporality: AggregationTemporality.DELTA,
            dataPointType: DataPointType.SUM,
            isMonotonic: true,
            dataPoints: points.map(([attributes, value]) => ({
              attributes,
              value,
              startTime: endTime,
              endTime,
            })),
          },
        ],
      },
    ],
  };
}
