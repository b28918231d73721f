// The same in CommonJS: its copy of the OpenTelemetry API is another one than ours.
const { logs, metrics, trace } = require('@opentelemetry/api');
const {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} = require('@opentelemetry/sdk-logs');
const { MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics');
const {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} = require('@opentelemetry/sdk-trace');

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

require('./chat.cjs');
async function report() {
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
}
void report();
