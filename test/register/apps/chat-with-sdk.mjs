// An application with an SDK of its own, started after the preload.
import { logs, metrics, trace } from '@opentelemetry/api';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';

class OnDemandReader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}
const spans = new InMemorySpanExporter();
const events = new InMemoryLogRecordExporter();
const reader = new OnDemandReader();
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
);
logs.setGlobalLoggerProvider(
  new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: events })] }),
);
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }));

await import('./chat.mjs');
// The record follows the reply, on a busy machine much later.
for (let i = 0; i < 400 && events.getFinishedLogRecords().length === 0; i++) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const { resourceMetrics } = await reader.collect();
console.log(
  JSON.stringify({
    spans: spans.getFinishedSpans().map(({ name }) => name),
    events: events.getFinishedLogRecords().map(({ eventName }) => eventName),
    metrics: resourceMetrics.scopeMetrics
      .flatMap((scope) => scope.metrics)
      .map(({ descriptor }) => descriptor.name)
      .toSorted(),
  }),
);
