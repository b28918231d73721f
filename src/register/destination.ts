import { ROOT_CONTEXT, trace } from '@opentelemetry/api';
import type { LogRecord } from '@opentelemetry/api-logs';
import type * as SdkMetrics from '@opentelemetry/sdk-metrics';
import type * as Exporter from 'otel-token-meter/exporter';
import { isStore, type MetricsConfig } from '../config/index.ts';
import { warnHost } from '../host/host-warning.ts';
import { LAST_ATTEMPT_MS } from '../host/last-attempt.ts';
import { packageVersion } from '../host/package-version.ts';
import { requireHere } from '../host/require-here.ts';
import type { ResourceLike } from '../otel/resolved-resource.ts';
import { registeredResource, SCOPE, type Destination } from '../otel/telemetry.ts';

/** Where our own configuration sends usage, without any SDK in between. */
export interface ConfiguredDestination extends Destination {
  flush(): Promise<void>;
  /**
   * For a process that ends by itself: sends what the exporters' own last attempt does not know of, the
   * metrics since the last interval. It takes no longer than that attempt.
   */
  end(): Promise<void>;
  status(): Exporter.ExporterStatus | undefined;
}

type Processor = Exporter.UsageLogProcessor & { status(): Exporter.ExporterStatus };

const NOWHERE: ConfiguredDestination = {
  meters: [],
  resource: { attributes: {} },
  logger: { emit: () => undefined, enabled: () => false },
  flush: () => Promise.resolve(),
  end: () => Promise.resolve(),
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
    return destination(store.processor(), resource, metricsLane(store, resource));
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
  metrics: MetricsLane | undefined,
): ConfiguredDestination {
  const meter = metrics?.provider.getMeter(SCOPE, packageVersion());
  return {
    meters: meter === undefined ? [] : [meter],
    resource: { attributes: resource },
    logger: {
      enabled: () => true,
      emit: (record) => processor.onEmit(asEmitted(record, resource)),
    },
    async flush() {
      await Promise.allSettled([processor.forceFlush(), metrics?.provider.forceFlush()]);
    },
    async end() {
      await metrics?.end();
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
    resource: registeredResource() ?? ofSpan ?? { attributes: resource },
    ...(spanContext !== undefined && trace.isSpanContextValid(spanContext) && { spanContext }),
  };
}

interface MetricsLane {
  readonly provider: SdkMetrics.MeterProvider;
  end(): Promise<void>;
}

/** The metrics lane needs the metrics SDK; the ledger does not. */
function metricsLane(
  store: Exporter.UsageStore,
  resource: Readonly<Record<string, string>>,
): MetricsLane | undefined {
  if (store.metricExporter === undefined) return undefined;
  let sdk: typeof SdkMetrics;
  try {
    sdk = requireHere()('@opentelemetry/sdk-metrics') as typeof SdkMetrics;
  } catch {
    return undefined;
  }
  const interval = Number(process.env['OTEL_METRIC_EXPORT_INTERVAL']);
  const exporter = store.metricExporter();
  const reader = new sdk.PeriodicExportingMetricReader({
    exporter,
    ...(interval > 0 && { exportIntervalMillis: interval }),
  });
  const provider = new sdk.MeterProvider({ resource: plainResource(resource), readers: [reader] });
  return {
    provider,
    async end() {
      const { resourceMetrics } = await reader.collect();
      if (resourceMetrics.scopeMetrics.length === 0) return;
      await new Promise<void>((resolve) => exporter.export(resourceMetrics, () => resolve()));
      await exporter.forceFlush(LAST_ATTEMPT_MS);
    },
  };
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
