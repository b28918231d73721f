import type { Logger } from '@opentelemetry/api-logs';
import { stepsText } from '../../domain/agent-step.ts';
import type { EndedCall } from '../../domain/ended-call.ts';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  ATTR_DIMENSION_PREFIX,
  EVENT_INFERENCE_DETAILS,
  type SemconvGeneration,
} from '../../otel/semconv.ts';
import type { UsageAttributeValue, UsageRecord } from '../../domain/usage-record.ts';
import { emitLogEvent, isListenedTo, type EventAttributes } from './log-event.ts';

/** One log event a record: what exporters make durable. */
export function emitEvent(
  logger: Logger,
  record: UsageRecord,
  { facts, span }: EndedCall,
  generations: readonly SemconvGeneration[],
): void {
  if (!isListenedTo(logger)) return;
  emitLogEvent(logger, record, span, {
    eventName: EVENT_INFERENCE_DETAILS,
    // New in 0.1.0 of the conventions.
    severity: generations.includes('latest') ? 'DEBUG' : 'INFO',
    attributes: eventAttributes(record, generations, facts.stream === true),
  });
}

/** The attributes of the event, as exporters read them. */
export function eventAttributes(
  record: UsageRecord,
  generations: readonly SemconvGeneration[],
  stream: boolean,
): EventAttributes {
  const attributes: EventAttributes = { ...record.attributes };
  set(attributes, ATTR.recordId, record.id);
  set(attributes, ATTR.operationName, record.operation);
  set(attributes, ATTR.providerName, record.provider);
  set(attributes, ATTR.requestModel, record.requestModel);
  set(attributes, ATTR.requestStream, stream ? true : undefined);
  set(attributes, ATTR.responseModel, record.responseModel);
  set(attributes, ATTR.responseId, record.responseId);
  set(attributes, ATTR.userId, record.userId);
  set(attributes, ATTR.conversationId, record.conversationId);
  set(attributes, ATTR.team, record.team);
  for (const name in record.dimensions) {
    set(attributes, ATTR_DIMENSION_PREFIX + name, record.dimensions[name]);
  }
  set(attributes, ATTR.agentName, record.agentName);
  set(attributes, ATTR.runId, record.runId);
  set(attributes, ATTR.toolName, record.toolName);
  set(attributes, ATTR.steps, record.steps && stepsText(record.steps));
  set(attributes, ATTR.durationMs, record.durationMs);
  set(attributes, ATTR.timeToFirstChunk, seconds(record.timeToFirstChunkMs));
  set(attributes, ATTR.inputTokens, record.inputTokens);
  set(attributes, ATTR.outputTokens, record.outputTokens);
  set(attributes, ATTR.cacheReadTokens, record.cacheReadTokens);
  set(attributes, ATTR.reasoningTokens, record.reasoningTokens);
  set(attributes, ATTR.tokenSource, record.tokenSource);
  set(attributes, ATTR.outcome, record.outcome);
  set(attributes, ATTR.errorType, record.errorType);
  set(attributes, ATTR.costUsd, record.costUsd);
  set(attributes, ATTR.costSource, record.costSource);
  set(attributes, ATTR.costMissing, record.costMissing?.join(' '));
  set(attributes, ATTR.serviceTier, record.serviceTier);
  if (record.cacheWriteTokens !== undefined) {
    for (const generation of generations) {
      attributes[ATTR_CACHE_WRITE_TOKENS[generation]] = record.cacheWriteTokens;
    }
  }
  return attributes;
}

/** A name of ours is never the caller's, not even where there is nothing to say. */
function set(
  attributes: EventAttributes,
  key: string,
  value: UsageAttributeValue | undefined,
): void {
  if (value !== undefined) attributes[key] = value;
  else if (key in attributes) delete attributes[key];
}

function seconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
