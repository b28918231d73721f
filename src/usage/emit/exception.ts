import type { Logger } from '@opentelemetry/api-logs';
import type { EndedCall } from '../../domain/ended-call.ts';
import type { UsageRecord } from '../../domain/usage-record.ts';
import { kindOfCall } from '../../otel/instruments.ts';
import { EVENT_EXCEPTION, type SemconvGeneration } from '../../otel/semconv.ts';
import { emitLogEvent, isListenedTo } from './log-event.ts';

/**
 * One log event a call that failed or was cut, on its trace. It has the type of the exception and neither message nor
 * stack, since those may quote the prompt.
 */
export function emitException(
  logger: Logger,
  record: UsageRecord,
  { span }: EndedCall,
  generations: readonly SemconvGeneration[],
): void {
  if (!isListenedTo(logger)) return;
  const isInference = kindOfCall(record.operation) === 'inference';
  const names = generations.map((generation) =>
    generation === 'latest' && isInference ? EVENT_EXCEPTION.inference : EVENT_EXCEPTION.operation,
  );
  for (const eventName of new Set(names)) {
    emitLogEvent(logger, record, span, {
      eventName,
      severity: 'WARN',
      attributes: { 'exception.type': record.errorType ?? '_OTHER' },
    });
  }
}
