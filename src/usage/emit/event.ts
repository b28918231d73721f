import type { Context } from '@opentelemetry/api';
import { SeverityNumber, type Logger } from '@opentelemetry/api-logs';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  EVENT_INFERENCE_DETAILS,
  type SemconvGeneration,
} from '../../semconv.ts';
import { hrTimeOf } from '../record-id.ts';
import type { UsageAttributeValue, UsageRecord } from '../usage-record.ts';

type EventAttributes = Record<string, UsageAttributeValue>;

/**
 * One log event a record: what exporters make durable. `context` holds the call's span, from which the
 * log record takes trace and span id.
 */
export function emitEvent(
  logger: Logger,
  record: UsageRecord,
  generations: readonly SemconvGeneration[],
  context: Context,
  stream: boolean,
): void {
  const timestamp = hrTimeOf(record.time);
  logger.emit({
    eventName: EVENT_INFERENCE_DETAILS,
    severityNumber: SeverityNumber.INFO,
    severityText: 'INFO',
    timestamp,
    observedTimestamp: timestamp,
    attributes: eventAttributes(record, generations, stream),
    context,
  });
}

function eventAttributes(
  record: UsageRecord,
  generations: readonly SemconvGeneration[],
  stream: boolean,
): EventAttributes {
  const attributes: EventAttributes = { ...record.attributes };
  const fields: readonly (readonly [string, UsageAttributeValue | undefined])[] = [
    [ATTR.recordId, record.id],
    [ATTR.operationName, record.operation],
    [ATTR.providerName, record.provider],
    [ATTR.requestModel, record.requestModel],
    [ATTR.requestStream, stream ? true : undefined],
    [ATTR.responseModel, record.responseModel],
    [ATTR.responseId, record.responseId],
    [ATTR.userId, record.userId],
    [ATTR.conversationId, record.conversationId],
    [ATTR.durationMs, record.durationMs],
    [ATTR.timeToFirstChunk, seconds(record.timeToFirstChunkMs)],
    [ATTR.inputTokens, record.inputTokens],
    [ATTR.outputTokens, record.outputTokens],
    [ATTR.cacheReadTokens, record.cacheReadTokens],
    [ATTR.reasoningTokens, record.reasoningTokens],
    [ATTR.tokenSource, record.tokenSource],
    [ATTR.outcome, record.outcome],
    [ATTR.errorType, record.errorType],
    [ATTR.costUsd, record.costUsd],
  ];
  for (const [key, value] of fields) {
    if (value === undefined) delete attributes[key];
    else attributes[key] = value;
  }
  for (const generation of generations) {
    if (record.cacheWriteTokens === undefined) break;
    attributes[ATTR_CACHE_WRITE_TOKENS[generation]] = record.cacheWriteTokens;
  }
  return attributes;
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
