import { stepsFrom, stepsText } from '../../src/domain/agent-step.ts';
import type {
  CostSource,
  Outcome,
  TokenSource,
  UsageAttributeValue,
  UsageRecord,
} from '../../src/domain/usage-record.ts';
import { costNanos } from '../ledger/queries/usage-sums.ts';
import type { Row } from './clickhouse-session.ts';

/**
 * A record as a row of `JSONEachRow`; what a call does not have is left out, and the server fills in the default.
 *
 * @param environment `deployment.environment.name` of the resource
 */
export function rowOf(record: UsageRecord, environment = ''): Row {
  const { attributes, dimensions } = record;
  return {
    time: record.time,
    record_id: record.id,
    service: record.service,
    environment: environment === '' ? undefined : environment,
    operation: record.operation,
    provider: record.provider,
    model: record.requestModel,
    response_model: record.responseModel,
    response_id: record.responseId,
    user: record.userId,
    conversation: record.conversationId,
    team: record.team,
    dimensions,
    agent: record.agentName,
    run_id: record.runId,
    tool: record.toolName,
    steps: record.steps && stepsText(record.steps),
    duration_ms: record.durationMs,
    time_to_first_chunk_ms: record.timeToFirstChunkMs,
    input_tokens: record.inputTokens,
    output_tokens: record.outputTokens,
    total_tokens: record.totalTokens,
    cache_read_tokens: record.cacheReadTokens,
    cache_write_tokens: record.cacheWriteTokens,
    reasoning_tokens: record.reasoningTokens,
    token_source: record.tokenSource,
    outcome: record.outcome,
    error_type: record.errorType,
    cost_nanos: costNanos(record.costUsd) ?? undefined,
    cost_source: record.costSource,
    cost_missing: record.costMissing?.join(' '),
    service_tier: record.serviceTier,
    attributes: Object.keys(attributes).length > 0 ? JSON.stringify(attributes) : undefined,
    trace_id: record.traceId,
    span_id: record.spanId,
  };
}

/** Columns of `recordOf`. */
export const RECORD_COLUMNS: string = `toString(time) AS at, record_id, service, operation, provider, model,
  response_model, response_id, user, conversation, team, dimensions, agent, run_id, tool, steps, duration_ms,
  time_to_first_chunk_ms, input_tokens, output_tokens, total_tokens, cache_read_tokens, cache_write_tokens,
  reasoning_tokens, token_source, outcome, error_type, cost_nanos, cost_source, cost_missing, service_tier,
  attributes, trace_id, span_id`;

/** One row of `RECORD_COLUMNS` back to what was written. */
export function recordOf(row: Row): UsageRecord {
  const textOf = (column: string): string | undefined => {
    const value = row[column];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const text = <K extends string, V extends string = string>(
    key: K,
    column: string,
  ): { [P in K]?: V } => {
    const value = textOf(column);
    return value === undefined ? {} : ({ [key]: value } as { [P in K]?: V });
  };
  const number = <K extends string>(
    key: K,
    column: string,
    map: (value: number) => number = (value) => value,
  ): { [P in K]?: number } => {
    const value = row[column];
    return typeof value === 'number' ? ({ [key]: map(value) } as { [P in K]?: number }) : {};
  };
  const dimensions = row['dimensions'] as Readonly<Record<string, string>> | undefined;
  const missing = textOf('cost_missing');
  const steps = stepsFrom(row['steps']);
  const hasDimensions = Object.keys(dimensions ?? {}).length > 0;
  return {
    id: textOf('record_id') ?? '',
    time: `${String(row['at']).replace(' ', 'T')}Z`,
    service: textOf('service') ?? 'unknown_service',
    operation: textOf('operation') ?? 'chat',
    provider: textOf('provider') ?? 'unknown',
    requestModel: textOf('model') ?? 'unknown',
    ...text('responseModel', 'response_model'),
    ...text('responseId', 'response_id'),
    ...text('userId', 'user'),
    ...text('conversationId', 'conversation'),
    ...text('team', 'team'),
    ...(hasDimensions && dimensions !== undefined && { dimensions }),
    ...text('agentName', 'agent'),
    ...text('runId', 'run_id'),
    ...text('toolName', 'tool'),
    ...(steps !== undefined && { steps }),
    durationMs: Number(row['duration_ms']),
    ...number('timeToFirstChunkMs', 'time_to_first_chunk_ms'),
    ...number('inputTokens', 'input_tokens'),
    ...number('outputTokens', 'output_tokens'),
    ...number('totalTokens', 'total_tokens'),
    ...number('cacheReadTokens', 'cache_read_tokens'),
    ...number('cacheWriteTokens', 'cache_write_tokens'),
    ...number('reasoningTokens', 'reasoning_tokens'),
    ...text<'tokenSource', TokenSource>('tokenSource', 'token_source'),
    outcome: (textOf('outcome') ?? 'ok') as Outcome,
    ...text('errorType', 'error_type'),
    ...number('costUsd', 'cost_nanos', (nanos) => nanos / 1e9),
    ...text<'costSource', CostSource>('costSource', 'cost_source'),
    ...(missing !== undefined && { costMissing: missing.split(' ') }),
    ...text('serviceTier', 'service_tier'),
    attributes: JSON.parse(textOf('attributes') ?? '{}') as Record<string, UsageAttributeValue>,
    ...text('traceId', 'trace_id'),
    ...text('spanId', 'span_id'),
  };
}
