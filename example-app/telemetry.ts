import { diag } from '@opentelemetry/api';
import type { LogRecordProcessor } from '@opentelemetry/sdk-logs';
import { ConsoleLogRecordExporter, SimpleLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { NodeSDK, type NodeSDKConfiguration } from '@opentelemetry/sdk-node';
import { TokenMeterInstrumentation } from 'otel-token-meter';
import { RedisBudgetStore } from 'otel-token-meter/budgets';
import type { TokenMeterConfig } from 'otel-token-meter/config';
import {
  usageStore,
  type ExporterStatus,
  type StoreBacklog,
  type UsageReader,
  type UsageStore,
} from 'otel-token-meter/exporter';
import { type IngestLedger, OtlpIngest } from 'otel-token-meter/ingest';
import { Backlogs } from './backlogs.ts';

export interface AppTelemetry {
  readonly instrumentation: TokenMeterInstrumentation;
  /** `undefined` when the application has no ledger. */
  readonly reader: UsageReader | undefined;
  /** Takes calls that other services report; `undefined` without a ledger. */
  readonly ingest: OtlpIngest | undefined;
  readonly ledger: {
    readonly kind: TokenMeterConfig['metrics']['provider'];
    readonly where: string;
  };
  status(): ExporterStatus | undefined;
  backlogs(): readonly StoreBacklog[];
  /** Flushes and closes everything. Never rejects. */
  shutdown(): Promise<void>;
}

interface Ledger {
  readonly processors: readonly LogRecordProcessor[];
  readonly processor?: IngestLedger;
  readonly metricReaders: readonly PeriodicExportingMetricReader[];
  readonly reader: UsageReader | undefined;
  readonly where: string;
  readonly status: () => ExporterStatus | undefined;
  readonly backlogs: () => readonly StoreBacklog[];
}

/**
 * Starts OpenTelemetry with the instrumentation and the configured ledger. Must be called before
 * the LLM SDKs are imported.
 */
export function startTelemetry(
  config: TokenMeterConfig,
  env: Readonly<Record<string, string | undefined>> = process.env,
): AppTelemetry {
  const ledger = ledgerOf(config);
  const { counting, metricNames, metricAttributes, captureContent } = config;
  const { pricesFile, userIdHashKey } = config;
  const ingest =
    ledger.processor &&
    new OtlpIngest({
      ledger: ledger.processor,
      switches: (calls) => instrumentation.settingsFor(calls),
      pricesFile,
      listFile: config.prices.listFile,
      dimensions: config.dimensions,
      userIdHashKey,
    });
  const instrumentation = new TokenMeterInstrumentation({
    enabled: config.metrics.enabled,
    tokenStatistics: config.metrics.tokenStatistics,
    counting,
    metricNames,
    metricAttributes,
    captureContent,
    ...(pricesFile !== undefined && { pricesFile }),
    ...(userIdHashKey !== undefined && { userIdHashKey }),
    ...(ingest && { onUsage: (record) => ingest.saw(record) }),
    budgets: config.budgets,
    ...(config.settings.store === 'redis' && {
      budgetStore: new RedisBudgetStore(config.settings.redis),
    }),
  });
  const sdk = new NodeSDK({
    instrumentations: [instrumentation],
    ...standardSignals(config, env, ledger),
    ...(env['OTEL_SERVICE_NAME'] === undefined && { serviceName: 'token-meter-example' }),
  });
  sdk.start();
  return {
    instrumentation,
    reader: ledger.reader,
    ingest,
    ledger: { kind: config.metrics.provider, where: ledger.where },
    status: ledger.status,
    backlogs: ledger.backlogs,
    async shutdown() {
      await sdk.shutdown().catch((error: unknown) => diag.error(`shutdown: ${String(error)}`));
      await ledger.reader?.close();
    },
  };
}

/**
 * The SDK handles the standard variables. Without them nothing is exported, because the SDK's
 * default is an OTLP endpoint that a fresh machine does not have.
 */
function standardSignals(
  config: TokenMeterConfig,
  env: Readonly<Record<string, string | undefined>>,
  ledger: Ledger,
): Partial<NodeSDKConfiguration> {
  const otlp =
    config.metrics.provider === 'otlp' || env['OTEL_EXPORTER_OTLP_ENDPOINT'] !== undefined;
  return {
    ...(otlp || env['OTEL_TRACES_EXPORTER'] !== undefined ? {} : { spanProcessors: [] }),
    ...(otlp || env['OTEL_METRICS_EXPORTER'] !== undefined
      ? {}
      : { metricReaders: [...ledger.metricReaders] }),
    ...(config.metrics.provider === 'otlp' ? {} : { logRecordProcessors: [...ledger.processors] }),
  };
}

function ledgerOf({ metrics: config }: TokenMeterConfig): Ledger {
  const nothing = {
    processors: [],
    metricReaders: [],
    reader: undefined,
    status: () => undefined,
    backlogs: () => [],
  };
  const store = usageStore(config.provider, config);
  if (store !== undefined) return storeLedger(store, config);
  switch (config.provider) {
    case 'console':
      return {
        ...nothing,
        processors: [new SimpleLogRecordProcessor({ exporter: new ConsoleLogRecordExporter() })],
        where: 'the console',
      };
    case 'otlp':
      return { ...nothing, where: 'OTLP, as OTEL_EXPORTER_OTLP_* say' };
    default:
      return { ...nothing, where: 'nowhere' };
  }
}

function storeLedger(store: UsageStore, { influxdb }: TokenMeterConfig['metrics']): Ledger {
  const processor = store.processor();
  const backlogs = new Backlogs(store);
  const metricExporter = store.metricExporter?.();
  const metricReaders =
    metricExporter === undefined
      ? []
      : [
          new PeriodicExportingMetricReader({
            exporter: metricExporter,
            exportIntervalMillis: influxdb.flushIntervalMs,
            exportTimeoutMillis: influxdb.flushIntervalMs,
          }),
        ];
  return {
    processors: [processor],
    processor,
    metricReaders,
    reader: store.reader(),
    where: store.where,
    status: () => processor.status(),
    backlogs: () => backlogs.last,
  };
}
