import { context, logs, metrics, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
  type ReadableLogRecord,
} from '@opentelemetry/sdk-logs';
import { MeterProvider, MetricReader, type MetricData } from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
  type ReadableSpan,
} from '@opentelemetry/sdk-trace';

/** Collects on demand. */
export class OnDemandReader extends MetricReader {
  protected override onForceFlush(): Promise<void> {
    return Promise.resolve();
  }
  protected override onShutdown(): Promise<void> {
    return Promise.resolve();
  }
}

/** Globally registered OpenTelemetry providers that keep everything in memory. */
export interface TestTelemetry {
  readonly spans: () => readonly ReadableSpan[];
  readonly events: () => readonly ReadableLogRecord[];
  readonly metrics: () => Promise<readonly MetricData[]>;
  reset(): void;
  close(): Promise<void>;
}

export function startTelemetry(): TestTelemetry {
  const resource = resourceFromAttributes({ 'service.name': 'test-service' });
  const spanExporter = new InMemorySpanExporter();
  const logExporter = new InMemoryLogRecordExporter();
  const reader = new OnDemandReader();
  const tracers = new TracerProvider({
    resource,
    spanProcessors: [new SimpleSpanProcessor({ exporter: spanExporter })],
  });
  const loggers = new LoggerProvider({
    resource,
    processors: [new SimpleLogRecordProcessor({ exporter: logExporter })],
  });
  const meters = new MeterProvider({ resource, readers: [reader] });
  const contexts = new AsyncLocalStorageContextManager();
  contexts.enable();
  context.setGlobalContextManager(contexts);
  trace.setGlobalTracerProvider(tracers);
  logs.setGlobalLoggerProvider(loggers);
  metrics.setGlobalMeterProvider(meters);
  return {
    spans: () => spanExporter.getFinishedSpans(),
    events: () => logExporter.getFinishedLogRecords(),
    async metrics() {
      const { resourceMetrics } = await reader.collect();
      return resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics);
    },
    reset() {
      spanExporter.reset();
      logExporter.reset();
    },
    async close() {
      context.disable();
      trace.disable();
      logs.disable();
      metrics.disable();
      await Promise.all([tracers.shutdown(), loggers.shutdown(), meters.shutdown()]);
    },
  };
}
