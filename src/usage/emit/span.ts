import { SpanStatusCode, type SpanAttributes } from '@opentelemetry/api';
import type { CallStart } from '../../call/call-start.ts';
import type { EndedCall } from '../../call/chat-call.ts';
import { lacks, releaseEnd } from '../../call/native-span.ts';
import type { RequestFacts } from '../../providers/provider.ts';
import { ATTR, ATTR_CACHE_WRITE_TOKENS, type SemconvGeneration } from '../../semconv.ts';
import type { UsageRecord } from '../usage-record.ts';

/** Set at creation, so that samplers see them. */
export function startAttributes(start: CallStart, facts: RequestFacts): SpanAttributes {
  const attributes: SpanAttributes = {
    [ATTR.operationName]: start.shape.operation,
    [ATTR.providerName]: start.provider,
  };
  if (facts.model !== undefined) attributes[ATTR.requestModel] = facts.model;
  if (facts.stream === true) attributes[ATTR.requestStream] = true;
  if (start.serverAddress !== undefined) attributes[ATTR.serverAddress] = start.serverAddress;
  if (start.serverPort !== undefined) attributes[ATTR.serverPort] = start.serverPort;
  return attributes;
}

/**
 * Puts the record on the call's span and ends it at the call's end, however much later that is known.
 * A span the SDK made itself keeps its own numbers and gets only what it lacks.
 */
export function emitSpan(
  record: UsageRecord,
  ended: EndedCall,
  generations: readonly SemconvGeneration[],
  content: SpanAttributes | undefined,
): void {
  const { span } = ended;
  if (!span.isRecording()) {
    closeUnrecorded(ended);
    return;
  }
  const attributes: SpanAttributes = {};
  set(attributes, ATTR.responseModel, record.responseModel);
  set(attributes, ATTR.responseId, record.responseId);
  set(attributes, ATTR.errorType, record.errorType);
  set(attributes, ATTR.inputTokens, record.inputTokens);
  set(attributes, ATTR.outputTokens, record.outputTokens);
  set(attributes, ATTR.cacheReadTokens, record.cacheReadTokens);
  set(attributes, ATTR.reasoningTokens, record.reasoningTokens);
  for (const generation of generations) {
    set(attributes, ATTR_CACHE_WRITE_TOKENS[generation], record.cacheWriteTokens);
  }
  if (record.timeToFirstChunkMs !== undefined) {
    attributes[ATTR.timeToFirstChunk] = record.timeToFirstChunkMs / 1000;
  }
  const { finishReasons } = ended.reply;
  if (finishReasons !== undefined && finishReasons.length > 0) {
    attributes[ATTR.responseFinishReasons] = [...finishReasons];
  }
  if (ended.spanIsForeign) {
    for (const key of Object.keys(attributes)) if (!lacks(span, key)) delete attributes[key];
  }
  Object.assign(attributes, content, record.attributes);
  set(attributes, ATTR.userId, record.userId);
  set(attributes, ATTR.conversationId, record.conversationId);
  set(attributes, ATTR.tokenSource, record.tokenSource);
  set(attributes, ATTR.outcome, record.outcome);
  set(attributes, ATTR.costUsd, record.costUsd);
  span.setAttributes(attributes);
  if (ended.spanIsForeign) {
    releaseEnd(span);
    return;
  }
  if (record.outcome === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(ended.startedAtMs + ended.durationMs);
}

/** Lets a span go that nothing can be put on. */
export function closeUnrecorded({ span, spanIsForeign }: EndedCall): void {
  if (spanIsForeign) releaseEnd(span);
  else span.end();
}

function set(attributes: SpanAttributes, key: string, value: string | number | undefined): void {
  if (value !== undefined) attributes[key] = value;
}
