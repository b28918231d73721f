import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { LogRecord } from '@opentelemetry/api-logs';
import type * as SdkMetrics from '@opentelemetry/sdk-metrics';
import type * as Exporter from 'otel-token-meter/exporter';
import { isStore, type MetricsConfig } from '../config/index.ts';
import { warnHost } from '../host/host-warning.ts';
import { packageVersion } from '../host/package-version.ts';
import { requireHere } from '../host/require-here.ts';
import type { ResourceLike } from '../otel/resolved-resource.ts';
import { SCOPE, type Destination } from '../otel/telemetry.ts';

/** Where our own configuration sends usage, without any SDK in between. */
export interface ConfiguredDestination extends Destination {
  flush(): Promise<void>;
  status(): Exporter.ExporterStatus | undefined;
}

type Processor = Exporter.UsageLogProcessor & { status(): Exporter.ExporterStatus };

const NOWHERE: ConfiguredDestination = {
  meters: [],
  logger: { emit: () => undefined, enabled: () => false },
  flush: () => Promise.resolve(),
  status: () => undefined,
};

/** Never throws: a destination that cannot be created is reported, and the application goes on. */
export function loadDestination(
  config: MetricsConfig,
  resource: Readonly<Record<string, string>>,
): ConfiguredDestination {
  if (!isStore(config.provider)) return NOWHERE;
  try {
    // Synchronously, so that the first call finds everything in place.
    const exporter = requireHere()('otel-token-meter/exporter') as typeof Exporter;
    const store = exporter.usageStore(config.provider, config);
    if (store === undefined) return NOWHERE;
    return destination(store.processor(), resource, meterProvider(store, resource));
  } catch (error) {
    warnHost(
      'TOKEN_METER_EXPORTER',
      `${config.provider} cannot be used: ${String((error as Error).message)}`,
    );
    return NOWHERE;
  }
}

function destination(
  processor: Processor,
  resource: Readonly<Record<string, string>>,
  meters: SdkMetrics.MeterProvider | undefined,
): ConfiguredDestination {
  const meter = meters?.getMeter(SCOPE, packageVersion());
  return {
    meters: meter === undefined ? [] : [meter],
    logger: {
      enabled: () => true,
      emit: (record) => processor.onEmit(asEmitted(record, resource)),
    },
    async flush() {
      await Promise.allSettled([processor.forceFlush(), meters?.forceFlush()]);
    },
    status: () => processor.status(),
  };
}

/** The log record as the SDK would hand it to a processor. */
function asEmitted(
  record: LogRecord,
  resource: Readonly<Record<string, string>>,
): Exporter.UsageLogRecord {
  const span = trace.getSpan(record.context ?? ROOT_CONTEXT);
  const { resource: ofSpan } = (span ?? {}) as { readonly resource?: ResourceLike };
  const spanContext = span?.spanContext();
  return {
    hrTime: record.timestamp as [number, number],
    eventName: record.eventName,
    attributes: record.attributes ?? {},
    resource: ofSpan ?? { attributes: resource },
    ...(spanContext !== undefined && trace.isSpanContextValid(spanContext) && { spanContext }),
  };
}

/** The metrics lane needs the metrics SDK; the ledger does not. */
function meterProvider(
  store: Exporter.UsageStore,
  resource: Readonly<Record<string, string>>,
): SdkMetrics.MeterProvider | undefined {
  if (store.metricExporter === undefined) return undefined;
  let sdk: typeof SdkMetrics;
  try {
    sdk = requireHere()('@opentelemetry/sdk-metrics') as typeof SdkMetrics;
  } catch {
    return undefined;
  }
  const interval = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  return new sdk.MeterProvider({
    resource: plainResource(resource),
    readers: [
      new sdk.PeriodicExportingMetricReader({
        exporter: store.metricExporter(),
        ...(interval > 0 && { exportIntervalMillis: interval }),
      }),
    ],
  });
}

/** All that exporters read of a resource; `@opentelemetry/resources` is no dependency of ours. */
function plainResource(
  attributes: Readonly<Record<string, string>>,
): NonNullable<SdkMetrics.MeterProviderOptions['resource']> {
  const resource = {
    attributes,
    merge: () => resource,
    getRawAttributes: () => Object.entries(attributes),
  };
  return resource;
}
