import { createHmac } from 'node:crypto';
import { isSpanContextValid, type Span } from '@opentelemetry/api';
import type { Reply } from '../domain/reply.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import { billedUsageOf, hasBilledKinds } from '../domain/billed-usage.ts';
import { warnOnce } from '../host/quietly.ts';
import type { RecordIds } from './delivery.ts';
import type { FilledUsage } from './fill-usage.ts';
import { idFrom } from '../domain/id-from.ts';
import { addDimensions } from './record-dimensions.ts';
import { addRun } from './record-run.ts';
import { checkUsage, TOKEN_FIELDS } from './invariants.ts';
import { recordAttributes } from './record-attributes.ts';
import type { TokenUsage, UsageRecord } from '../domain/usage-record.ts';

export interface RecordOptions {
  readonly userIdHashKey: string | undefined;
  /** Names of the dimensions beside the team. */
  readonly dimensions: readonly string[];
  /** `service.name` of the resource behind a span. */
  readonly service: (span: Span) => string;
  /** What a record's call cost, or undefined when that is not known. */
  readonly priceOf: (record: UsageRecord) => RecordCost | undefined;
}

type RecordCost = Required<Pick<UsageRecord, 'costUsd' | 'costSource'>> &
  Pick<UsageRecord, 'costMissing'>;

type Draft = { -readonly [K in keyof UsageRecord]: UsageRecord[K] };

/** The one place where a record is made. Fields that are not known are left out. */
export function buildRecord(
  ended: EndedCall,
  filled: FilledUsage,
  ids: RecordIds,
  options: RecordOptions,
): UsageRecord {
  const { provider, facts, reply, usageContext, span } = ended;
  const { usage, violations } = checkUsage(filled.usage);
  for (const violation of violations) warnInconsistent(provider, violation);
  const record: Draft = {
    id: ids.id,
    time: ids.time,
    service: options.service(span),
    operation: ended.shape.operation,
    provider,
    requestModel: idFrom(facts.model) ?? 'unknown',
    durationMs: Math.max(0, ended.durationMs),
    outcome: ended.outcome,
    attributes: recordAttributes(ended, filled),
  };
  const hasUsage = addTokens(record, usage);
  const responseModel = idFrom(reply.responseModel);
  if (responseModel !== undefined) record.responseModel = responseModel;
  const responseId = idFrom(reply.responseId);
  if (responseId !== undefined) record.responseId = responseId;
  const userId = identifier('user', usageContext.userId);
  if (userId !== undefined) record.userId = hashedUserId(userId, options.userIdHashKey);
  const conversationId =
    identifier('conversation', usageContext.conversationId) ??
    identifier('conversation', reply.conversationId);
  if (conversationId !== undefined) record.conversationId = conversationId;
  addDimensions(record, usageContext, options.dimensions);
  addRun(record, ended.run, usageContext);
  if (facts.stream === true && ended.timeToFirstChunkMs !== undefined) {
    record.timeToFirstChunkMs = ended.timeToFirstChunkMs;
  }
  const { inputTokens, outputTokens } = usage;
  if (inputTokens !== undefined && outputTokens !== undefined) {
    record.totalTokens = inputTokens + outputTokens;
  }
  if (hasUsage && filled.tokenSource !== undefined) record.tokenSource = filled.tokenSource;
  // Seconds, characters and images are usage as well.
  else if (ended.tokenStatistics && hasBilledKinds(billedUsageOf(record))) {
    record.tokenSource = 'provider';
  }
  if (ended.errorType !== undefined) record.errorType = ended.errorType;
  const spanContext = span.spanContext();
  if (isSpanContextValid(spanContext)) {
    record.traceId = spanContext.traceId;
    record.spanId = spanContext.spanId;
  }
  const serviceTier = idFrom(reply.serviceTier);
  if (serviceTier !== undefined) record.serviceTier = serviceTier.toLowerCase();
  const cost = ended.tokenStatistics ? costOf(record, reply, options) : undefined;
  return cost === undefined ? record : Object.assign(record, cost);
}

/** Whether there are any. */
function addTokens(record: Draft, usage: TokenUsage): boolean {
  let hasAny = false;
  for (const field of TOKEN_FIELDS) {
    const tokens = usage[field];
    if (tokens === undefined) continue;
    record[field] = tokens;
    hasAny = true;
  }
  return hasAny;
}

/** The reply's own figure wins over one that is worked out. */
function costOf(
  record: UsageRecord,
  reply: Reply,
  { priceOf }: RecordOptions,
): RecordCost | undefined {
  const { costUsd } = reply;
  return costUsd === undefined ? priceOf(record) : { costUsd, costSource: 'provider' };
}

function identifier(whose: string, given: unknown): string | undefined {
  const id = idFrom(given);
  if (id === undefined && given !== undefined && given !== null && given !== '') {
    warnOnce(
      `id ${whose} ${typeof given}`,
      `a ${whose} id of type ${typeof given} is left out; allowed are texts, numbers, and ObjectId or UUID of BSON`,
    );
  }
  return id;
}

function warnInconsistent(provider: string, violation: string): void {
  warnOnce(
    `usage ${provider} ${violation}`,
    `usage reported by ${provider} is inconsistent: ${violation}; the record is corrected`,
  );
}

/** As records hold it. */
export function hashedUserId(userId: string, key: string | undefined): string {
  return key === undefined ? userId : createHmac('sha256', key).update(userId).digest('hex');
}
