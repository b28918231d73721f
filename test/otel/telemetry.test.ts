import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import * as api from '@opentelemetry/api';
import { logs as logsOfSdk2 } from '@opentelemetry/api-logs';
import {
  InMemoryLogRecordExporter,
  LoggerProvider,
  SimpleLogRecordProcessor,
} from '@opentelemetry/sdk-logs';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  SimpleSpanProcessor,
  TracerProvider,
} from '@opentelemetry/sdk-trace';
import { CurrentTelemetry, isSdkRegistered } from '../../src/otel/telemetry.ts';

/** The CommonJS build of the API, as an SDK in a CommonJS application registers with it. */
const commonJsApi = createRequire(import.meta.url)('@opentelemetry/api') as typeof api;

function sdk() {
  const spans = new InMemorySpanExporter();
  const events = new InMemoryLogRecordExporter();
  return {
    spans,
    events,
    tracers: new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter: spans })] }),
    loggers: new LoggerProvider({
      processors: [new SimpleLogRecordProcessor({ exporter: events })],
    }),
    meters: new MeterProvider(),
  };
}

describe('CurrentTelemetry', () => {
  afterEach(() => {
    for (const copy of [api, commonJsApi]) {
      copy.trace.disable();
      copy.metrics.disable();
      copy.logs.disable();
    }
    logsOfSdk2.disable();
  });

  it('follows an SDK that comes later, registered with either build of the API', () => {
    assert.notEqual(commonJsApi.trace, api.trace);
    for (const copy of [api, commonJsApi]) {
      const telemetry = new CurrentTelemetry('1');
      const early = telemetry.meters()[0];
      telemetry.tracer().startSpan('before').end();
      telemetry.loggers()[0]?.emit({ body: 'before' });
      assert.equal(isSdkRegistered(), false);
      const { spans, events, tracers, loggers, meters } = sdk();
      copy.trace.setGlobalTracerProvider(tracers);
      copy.logs.setGlobalLoggerProvider(loggers);
      copy.metrics.setGlobalMeterProvider(meters);
      assert.equal(isSdkRegistered(), true);
      telemetry.tracer().startSpan('after').end();
      telemetry.loggers()[0]?.emit({ body: 'after' });
      assert.deepEqual(
        spans.getFinishedSpans().map(({ name }) => name),
        ['after'],
      );
      assert.deepEqual(
        events.getFinishedLogRecords().map(({ body }) => body),
        ['after'],
      );
      assert.notEqual(telemetry.meters()[0], early);
      assert.equal(telemetry.meters()[0], telemetry.meters()[0]);
      copy.trace.disable();
      copy.logs.disable();
      copy.metrics.disable();
    }
  });

  it('finds the loggers of SDK 2.x, which are registered in a package of their own', async () => {
    const telemetry = new CurrentTelemetry('1');
    telemetry.loggers()[0]?.emit({ body: 'before' });
    const { events, loggers } = sdk();
    logsOfSdk2.setGlobalLoggerProvider(loggers);
    assert.equal(isSdkRegistered(), true);
    telemetry.loggers()[0]?.emit({ body: 'after' });
    await telemetry.flush();
    assert.equal(events.getFinishedLogRecords().length, 1);
  });

  it('takes the providers it is given, and no placeholder for one', () => {
    const telemetry = new CurrentTelemetry('1');
    const given = sdk();
    telemetry.useTracers(given.tracers);
    telemetry.useMeters(given.meters);
    telemetry.useLoggers(given.loggers);
    const meter = telemetry.meters()[0];
    const later = sdk();
    api.metrics.setGlobalMeterProvider(later.meters);
    telemetry.loggers()[0]?.emit({ body: 'given' });
    telemetry.tracer().startSpan('given').end();
    assert.equal(telemetry.meters()[0], meter);
    assert.equal(given.events.getFinishedLogRecords().length, 1);
    assert.equal(given.spans.getFinishedSpans().length, 1);

    // What registerInstrumentations() hands over before an SDK stands.
    telemetry.useTracers(new api.ProxyTracerProvider());
    telemetry.useMeters({ getMeter: api.createNoopMeter });
    telemetry.useLoggers(logsOfSdk2.getLoggerProvider());
    assert.notEqual(telemetry.meters()[0], meter);
    assert.equal(telemetry.meters()[0], telemetry.meters()[0]);
    assert.notEqual(telemetry.meters()[0], api.createNoopMeter());
  });
});
