export { TokenMeterError } from '../src/errors.ts';
export { readAlertRules } from './alerts/alert-file.ts';
export type {
  AlertGroup,
  AlertKind,
  AlertLevel,
  AlertMetric,
  AlertRule,
  ForecastRule,
  SpikeRule,
  ThresholdRule,
} from './alerts/alert-rule.ts';
export { UsageAlerts } from './alerts/usage-alerts.ts';
export type { AlertReceiver, UsageAlertsOptions } from './alerts/usage-alerts-options.ts';
export type {
  ActiveAlert,
  AlertBudgetStatus,
  AlertRuleStatus,
  UsageAlertsStatus,
} from './alerts/alerts-status.ts';
export type { ReachedBudgetShare } from './alerts/budget-alerts.ts';
export type { AlertActor } from './alerts/alert-actions.ts';
export type { AlertHistoryEntry } from './alerts/alert-history.ts';
export type { AlertAcknowledgement, AlertMute } from './alerts/alert-state.ts';
export type { UsageAlert } from './alerts/usage-alert.ts';
export { FileAlertStates } from './alerts/state-file.ts';
export { MemoryAlertStates } from './alerts/state-store.ts';
export type { AlertStateChange, AlertStateStore } from './alerts/state-store.ts';
export { AlertWebhook } from './alerts/channels/webhook.ts';
export type { AlertWebhookOptions } from './alerts/channels/webhook.ts';
export { AlertSlack } from './alerts/channels/slack.ts';
export type { AlertSlackOptions } from './alerts/channels/slack.ts';
export { AlertTeams } from './alerts/channels/teams.ts';
export type { AlertTeamsOptions } from './alerts/channels/teams.ts';
export { AlertPagerDuty } from './alerts/channels/pagerduty.ts';
export type { AlertPagerDutyOptions } from './alerts/channels/pagerduty.ts';
export { AlertEmail } from './alerts/channels/email.ts';
export type { AlertEmailOptions } from './alerts/channels/email.ts';
export { AlertChannel } from './alerts/channels/alert-channel.ts';
export type {
  AlertChannelStatus,
  AlertDeliveryOptions,
  AttemptDelivery,
  DeliveryAttempt,
} from './alerts/channels/alert-channel.ts';
export { alertMessage } from './alerts/message/alert-message.ts';
export type { AlertMessage, AlertMessageOptions } from './alerts/message/alert-message.ts';
export type { AlertLanguage } from './alerts/message/message-texts.ts';
export { forecastUsage } from './ledger/forecast/usage-forecast.ts';
export type { UsageForecast, UsageForecastQuery } from './ledger/forecast/usage-forecast.ts';
export type { ForecastMetric, MetricForecast } from './ledger/forecast/month-forecast.ts';
export { CSV_BYTE_ORDER_MARK, csvLine } from './ledger/queries/csv.ts';
export { usageJson } from './ledger/queries/usage-json.ts';
export { parseUsageTime } from './ledger/queries/usage-time.ts';
export { ClickHouseUsageProcessor } from './clickhouse/write/clickhouse-usage-processor.ts';
export { ClickHouseUsageReader } from './clickhouse/read/clickhouse-usage-reader.ts';
export type { ClickHouseAccess, ClickHouseOptions } from './clickhouse/clickhouse-options.ts';
export { clickHouseBacklogs } from './clickhouse/write/clickhouse-backlogs.ts';
export { eraseClickHouseUser } from './clickhouse/erase/clickhouse-erase.ts';
export type { ClickHouseEraseOptions } from './clickhouse/erase/clickhouse-erase.ts';
export { repriceClickHouseLedger } from './clickhouse/reprice/clickhouse-reprice.ts';
export type { ClickHouseRepriceOptions } from './clickhouse/reprice/clickhouse-reprice.ts';
export { clickHouseLedger } from './clickhouse/ledger-facts.ts';
export { influxLedgerSize } from './influxdb/ledger-size.ts';
export { sqliteLedgerSize } from './sqlite/ledger-size.ts';
export type { ClickHouseLedgerFacts } from './clickhouse/ledger-facts.ts';
export { setUpClickHouse } from './clickhouse/schema/set-up.ts';
export type { ClickHouseSetUpOptions } from './clickhouse/schema/set-up.ts';
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
export type { InfluxLedgerSize } from './influxdb/ledger-size.ts';
export type { SqliteLedgerSize } from './sqlite/ledger-size.ts';
export type { ClickHouseUsageReaderOptions } from './clickhouse/read/clickhouse-usage-reader.ts';
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
export { usageRun } from './ledger/run/read-usage-run.ts';
export type { UsageRun, UsageRunModel, UsageRunStep } from './ledger/run/usage-run.ts';
export { usageReaderOfTeams } from './ledger/team-reader.ts';
export { isDimensionKey } from './ledger/queries/dimension-key.ts';
export { withUnits } from './ledger/queries/with-units.ts';
export type { UsageUnit } from '../src/domain/billed-usage.ts';
export { usageRecordFromLog } from './ledger/usage-event.ts';
export type { UsageLogProcessor, UsageLogRecord } from './ledger/usage-event.ts';
export type {
  DimensionKey,
  UsageConversation,
  UsageFilter,
  UsageGroup,
  UsageKey,
  UsageMetric,
  UsageNumbers,
  UsagePage,
  UsageQuery,
  UsageRange,
  UsageReader,
  UsageRecordsQuery,
  UsageRow,
  UsageSummary,
  UsageTotal,
} from './ledger/usage-query.ts';
