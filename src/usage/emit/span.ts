import { SpanStatusCode, type Span, type SpanAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import { lacks, releaseEnd } from '../../otel/native-span.ts';
import {
  ATTR,
  ATTR_CACHE_WRITE_TOKENS,
  ATTR_DIMENSION_PREFIX,
  ATTR_OPENAI,
  ATTR_REQUEST,
  ATTR_TEXT_TOKENS,
  type SemconvGeneration,
} from '../../otel/semconv.ts';
import { hasFailed, type UsageRecord } from '../../domain/usage-record.ts';
import { byModality, metricTokens, type MetricTokens } from './metric-tokens.ts';

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
  const told = (key: string, value: string | number | boolean | string[] | undefined): void => {
    if (value !== undefined && (!spanIsForeign || lacks(span, key))) span.setAttribute(key, value);
  };
  told(ATTR.responseModel, record.responseModel);
  told(ATTR.responseId, record.responseId);
  told(ATTR.errorType, record.errorType);
  const usage = ended.tokenStatistics ? ended.reply.usage : undefined;
  const tokens = metricTokens(record, usage, true);
  const { counts } = tokens;
  told(ATTR.inputTokens, counts.inputTokens);
  told(ATTR.outputTokens, counts.outputTokens);
  told(ATTR.cacheReadTokens, counts.cacheReadTokens);
  told(ATTR.reasoningTokens, counts.reasoningTokens);
  for (const generation of generations) {
    told(ATTR_CACHE_WRITE_TOKENS[generation], counts.cacheWriteTokens);
  }
  if (record.timeToFirstChunkMs !== undefined) {
    told(ATTR.timeToFirstChunk, record.timeToFirstChunkMs / 1000);
  }
  told(ATTR.responseFinishReasons, finishReasons(ended));
  if (generations.includes('latest')) setTextTokens(span, tokens);
  if (record.provider === 'openai') {
    told(ATTR_OPENAI.responseServiceTier, ended.reply.serviceTier);
    told(ATTR_OPENAI.systemFingerprint, ended.reply.systemFingerprint);
  }
  if (ended.reply.isCompacted === true) told(ATTR_REQUEST.conversationCompacted, true);
  if (content !== undefined) span.setAttributes(content);
  span.setAttributes(record.attributes);
  set(span, ATTR.userId, record.userId);
  set(span, ATTR.conversationId, record.conversationId);
  set(span, ATTR.team, record.team);
  for (const name in record.dimensions) {
    set(span, ATTR_DIMENSION_PREFIX + name, record.dimensions[name]);
  }
  set(span, ATTR.agentName, record.agentName);
  set(span, ATTR.runId, record.runId);
  set(span, ATTR.toolName, record.toolName);
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
  if (hasFailed(record)) span.setStatus({ code: SpanStatusCode.ERROR });
  span.end(endOf(ended));
}

/** Lets a span go that nothing can be put on. */
export function closeUnrecorded(ended: EndedCall): void {
  const { span, spanIsForeign } = ended;
  if (spanIsForeign) releaseEnd(span, endOf(ended));
  else span.end();
}

/** `error` stands for a reason that never came. */
function finishReasons({ reply, replied, outcome, shape }: EndedCall): string[] | undefined {
  if (shape.inputOnly === true) return undefined;
  const { finishReasons: reasons = [] } = reply;
  if (reasons.length > 0) return reasons.map((reason) => reason ?? 'error');
  return replied && outcome !== 'ok' ? ['error'] : undefined;
}

/** What is left of each count when the other modalities are taken away. */
function setTextTokens(span: Span, tokens: MetricTokens): void {
  const text = (count: 'inputTokens' | 'outputTokens' | 'cacheReadTokens'): number | undefined => {
    const total = tokens.counts[count];
    return total === undefined ? undefined : byModality(tokens, count, total)?.get('text');
  };
  set(span, ATTR_TEXT_TOKENS.input, text('inputTokens'));
  set(span, ATTR_TEXT_TOKENS.cacheRead, text('cacheReadTokens'));
  set(span, ATTR_TEXT_TOKENS.output, text('outputTokens'));
}

function endOf({ startedAtMs, durationMs }: EndedCall): number {
  return startedAtMs + durationMs;
}

function set(span: Span, key: string, value: string | number | undefined): void {
  if (value !== undefined) span.setAttribute(key, value);
}
