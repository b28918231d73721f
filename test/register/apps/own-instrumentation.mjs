// An application with a diag logger, an SDK and an instrumentation of its own, all beside the preload.
import { diag, trace } from '@opentelemetry/api';
import { logs } from '@opentelemetry/api';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const warned = [];
const keep = (...message) => void warned.push(message);
diag.setLogger({ error: keep, warn: keep, info: keep, debug: keep, verbose: keep });
const client = new OpenAI({ maxRetries: 0 });
const ask = (user) =>
  client.chat.completions.create({
    model: 'gpt-4o',
    messages: [{ role: 'user', content: 'How often does the tide come in?' }],
    user,
  });

const spans = new InMemorySpanExporter();
const events = new InMemoryLogRecordExporter();
trace.setGlobalTracerProvider(
  new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
);
logs.setGlobalLoggerProvider(
  new LoggerProvider({ processors: [new SimpleLogRecordProcessor({ exporter: events })] }),
);
const own = [];
const instrumentation = new TokenMeterInstrumentation({
  userIdHashKey: 'key',
  onUsage: (record) => own.push(record),
});
await ask('both');
instrumentation.applySettings({ tokenStatistics: false });
await ask('bare');
instrumentation.disable();
await ask('after');
await flush();
diag.warn('probe');
console.log(
  JSON.stringify({
    own,
    spans: spans.getFinishedSpans().length,
    events: events.getFinishedLogRecords().length,
    diag: warned.some(([message]) => message === 'probe'),
  }),
);
