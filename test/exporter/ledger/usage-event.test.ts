import assert from 'node:assert/strict';
import { logs, SeverityNumber, trace, ROOT_CONTEXT } from '@opentelemetry/api';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { LoggerProvider, type LogRecordProcessor } from '@opentelemetry/sdk-logs';
import {
  usageRecordFromLog,
  type UsageLogProcessor,
} from '../../../exporter/ledger/usage-event.ts';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  EVENT_INFERENCE_DETAILS,
} from '../../../src/otel/semconv.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';

function emitted(eventName: string, attributes: Record<string, string | number | string[]>) {
  const records: (UsageRecord | undefined)[] = [];
  const processor: UsageLogProcessor = {
    onEmit: (log) => void records.push(usageRecordFromLog(log)),
    forceFlush: async () => {},
    shutdown: async () => {},
  };
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({ 'service.name': 'shop' }),
    processors: [processor satisfies LogRecordProcessor],
  });
  const context = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: '0af7651916cd43dd8448eb211c80319c',
    spanId: 'b7ad6b7169203331',
    traceFlags: 1,
  });
  provider.getLogger('test').emit({
    eventName,
    timestamp: [1_790_000_000, 123_456_789],
    severityNumber: SeverityNumber.INFO,
    attributes,
    context,
  });
  logs.disable();
  return records[0];
}

describe('usageRecordFromLog', () => {
  it('gives the record of a ledger event back, to the nanosecond', () => {
    const record = emitted(EVENT_INFERENCE_DETAILS, {
      [ATTR.recordId]: 'r1',
      [ATTR.operationName]: 'chat',
      [ATTR.providerName]: 'openai',
      [ATTR.requestModel]: 'gpt-4o',
      [ATTR.responseModel]: 'gpt-4o-2024-08-06',
      [ATTR.responseId]: 'chatcmpl-1',
      [ATTR.userId]: 'ann',
      [ATTR.conversationId]: 'c1',
      [ATTR.durationMs]: 812.5,
      [ATTR.timeToFirstChunk]: 0.0321,
      [ATTR.inputTokens]: 10,
      [ATTR.outputTokens]: 5,
      [ATTR.cacheReadTokens]: 4,
      [ATTR_CACHE_WRITE_TOKENS.v1_41]: 3,
      [ATTR.reasoningTokens]: 0,
      [ATTR.tokenSource]: 'provider',
      [ATTR.outcome]: 'ok',
      [ATTR.costUsd]: 0.000012,
      [ATTR.responseFinishReasons]: ['stop'],
      team: 'search',
    });
    assert.deepEqual(record, {
      id: 'r1',
      time: '2026-09-21T14:13:20.123456789Z',
      service: 'shop',
      operation: 'chat',
      provider: 'openai',
      requestModel: 'gpt-4o',
      responseModel: 'gpt-4o-2024-08-06',
      responseId: 'chatcmpl-1',
      userId: 'ann',
      conversationId: 'c1',
      durationMs: 812.5,
      timeToFirstChunkMs: 32.1,
      inputTokens: 10,
      outputTokens: 5,
      cacheReadTokens: 4,
      cacheWriteTokens: 3,
      reasoningTokens: 0,
      totalTokens: 15,
      tokenSource: 'provider',
      outcome: 'ok',
      costUsd: 0.000012,
      attributes: { [ATTR.responseFinishReasons]: '["stop"]', team: 'search' },
      traceId: '0af7651916cd43dd8448eb211c80319c',
      spanId: 'b7ad6b7169203331',
    } satisfies UsageRecord);
  });

  it('takes the cache-write name of either generation', () => {
    const record = emitted(EVENT_INFERENCE_DETAILS, {
      [ATTR.recordId]: 'r1',
      [ATTR_CACHE_WRITE_TOKENS.latest]: 7,
    });
    assert.equal(record?.cacheWriteTokens, 7);
  });

  it('leaves unknown counts absent and never takes content', () => {
    const record = emitted(EVENT_INFERENCE_DETAILS, {
      [ATTR.recordId]: 'r1',
      [ATTR.inputTokens]: 'many',
      'gen_ai.input.messages': 'secret',
    });
    assert.ok(record);
    assert.equal('inputTokens' in record, false);
    assert.equal('totalTokens' in record, false);
    assert.equal(JSON.stringify(record).includes('secret'), false);
  });

  it('ignores other events and the same event of other instrumentations', () => {
    assert.equal(emitted('gen_ai.choice', { [ATTR.recordId]: 'r1' }), undefined);
    assert.equal(emitted(EVENT_INFERENCE_DETAILS, { [ATTR.inputTokens]: 1 }), undefined);
  });
});
