import { createHash } from 'node:crypto';
import { trace, TraceFlags, type Span } from '@opentelemetry/api';
import type { CallShape } from '../domain/call-shape.ts';
import type { EndedCall } from '../domain/ended-call.ts';
import type { UsageContext } from '../domain/usage-context.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { providerName } from '../domain/provider-names.ts';
import { buildRecord, type RecordOptions } from '../usage/build-record.ts';
import type { RecordIds } from '../usage/delivery.ts';
import type { ReportedCall } from './reported-call.ts';

/** What a record is made of, besides the reported call. */
export interface ItemFacts {
  /** Identifies the item: the same for every resend. */
  readonly key: string;
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** Milliseconds since 1970. */
  readonly endMs: number;
  readonly usageContext: UsageContext;
  /** State of the switch. */
  readonly tokenStatistics: boolean;
}

/** The record of a call that somebody else observed. A resend makes the same one, which overwrites it. */
export function ingestedRecord(
  call: ReportedCall,
  item: ItemFacts,
  options: Omit<RecordOptions, 'service'>,
): UsageRecord {
  const { tokenStatistics } = item;
  const usage = (tokenStatistics ? call.usage : undefined) ?? {};
  const tokenSource = tokenStatistics && call.usage !== undefined ? 'provider' : undefined;
  const record = buildRecord(endedCall(call, item), { usage, tokenSource }, idsOf(item), {
    ...options,
    service: () => item.service,
  });
  const { estimatedCostUsd } = call;
  if (record.costUsd !== undefined || estimatedCostUsd === undefined || !tokenStatistics) {
    return record;
  }
  return { ...record, costUsd: Math.round(estimatedCostUsd * 1e9) / 1e9, costSource: 'estimated' };
}

/** Conventional names with a dot; what follows the first dot of any other name is an API of the provider. */
const WITH_DOT: ReadonlySet<string> = new Set([
  'aws.bedrock',
  'azure.ai.inference',
  'azure.ai.openai',
  'gcp.gemini',
  'gcp.gen_ai',
  'gcp.vertex_ai',
  'ibm.watsonx.ai',
]);

/** Names that OpenLLMetry and OpenLIT use. */
const ALSO: ReadonlyMap<string, string> = new Map([
  ['aws', 'aws.bedrock'],
  ['vertexai', 'gcp.vertex_ai'],
  ['gemini', 'gcp.gemini'],
]);

function provider(given: string | undefined): string {
  const name = given?.toLowerCase();
  if (name === undefined) return 'unknown';
  return WITH_DOT.has(name) ? name : (ALSO.get(name) ?? providerName(name));
}

function endedCall(call: ReportedCall, item: ItemFacts): EndedCall {
  const durationMs = call.durationMs ?? 0;
  return {
    provider: provider(call.provider),
    shape: shapeOf(call.operation),
    facts: {
      model: call.requestModel ?? call.responseModel,
      stream: call.timeToFirstChunkMs !== undefined,
    },
    request: undefined,
    serverAddress: undefined,
    serverPort: undefined,
    usageContext: item.usageContext,
    span: spanOf(item),
    spanIsForeign: true,
    startedAtMs: item.endMs - durationMs,
    durationMs,
    timeToFirstChunkMs: call.timeToFirstChunkMs,
    chunkGapsMs: [],
    outcome: call.outcome,
    errorType: call.errorType,
    reply: {
      usage: call.usage,
      responseId: call.responseId,
      responseModel: call.responseModel,
      serviceTier: call.serviceTier,
      closed: true,
      outputs: [],
    },
    replied: call.outcome === 'ok',
    tokenStatistics: item.tokenStatistics,
  };
}

function spanOf({ traceId, spanId }: ItemFacts): Span {
  return trace.wrapSpanContext({ traceId, spanId, traceFlags: TraceFlags.NONE });
}

function shapeOf(operation: string): CallShape {
  return {
    operation,
    inputOnly: operation === 'embeddings' || operation === 'rerank',
    request: () => ({}),
    reader: () => ({
      whole: () => {},
      event: () => {},
      result: () => ({ closed: true, outputs: [] }),
    }),
    countable: () => ({ kind: 'unknown' }),
  };
}

/**
 * UUID and time of nine fraction digits, both from the item's key, in the layout of our own records: a
 * resend is the same point of a time series and the same row.
 */
function idsOf({ key, endMs }: ItemFacts): RecordIds {
  const hex = createHash('sha256').update(key).digest('hex');
  const ms = Math.trunc(endMs);
  const time = ms.toString(16).padStart(12, '0');
  const id = `${time.slice(0, 8)}-${time.slice(8)}-8${hex.slice(0, 3)}-8${hex.slice(3, 6)}-${hex.slice(6, 18)}`;
  const digits = (Number.parseInt(hex.slice(18, 30), 16) % 1_000_000).toString().padStart(6, '0');
  return { id, time: `${new Date(ms).toISOString().slice(0, -1)}${digits}Z` };
}
