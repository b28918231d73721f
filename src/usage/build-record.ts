import { createHmac } from 'node:crypto';
import { isSpanContextValid, type Span } from '@opentelemetry/api';
import { warnOnce } from '../call/quietly.ts';
import { idFrom } from './id-from.ts';
import { checkUsage } from './invariants.ts';
import { recordId, recordTime } from './record-id.ts';
import type {
  Outcome,
  TokenSource,
  TokenUsage,
  UsageAttributeValue,
  UsageRecord,
} from './usage-record.ts';

/** Returns the price of a record in US dollars, or undefined when it is not known. */
type CostOf = (record: UsageRecord) => number | undefined;

export interface RecordInput {
  readonly service: string;
  readonly operation: string;
  readonly provider: string;
  readonly requestModel: string | undefined;
  readonly responseModel: string | undefined;
  readonly responseId: string | undefined;
  readonly userId: string | undefined;
  readonly conversationId: string | undefined;
  readonly endedAtMs: number;
  readonly durationMs: number;
  readonly timeToFirstChunkMs: number | undefined;
  readonly usage: TokenUsage;
  readonly tokenSource: TokenSource | undefined;
  readonly outcome: Outcome;
  readonly errorType: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>> | undefined;
  readonly span: Span | undefined;
}

export interface RecordOptions {
  readonly userIdHashKey: string | undefined;
  readonly costOf: CostOf;
}

type Draft = { -readonly [K in keyof UsageRecord]: UsageRecord[K] };

/** The one place where a record is made. Fields that are not known are left out. */
export function buildRecord(input: RecordInput, options: RecordOptions): UsageRecord {
  const { usage, violations } = checkUsage(input.usage);
  for (const violation of violations) {
    warnOnce(
      `usage ${input.provider} ${violation}`,
      `usage reported by ${input.provider} is inconsistent: ${violation}; the record is corrected`,
    );
  }
  const record: Draft = {
    id: recordId(input.endedAtMs),
    time: recordTime(input.endedAtMs),
    service: input.service,
    operation: input.operation,
    provider: input.provider,
    requestModel: idFrom(input.requestModel) ?? 'unknown',
    durationMs: Math.max(0, input.durationMs),
    ...usage,
    outcome: input.outcome,
    attributes: soundAttributes(input.attributes),
  };
  const responseModel = idFrom(input.responseModel);
  if (responseModel !== undefined) record.responseModel = responseModel;
  const responseId = idFrom(input.responseId);
  if (responseId !== undefined) record.responseId = responseId;
  const userId = idFrom(input.userId);
  if (userId !== undefined) record.userId = hashed(userId, options.userIdHashKey);
  const conversationId = idFrom(input.conversationId);
  if (conversationId !== undefined) record.conversationId = conversationId;
  if (input.timeToFirstChunkMs !== undefined) record.timeToFirstChunkMs = input.timeToFirstChunkMs;
  const { inputTokens, outputTokens } = usage;
  if (inputTokens !== undefined && outputTokens !== undefined) {
    record.totalTokens = inputTokens + outputTokens;
  }
  if (input.tokenSource !== undefined && Object.keys(usage).length > 0) {
    record.tokenSource = input.tokenSource;
  }
  if (input.errorType !== undefined) record.errorType = input.errorType;
  const spanContext = input.span?.spanContext();
  if (spanContext !== undefined && isSpanContextValid(spanContext)) {
    record.traceId = spanContext.traceId;
    record.spanId = spanContext.spanId;
  }
  const costUsd = options.costOf(record);
  if (costUsd !== undefined) record.costUsd = costUsd;
  return record;
}

function hashed(userId: string, key: string | undefined): string {
  return key === undefined ? userId : createHmac('sha256', key).update(userId).digest('hex');
}

/** Only what an OpenTelemetry attribute and an InfluxDB field can both hold. */
function soundAttributes(
  given: Readonly<Record<string, unknown>> | undefined,
): Record<string, UsageAttributeValue> {
  const sound: Record<string, UsageAttributeValue> = {};
  if (given === undefined) return sound;
  for (const key of Object.keys(given)) {
    const value = given[key];
    if (value === undefined || value === null) continue;
    const fits = typeof value === 'string' || typeof value === 'boolean' || Number.isFinite(value);
    // As a name this one would replace what every object inherits, here and in whoever copies the record.
    if (fits && key !== '__proto__') sound[key] = value as UsageAttributeValue;
    else warnLeftOut(key, value);
  }
  return sound;
}

function warnLeftOut(key: string, value: unknown): void {
  const problem = key === '__proto__' ? 'that name cannot be kept' : `it is a ${typeof value}`;
  warnOnce(
    `attribute ${key}`,
    `the attribute ${JSON.stringify(key.slice(0, 100))} is left out of usage records: ${problem}; allowed are texts, finite numbers, true and false`,
  );
}
