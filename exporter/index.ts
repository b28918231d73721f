export { TokenMeterError } from '../src/errors.ts';
export { readAlertRules } from './alerts/alert-file.ts';
export type { AlertLevel, AlertMetric, AlertRule } from './alerts/alert-rule.ts';
export { UsageAlerts } from './alerts/usage-alerts.ts';
export type { UsageAlert, UsageAlertsOptions, UsageAlertsStatus } from './alerts/usage-alerts.ts';
export { AlertWebhook } from './alerts/webhook.ts';
export type { AlertWebhookOptions, AlertWebhookStatus } from './alerts/webhook.ts';
export { CSV_BYTE_ORDER_MARK, csvLine } from './queries/csv.ts';
export { usageJson } from './queries/usage-json.ts';
export { parseUsageTime } from './queries/usage-time.ts';
export { InfluxMetricExporter } from './metric-exporter.ts';
export { InfluxUsageProcessor } from './usage-processor.ts';
export { repriceInfluxLedger } from './influxdb/reprice.ts';
export type { InfluxRepriceOptions } from './influxdb/reprice.ts';
export { InfluxUsageReader } from './influxdb/usage-reader.ts';
export type { InfluxUsageReaderOptions } from './influxdb/usage-reader.ts';
export type { InfluxOptions, InfluxVersion, SpoolOptions } from './influxdb/influx-options.ts';
export { SqliteUsageProcessor } from './sqlite/usage-processor.ts';
export type { SqliteUsageProcessorOptions } from './sqlite/usage-processor.ts';
export type { ExporterError, ExporterState, ExporterStatus } from './status.ts';
export { repriceLedger } from './sqlite/reprice.ts';
export type { SqliteRepriceOptions } from './sqlite/reprice.ts';
export type { RepriceOptions, RepriceResult } from './reprice.ts';
export { SqliteUsageReader } from './sqlite/usage-reader.ts';
export type { SqliteUsageReaderOptions } from './sqlite/usage-reader.ts';
export { usageRecordFromLog } from './usage-event.ts';
export type { UsageLogProcessor, UsageLogRecord } from './usage-event.ts';
export type {
  UsageConversation,
  UsageFilter,
  UsageGroup,
  UsageKey,
  UsageMetric,
  UsageNumbers,
  UsagePage,
  UsageQuery,
  UsageReader,
  UsageRecordsQuery,
  UsageRow,
  UsageSummary,
  UsageTotal,
} from './usage-reader.ts';
