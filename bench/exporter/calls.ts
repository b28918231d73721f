import { Point } from '@influxdata/influxdb-client';
import { UsageLineWriter } from '../../exporter/influxdb/write/lines/usage-line.ts';
import { usageRecordFromLog, type UsageLogRecord } from '../../exporter/ledger/usage-event.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { logOf, usageRecord } from '../../test/support/usage-logs.ts';

/** A call, as an SDK log record and as a usage record. */
interface Call {
  readonly log: UsageLogRecord & { readonly hrTime: [number, number] };
  readonly record: { -readonly [K in keyof UsageRecord]: UsageRecord[K] };
}

/**
 * Calls that are emitted repeatedly with new times. Keeping separate records would fill the heap
 * and distort the result; an application keeps none.
 */
const CALLS: readonly Call[] = Array.from({ length: 2000 }, (_, i) => {
  const record = usageRecord('2026-01-01T00:00:00Z', {
    userId: `user-${i % 200}`,
    conversationId: `conversation-${i}`,
    responseId: `chatcmpl-${i}`,
    responseModel: 'gpt-4o-2024-08-06',
    requestModel: i % 3 === 0 ? 'gpt-4o-mini' : 'gpt-4o',
    inputTokens: 500 + (i % 900),
    outputTokens: 50 + (i % 300),
    totalTokens: 550 + (i % 900) + (i % 300),
    cacheReadTokens: 128,
    tokenSource: 'provider',
    costUsd: 0.001234,
    durationMs: 812.5 + (i % 100),
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
  });
  return { record, log: { ...logOf(record), hrTime: [0, 0] } };
});

let seconds = Date.parse('2026-01-01T00:00:00Z') / 1000;
let emitted = 0;

/** The next call with a unique time, because servers handle duplicate points differently. */
export function nextCall(): Call {
  const call = CALLS[emitted++ % CALLS.length] as Call;
  if (emitted % 143 === 0) seconds++;
  const { hrTime } = call.log;
  hrTime[0] = seconds;
  hrTime[1] = (emitted * 7_000_001) % 1_000_000_000;
  return call;
}

/** Request bodies with `batch` lines each. */
export function makeBodies(records: number, batch: number): readonly Buffer[] {
  const writer = new UsageLineWriter({
    maxUserTags: 10_000,
    maxDimensionTags: 10,
    onCleaned: () => {},
  });
  const bodies: Buffer[] = [];
  for (let left = records; left > 0; left -= batch) {
    const lines = Array.from({ length: Math.min(batch, left) }, () =>
      String(writer.line(usageRecordFromLog(nextCall().log) as UsageRecord)),
    );
    bodies.push(Buffer.from(`${lines.join('\n')}\n`));
  }
  return bodies;
}

/** Sends points like an application that uses the official client. */
export function pointOf({ record, log }: Call): Point {
  const nanoseconds = `${log.hrTime[0]}${String(log.hrTime[1]).padStart(9, '0')}`;
  const point = new Point('llm_usage')
    .tag('model', record.requestModel)
    .tag('operation', record.operation)
    .tag('outcome', record.outcome)
    .tag('provider', record.provider)
    .tag('service', record.service)
    .tag('token_source', record.tokenSource ?? '')
    .tag('user_id', record.userId ?? '')
    .intField('calls', 1)
    .intField('input_tokens', record.inputTokens)
    .intField('output_tokens', record.outputTokens)
    .intField('total_tokens', record.totalTokens)
    .intField('cache_read_tokens', record.cacheReadTokens)
    .floatField('duration_ms', record.durationMs)
    .floatField('cost_usd', record.costUsd)
    .stringField('user', record.userId)
    .stringField('conversation_id', record.conversationId)
    .stringField('record_id', record.id)
    .stringField('response_id', record.responseId)
    .stringField('response_model', record.responseModel)
    .stringField('trace_id', record.traceId)
    .stringField('span_id', record.spanId);
  return point.timestamp(nanoseconds);
}
