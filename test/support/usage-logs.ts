import { stepsText } from '../../src/domain/agent-step.ts';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  ATTR_DIMENSION_PREFIX,
  EVENT_INFERENCE_DETAILS,
} from '../../src/otel/semconv.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import type { UsageLogRecord } from '../../exporter/ledger/usage-event.ts';

let sequence = 0;

/** A usage record at a given time, with unique id and nanoseconds. */
export function usageRecord(at: string | number, over: Partial<UsageRecord> = {}): UsageRecord {
  sequence++;
  const milliseconds = new Date(at).toISOString().slice(0, -1);
  return {
    id: `record-${String(sequence).padStart(8, '0')}`,
    time: `${milliseconds}${String(sequence % 1_000_000).padStart(6, '0')}Z`,
    service: 'chat-service',
    operation: 'chat',
    provider: 'openai',
    requestModel: 'gpt-4o',
    durationMs: 1200,
    outcome: 'ok',
    attributes: {},
    ...over,
  };
}

/** The log record that the plugin emits for a usage record. */
export function logOf(record: UsageRecord): UsageLogRecord {
  const seconds = Date.parse(`${record.time.slice(0, 19)}Z`) / 1000;
  const given: Record<string, unknown> = {
    ...record.attributes,
    [ATTR.recordId]: record.id,
    [ATTR.operationName]: record.operation,
    [ATTR.providerName]: record.provider,
    [ATTR.requestModel]: record.requestModel,
    [ATTR.responseModel]: record.responseModel,
    [ATTR.responseId]: record.responseId,
    [ATTR.userId]: record.userId,
    [ATTR.conversationId]: record.conversationId,
    [ATTR.team]: record.team,
    [ATTR.agentName]: record.agentName,
    [ATTR.runId]: record.runId,
    [ATTR.toolName]: record.toolName,
    [ATTR.steps]: record.steps && stepsText(record.steps),
    [ATTR.durationMs]: record.durationMs,
    [ATTR.timeToFirstChunk]:
      record.timeToFirstChunkMs === undefined ? undefined : record.timeToFirstChunkMs / 1000,
    [ATTR.inputTokens]: record.inputTokens,
    [ATTR.outputTokens]: record.outputTokens,
    [ATTR.cacheReadTokens]: record.cacheReadTokens,
    [ATTR_CACHE_WRITE_TOKENS.v1_41]: record.cacheWriteTokens,
    [ATTR.reasoningTokens]: record.reasoningTokens,
    [ATTR.tokenSource]: record.tokenSource,
    [ATTR.outcome]: record.outcome,
    [ATTR.errorType]: record.errorType,
    [ATTR.costUsd]: record.costUsd,
    [ATTR.costSource]: record.costSource,
    [ATTR.costMissing]: record.costMissing?.join(' '),
    [ATTR.serviceTier]: record.serviceTier,
  };
  for (const [name, value] of Object.entries(record.dimensions ?? {})) {
    given[ATTR_DIMENSION_PREFIX + name] = value;
  }
  // One by one, as the SDK sets them.
  const attributes: Record<string, unknown> = {};
  for (const key in given) if (given[key] !== undefined) attributes[key] = given[key];
  return {
    hrTime: [seconds, Number(record.time.slice(20, 29))],
    eventName: EVENT_INFERENCE_DETAILS,
    attributes,
    resource: { attributes: { 'service.name': record.service } },
    ...(record.traceId !== undefined &&
      record.spanId !== undefined && {
        spanContext: { traceId: record.traceId, spanId: record.spanId },
      }),
  };
}
