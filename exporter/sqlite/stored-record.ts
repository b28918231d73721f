import type { SQLInputValue, SQLOutputValue } from 'node:sqlite';
import { stepsFrom, stepsText } from '../../src/domain/agent-step.ts';
import { unitName, unitsOf, type UsageUnit } from '../../src/domain/billed-usage.ts';
import type {
  CostSource,
  Outcome,
  TokenSource,
  UsageAttributeValue,
  UsageRecord,
} from '../../src/domain/usage-record.ts';
import { costNanos } from '../ledger/queries/usage-sums.ts';

/** Columns of table `usage`, in the order of `toRow`. */
export const COLUMNS = [
  'time_ns',
  'id',
  'service',
  'operation',
  'provider',
  'model',
  'response_model',
  'response_id',
  'user',
  'conversation',
  'team',
  'dimensions',
  'agent_name',
  'run_id',
  'tool_name',
  'steps',
  'duration_ms',
  'time_to_first_chunk_ms',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'token_source',
  'outcome',
  'error_type',
  'cost_nanos',
  'cost_source',
  'cost_missing',
  'service_tier',
  'attributes',
  'units',
  'trace_id',
  'span_id',
] as const;

/** Nanoseconds since 1970 of an RFC 3339 time in UTC with up to nine fraction digits. */
export function timeToNs(time: string): bigint {
  const [seconds = '', fraction = ''] = time.replace('Z', '').split('.');
  return BigInt(Date.parse(`${seconds}Z`)) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** The inverse of `timeToNs`, from whole milliseconds and the nanoseconds below them. */
function nsToTime(ms: number, belowMs: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}${String(belowMs).padStart(6, '0')}Z`;
}

/** Equal dimensions give equal texts: the names are in order. */
export function dimensionsJson(dimensions: UsageRecord['dimensions']): string | undefined {
  if (dimensions === undefined) return undefined;
  const names = Object.keys(dimensions).toSorted();
  if (names.length === 0) return undefined;
  return JSON.stringify(Object.fromEntries(names.map((name) => [name, dimensions[name]])));
}

/** Those among the attributes, by name: sums need not look into attributes of other calls. */
function unitsJson(record: UsageRecord): string | null {
  const units = unitsOf(record);
  if (units === undefined) return null;
  return JSON.stringify(
    Object.fromEntries(
      Object.entries(units).map(([unit, amount]) => [unitName(unit as UsageUnit), amount]),
    ),
  );
}

export function toRow(record: UsageRecord): SQLInputValue[] {
  const hasAttributes = Object.keys(record.attributes).length > 0;
  return [
    timeToNs(record.time),
    record.id,
    record.service,
    record.operation,
    record.provider,
    record.requestModel,
    record.responseModel ?? null,
    record.responseId ?? null,
    record.userId ?? null,
    record.conversationId ?? null,
    record.team ?? null,
    dimensionsJson(record.dimensions) ?? null,
    record.agentName ?? null,
    record.runId ?? null,
    record.toolName ?? null,
    record.steps === undefined ? null : stepsText(record.steps),
    record.durationMs,
    record.timeToFirstChunkMs ?? null,
    record.inputTokens ?? null,
    record.outputTokens ?? null,
    record.totalTokens ?? null,
    record.cacheReadTokens ?? null,
    record.cacheWriteTokens ?? null,
    record.reasoningTokens ?? null,
    record.tokenSource ?? null,
    record.outcome,
    record.errorType ?? null,
    costNanos(record.costUsd),
    record.costSource ?? null,
    record.costMissing?.join(' ') ?? null,
    record.serviceTier ?? null,
    hasAttributes ? JSON.stringify(record.attributes) : null,
    hasAttributes ? unitsJson(record) : null,
    record.traceId ?? null,
    record.spanId ?? null,
  ];
}

/** Time as two numbers: nanoseconds since 1970 do not fit into one. */
export const SELECT_COLUMNS: string = [
  'time_ns / 1000000 AS time_ms',
  'time_ns % 1000000 AS below_ms',
  // Units are attributes as well.
  ...COLUMNS.slice(1).filter((column) => column !== 'units'),
].join(', ');

type Dimensions = NonNullable<UsageRecord['dimensions']>;
type Row = Record<string, SQLOutputValue>;

const text = (row: Row, column: string): string => String(row[column]);

/** One row of `SELECT_COLUMNS` back to what was written. */
export function fromRow(row: Row): UsageRecord {
  const given = <Key extends string, Value>(
    key: Key,
    column: string,
    map: (value: string | number) => Value,
  ): Partial<Record<Key, Value>> => {
    const value = row[column];
    if (typeof value !== 'string' && typeof value !== 'number') return {};
    return { [key]: map(value) } as Record<Key, Value>;
  };
  const attributes = row['attributes'];
  const steps = stepsFrom(row['steps']);
  return {
    id: text(row, 'id'),
    time: nsToTime(Number(row['time_ms']), Number(row['below_ms'])),
    service: text(row, 'service'),
    operation: text(row, 'operation'),
    provider: text(row, 'provider'),
    requestModel: text(row, 'model'),
    ...given('responseModel', 'response_model', String),
    ...given('responseId', 'response_id', String),
    ...given('userId', 'user', String),
    ...given('conversationId', 'conversation', String),
    ...given('team', 'team', String),
    ...given('dimensions', 'dimensions', (json) => JSON.parse(String(json)) as Dimensions),
    ...given('agentName', 'agent_name', String),
    ...given('runId', 'run_id', String),
    ...given('toolName', 'tool_name', String),
    ...(steps !== undefined && { steps }),
    durationMs: Number(row['duration_ms']),
    ...given('timeToFirstChunkMs', 'time_to_first_chunk_ms', Number),
    ...given('inputTokens', 'input_tokens', Number),
    ...given('outputTokens', 'output_tokens', Number),
    ...given('totalTokens', 'total_tokens', Number),
    ...given('cacheReadTokens', 'cache_read_tokens', Number),
    ...given('cacheWriteTokens', 'cache_write_tokens', Number),
    ...given('reasoningTokens', 'reasoning_tokens', Number),
    ...given('tokenSource', 'token_source', (value) => value as TokenSource),
    outcome: text(row, 'outcome') as Outcome,
    ...given('errorType', 'error_type', String),
    ...given('costUsd', 'cost_nanos', (nanos) => Number(nanos) / 1e9),
    ...given('costSource', 'cost_source', (value) => value as CostSource),
    ...given('costMissing', 'cost_missing', (names) => String(names).split(' ')),
    ...given('serviceTier', 'service_tier', String),
    attributes:
      typeof attributes === 'string'
        ? (JSON.parse(attributes) as Record<string, UsageAttributeValue>)
        : {},
    ...given('traceId', 'trace_id', String),
    ...given('spanId', 'span_id', String),
  };
}
