export { TokenMeterError } from '../src/errors.ts';
export { readAlertRules } from './alerts/alert-file.ts';
export type { AlertLevel, AlertMetric, AlertRule } from './alerts/alert-rule.ts';
export { UsageAlerts } from './alerts/usage-alerts.ts';
export type { UsageAlertsOptions, UsageAlertsStatus } from './alerts/usage-alerts.ts';
export type { UsageAlert } from './alerts/usage-alert.ts';
export { FileAlertStates } from './alerts/state-file.ts';
export { MemoryAlertStates } from './alerts/state-store.ts';
export type { AlertStateChange, AlertStateStore } from './alerts/state-store.ts';
export { AlertWebhook } from './alerts/webhook.ts';
export type { AlertWebhookOptions, AlertWebhookStatus } from './alerts/webhook.ts';
export { forecastUsage } from './ledger/forecast/usage-forecast.ts';
export type { UsageForecast, UsageForecastQuery } from './ledger/forecast/usage-forecast.ts';
export type { ForecastMetric, MetricForecast } from './ledger/forecast/month-forecast.ts';
export { CSV_BYTE_ORDER_MARK, csvLine } from './ledger/queries/csv.ts';
export { usageJson } from './ledger/queries/usage-json.ts';
export { parseUsageTime } from './ledger/queries/usage-time.ts';
export { InfluxMetricExporter } from './influxdb/write/influx-metric-exporter.ts';
export { InfluxUsageProcessor } from './influxdb/write/influx-usage-processor.ts';
export { influxClient } from './influxdb/influx-client.ts';
export { eraseInfluxUser } from './influxdb/erase/influx-erase.ts';
export type { InfluxEraseOptions } from './influxdb/erase/influx-erase.ts';
export type { EraseOptions, EraseResult } from './ledger/erase.ts';
export { repriceInfluxLedger } from './influxdb/reprice/influx-reprice.ts';
export type { InfluxRepriceOptions } from './influxdb/reprice/influx-reprice.ts';
export { rollUpInfluxLedger } from './influxdb/rollup/influx-roll-up.ts';
export type { InfluxRollUpOptions } from './influxdb/rollup/influx-roll-up.ts';
export type { RollUpOptions, RollUpProgress, RollUpResult } from './ledger/roll-up-run.ts';
export { InfluxUsageReader } from './influxdb/read/influx-usage-reader.ts';
export { influxBacklogs } from './influxdb/write/influx-backlogs.ts';
export type { StoreBacklog } from './delivery/store-backlogs.ts';
export type { ConnectionOptions, TlsOptions } from './connection/connection.ts';
export type { InfluxUsageReaderOptions } from './influxdb/read/influx-usage-reader.ts';
export type { InfluxOptions, InfluxVersion } from './influxdb/influx-options.ts';
export type { SpoolOptions } from './delivery/spool-options.ts';
export { SqliteUsageProcessor } from './sqlite/write/sqlite-usage-processor.ts';
export type { SqliteUsageProcessorOptions } from './sqlite/write/sqlite-usage-processor.ts';
export type { ExporterError, ExporterState, ExporterStatus } from './health/status.ts';
export { backupLedger } from './sqlite/write/ledger-backup.ts';
export type { LedgerBackupOptions, LedgerBackupResult } from './sqlite/write/ledger-backup.ts';
export { eraseLedgerUser } from './sqlite/write/erase-user.ts';
export type { SqliteEraseOptions } from './sqlite/write/erase-user.ts';
export { rollUpLedger } from './sqlite/write/sqlite-roll-up.ts';
export type { SqliteRollUpOptions } from './sqlite/write/sqlite-roll-up.ts';
export { repriceLedger } from './sqlite/write/sqlite-reprice.ts';
export type { SqliteRepriceOptions } from './sqlite/write/sqlite-reprice.ts';
export type { RepricedCost, RepriceOptions, RepriceResult } from './ledger/reprice-tally.ts';
export { usageStore } from './stores.ts';
export type { StoreConfigs, UsageStore } from './stores.ts';
export { SqliteUsageReader } from './sqlite/read/sqlite-usage-reader.ts';
export type { SqliteUsageReaderOptions } from './sqlite/read/sqlite-usage-reader.ts';
export { usageRecordFromLog } from './ledger/usage-event.ts';
export type { UsageLogProcessor, UsageLogRecord } from './ledger/usage-event.ts';
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
} from './ledger/usage-query.ts';
