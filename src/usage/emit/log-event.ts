import { context, trace, type Span } from '@opentelemetry/api';
import { SeverityNumber, type Logger } from '@opentelemetry/api-logs';
import { hrTimeOf } from '../record-id.ts';
import type { UsageAttributeValue, UsageRecord } from '../../domain/usage-record.ts';

export type EventAttributes = Record<string, UsageAttributeValue>;

interface LogEvent {
  readonly eventName: string;
  readonly severity: 'DEBUG' | 'INFO' | 'WARN';
  readonly attributes: EventAttributes;
}

/** Whether anybody listens. Loggers of older APIs do not know. */
export function isListenedTo(logger: Logger): boolean {
  return (logger as Partial<Logger>).enabled?.() !== false;
}

/** Emits an event of a call: at its end, with the trace and span id of the call. */
export function emitLogEvent(
  logger: Logger,
  { time }: UsageRecord,
  span: Span,
  { eventName, severity, attributes }: LogEvent,
): void {
  const timestamp = hrTimeOf(time);
  logger.emit({
    eventName,
    severityNumber: SeverityNumber[severity],
    severityText: severity,
    timestamp,
    observedTimestamp: timestamp,
    attributes,
    context: trace.setSpan(context.active(), span),
  });
}
