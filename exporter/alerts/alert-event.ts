import { SeverityNumber } from '@opentelemetry/api-logs';
import { globalLoggerProvider } from '../../src/otel/telemetry.ts';
import type { UsageAlert } from './usage-alert.ts';

const EVENT_ALERT = 'token_meter.alert';
const SEVERITY = {
  ok: SeverityNumber.INFO,
  warning: SeverityNumber.WARN,
  alert: SeverityNumber.ERROR,
} as const;

/** The log event of a change of level. */
export function emitAlertEvent(alert: UsageAlert): void {
  globalLoggerProvider()
    .getLogger('otel-token-meter')
    .emit({
      eventName: EVENT_ALERT,
      severityNumber: SEVERITY[alert.level],
      timestamp: new Date(alert.time),
      attributes: {
        'token_meter.alert.id': alert.id,
        'token_meter.alert.incident': alert.incident,
        'token_meter.alert.kind': alert.kind,
        'token_meter.alert.rule': alert.rule,
        'token_meter.alert.level': alert.level,
        'token_meter.alert.previous_level': alert.previousLevel,
        'token_meter.alert.metric': alert.metric,
        'token_meter.alert.window_ms': alert.windowMs,
        'token_meter.alert.no_data': alert.noData,
        ...(alert.key !== null && { 'token_meter.alert.key': alert.key }),
        ...(alert.value !== undefined && { 'token_meter.alert.value': alert.value }),
        ...(alert.atLeast && { 'token_meter.alert.at_least': true }),
        ...(alert.threshold !== undefined && { 'token_meter.alert.threshold': alert.threshold }),
      },
    });
}
