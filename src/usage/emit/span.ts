import { SpanStatusCode, type Span, type SpanAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import { lacks, releaseEnd } from '../../otel/native-span.ts';
import { ATTR, ATTR_CACHE_WRITE_TOKENS, type SemconvGeneration } from '../../otel/semconv.ts';
import type { UsageRecord } from '../../domain/usage-record.ts';

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
  const { spanIsForeign } = ended;
  const told = (key: string, value: string | number | string[] | undefined): void => {
    if (value !== undefined && (!spanIsForeign || lacks(span, key))) span.setAttribute(key, value);
  };
  told(ATTR.responseModel, record.responseModel);
  told(ATTR.responseId, record.responseId);
  told(ATTR.errorType, record.errorType);
  told(ATTR.inputTokens, record.inputTokens);
  told(ATTR.outputTokens, record.outputTokens);
  told(ATTR.cacheReadTokens, record.cacheReadTokens);
  told(ATTR.reasoningTokens, record.reasoningTokens);
  for (const generation of generations) {
    told(ATTR_CACHE_WRITE_TOKENS[generation], record.cacheWriteTokens);
  }
  if (record.timeToFirstChunkMs !== undefined) {
    told(ATTR.timeToFirstChunk, record.timeToFirstChunkMs / 1000);
  }
  const { finishReasons } = ended.reply;
  if (finishReasons !== undefined && finishReasons.length > 0) {
    told(ATTR.responseFinishReasons, [...finishReasons]);
  }
  if (content !== undefined) span.setAttributes(content);
  span.setAttributes(record.attributes);
  set(span, ATTR.userId, record.userId);
  set(span, ATTR.conversationId, record.conversationId);
  set(span, ATTR.tokenSource, record.tokenSource);
  set(span, ATTR.outcome, record.outcome);
  set(span, ATTR.costUsd, record.costUsd);
  set(span, ATTR.costSource, record.costSource);
  set(span, ATTR.costMissing, record.costMissing?.join(' '));
  set(span, ATTR.serviceTier, record.serviceTier);
  if (spanIsForeign) {
    releaseEnd(span, endOf(ended));
    return;
  }
  if (record.outcome === 'error') span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endOf(ended));
}

/** Lets a span go that nothing can be put on. */
export function closeUnrecorded(ended: EndedCall): void {
  const { span, spanIsForeign } = ended;
  if (spanIsForeign) releaseEnd(span, endOf(ended));
  else span.end();
}

function endOf({ startedAtMs, durationMs }: EndedCall): number {
  return startedAtMs + durationMs;
}

function set(span: Span, key: string, value: string | number | undefined): void {
  if (value !== undefined) span.setAttribute(key, value);
}
