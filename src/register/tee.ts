import type {
  Counter,
  Histogram,
  Meter,
  MeterProvider,
  MetricAttributes,
  MetricOptions,
  Tracer,
  TracerProvider,
} from '@opentelemetry/api';
import type { LoggerProvider, LogRecord } from '@opentelemetry/api-logs';
import type { CurrentTelemetry } from '../otel/telemetry.ts';

/** Asks for the tracer at each span. */
export function tracersFrom(current: () => Tracer): TracerProvider {
  const tracer: Tracer = {
    startSpan: (...args) => current().startSpan(...args),
    startActiveSpan: ((...args: Parameters<Tracer['startActiveSpan']>) =>
      current().startActiveSpan(...args)) as Tracer['startActiveSpan'],
  };
  return { getTracer: () => tracer };
}

/** Where log records go besides the globally registered providers. */
export interface LogTarget {
  emit(record: LogRecord): void;
}

export function teeLoggers(
  global: CurrentTelemetry,
  target: LogTarget,
): LoggerProvider & { forceFlush(): Promise<void> } {
  return {
    getLogger: () => ({
      enabled: () => true,
      emit: (record) => {
        global.logger().emit(record);
        target.emit(record);
      },
    }),
    forceFlush: () => global.flush(),
  };
}

/** Records on every meter: on those of the moment, since a provider may come later. */
export function teeMeters(meters: readonly (() => Meter)[]): MeterProvider {
  return {
    getMeter: () =>
      ({
        createCounter: (name: string, options?: MetricOptions) =>
          ({
            add: tee(meters, (meter) => {
              const counter = meter.createCounter(name, options);
              return (value, attributes) => counter.add(value, attributes);
            }),
          }) satisfies Counter,
        createHistogram: (name: string, options?: MetricOptions) =>
          ({
            record: tee(meters, (meter) => {
              const histogram = meter.createHistogram(name, options);
              return (value, attributes) => histogram.record(value, attributes);
            }),
          }) satisfies Histogram,
        // The two kinds of instrument that usage is recorded on.
      }) as unknown as Meter,
  };
}

type Record = (value: number, attributes?: MetricAttributes) => void;

function tee(meters: readonly (() => Meter)[], instrumentOf: (meter: Meter) => Record): Record {
  const instruments = new WeakMap<Meter, Record>();
  return (value, attributes) => {
    for (const current of meters) {
      const meter = current();
      let record = instruments.get(meter);
      if (record === undefined) instruments.set(meter, (record = instrumentOf(meter)));
      record(value, attributes);
    }
  };
}
