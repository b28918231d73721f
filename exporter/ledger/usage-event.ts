import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  ATTR_DIMENSION_PREFIX,
  EVENT_INFERENCE_DETAILS,
} from '../../src/otel/semconv.ts';
import { stepsFrom } from '../../src/domain/agent-step.ts';
import { isDimensionName } from '../../src/domain/dimensions.ts';
import { resolvedAttributes, type ResourceLike } from '../../src/otel/resolved-resource.ts';
import {
  type Outcome,
  OUTCOMES,
  type UsageAttributeValue,
  type UsageRecord,
} from '../../src/domain/usage-record.ts';

/** The part of an SDK log record used here. Records of sdk-logs 0.2xx and 3.x fit. */
export interface UsageLogRecord {
  readonly hrTime: readonly [number, number];
  readonly eventName?: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly resource: ResourceLike;
  readonly spanContext?: { readonly traceId: string; readonly spanId: string } | undefined;
}

/**
 * Structurally compatible with LogRecordProcessor of sdk-logs 0.2xx and 3.x, so that the exporters
 * need no SDK package at run time.
 */
export interface UsageLogProcessor {
  onEmit(logRecord: UsageLogRecord): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** Attributes that are members of a record, and content, which another instrumentation may add. */
const NOT_OTHERS = new Set<string>([
  'gen_ai.input.messages',
  'gen_ai.output.messages',
  'gen_ai.system_instructions',
  'gen_ai.tool.definitions',
  ATTR.recordId,
  ATTR.operationName,
  ATTR.providerName,
  ATTR.requestModel,
  ATTR.responseModel,
  ATTR.responseId,
  ATTR.userId,
  ATTR.conversationId,
  ATTR.team,
  ATTR.agentName,
  ATTR.runId,
  ATTR.toolName,
  ATTR.steps,
  ATTR.durationMs,
  ATTR.timeToFirstChunk,
  ATTR.inputTokens,
  ATTR.outputTokens,
  ATTR.cacheReadTokens,
  ATTR.reasoningTokens,
  ATTR.tokenSource,
  ATTR.outcome,
  ATTR.errorType,
  ATTR.costUsd,
  ATTR.costSource,
  ATTR.costMissing,
  ATTR.serviceTier,
  ...Object.values(ATTR_CACHE_WRITE_TOKENS),
]);

/**
 * Converts a ledger event to a usage record. Returns `undefined` for other log records, including
 * the same event from another instrumentation, which has no `token_meter.record_id` and may contain
 * content. Never throws.
 */
export function usageRecordFromLog(log: UsageLogRecord): UsageRecord | undefined {
  if (log.eventName !== EVENT_INFERENCE_DETAILS) return undefined;
  const source = log.attributes;
  const id = text(source[ATTR.recordId]);
  if (id === undefined) return undefined;
  const errorType = text(source[ATTR.errorType]);
  // Member by member, since this runs per call on the application's thread and copies would double
  // its time.
  const record: Mutable<UsageRecord> = {
    id,
    time: timeOf(log.hrTime),
    service: text(resolvedAttributes(log.resource)['service.name']) ?? 'unknown_service',
    operation: text(source[ATTR.operationName]) ?? 'chat',
    provider: text(source[ATTR.providerName]) ?? 'unknown',
    requestModel: text(source[ATTR.requestModel]) ?? 'unknown',
    durationMs: amount(source[ATTR.durationMs]) ?? 0,
    outcome: outcomeOf(source[ATTR.outcome], errorType),
    attributes: {},
  };
  setOthers(record, source);
  setTokens(record, source);
  const responseModel = text(source[ATTR.responseModel]);
  if (responseModel !== undefined) record.responseModel = responseModel;
  const responseId = text(source[ATTR.responseId]);
  if (responseId !== undefined) record.responseId = responseId;
  const userId = text(source[ATTR.userId]);
  if (userId !== undefined) record.userId = userId;
  const conversationId = text(source[ATTR.conversationId]);
  if (conversationId !== undefined) record.conversationId = conversationId;
  const team = text(source[ATTR.team]);
  if (team !== undefined) record.team = team;
  const agentName = text(source[ATTR.agentName]);
  if (agentName !== undefined) record.agentName = agentName;
  const runId = text(source[ATTR.runId]);
  if (runId !== undefined) record.runId = runId;
  const toolName = text(source[ATTR.toolName]);
  if (toolName !== undefined) record.toolName = toolName;
  const steps = stepsFrom(source[ATTR.steps]);
  if (steps !== undefined) record.steps = steps;
  const firstChunk = amount(source[ATTR.timeToFirstChunk]);
  if (firstChunk !== undefined) {
    // Seconds in the conventions. Rounding to whole nanoseconds keeps the conversion exact.
    record.timeToFirstChunkMs = Math.round(firstChunk * 1e9) / 1e6;
  }
  if (errorType !== undefined) record.errorType = errorType;
  const costUsd = amount(source[ATTR.costUsd]);
  if (costUsd !== undefined) record.costUsd = costUsd;
  const costSource = COST_SOURCES.find((known) => known === source[ATTR.costSource]);
  if (costSource !== undefined) record.costSource = costSource;
  const costMissing = text(source[ATTR.costMissing]);
  if (costMissing !== undefined) record.costMissing = costMissing.split(' ');
  const serviceTier = text(source[ATTR.serviceTier]);
  if (serviceTier !== undefined) record.serviceTier = serviceTier;
  if (log.spanContext !== undefined) {
    record.traceId = log.spanContext.traceId;
    record.spanId = log.spanContext.spanId;
  }
  return record;
}

const COST_SOURCES = ['provider', 'list', 'contract', 'estimated'] as const;

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function setTokens(record: Mutable<UsageRecord>, source: Readonly<Record<string, unknown>>): void {
  const inputTokens = count(source[ATTR.inputTokens]);
  const outputTokens = count(source[ATTR.outputTokens]);
  if (inputTokens !== undefined) record.inputTokens = inputTokens;
  if (outputTokens !== undefined) record.outputTokens = outputTokens;
  if (inputTokens !== undefined && outputTokens !== undefined) {
    record.totalTokens = inputTokens + outputTokens;
  }
  const cacheReadTokens = count(source[ATTR.cacheReadTokens]);
  if (cacheReadTokens !== undefined) record.cacheReadTokens = cacheReadTokens;
  const cacheWriteTokens =
    count(source[ATTR_CACHE_WRITE_TOKENS.latest]) ?? count(source[ATTR_CACHE_WRITE_TOKENS.v1_41]);
  if (cacheWriteTokens !== undefined) record.cacheWriteTokens = cacheWriteTokens;
  const reasoningTokens = count(source[ATTR.reasoningTokens]);
  if (reasoningTokens !== undefined) record.reasoningTokens = reasoningTokens;
  const tokenSource = source[ATTR.tokenSource];
  if (tokenSource === 'provider' || tokenSource === 'counted' || tokenSource === 'estimated') {
    record.tokenSource = tokenSource;
  }
}

/** Dimensions, and what is no member of a record. */
function setOthers(record: Mutable<UsageRecord>, source: Readonly<Record<string, unknown>>): void {
  const others: Record<string, UsageAttributeValue> = {};
  let dimensions: Record<string, string> | undefined;
  for (const key in source) {
    if (NOT_OTHERS.has(key)) continue;
    if (key.startsWith(ATTR_DIMENSION_PREFIX)) {
      const name = key.slice(ATTR_DIMENSION_PREFIX.length);
      const value = text(source[key]);
      if (value !== undefined && isDimensionName(name)) (dimensions ??= {})[name] = value;
      continue;
    }
    const value = plain(source[key]);
    if (value !== undefined) others[key] = value;
  }
  record.attributes = others;
  if (dimensions !== undefined) record.dimensions = dimensions;
}

function plain(value: unknown): UsageAttributeValue | undefined {
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (value === undefined || value === null) return undefined;
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

function outcomeOf(value: unknown, errorType: string | undefined): Outcome {
  const known = OUTCOMES.find((outcome) => outcome === value);
  if (known !== undefined) return known;
  return errorType === undefined ? 'ok' : 'error';
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function amount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined;
}

function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

let second = Number.NaN;
let secondText = '';

function timeOf([seconds, nanoseconds]: readonly [number, number]): string {
  if (seconds !== second) {
    secondText = new Date(seconds * 1000).toISOString().slice(0, 20);
    second = seconds;
  }
  return `${secondText}${String(nanoseconds).padStart(9, '0')}Z`;
}
