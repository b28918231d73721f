import { plus, usageOf } from '../../domain/token-counts.ts';
import { ATTR } from '../../otel/semconv.ts';
import type { ReceivedLog, ReceivedSpan } from '../received.ts';
import type { ReportedCall } from '../reported-call.ts';
import { amountOf, countOf, textOf } from '../values.ts';

const SCOPE = 'com.anthropic.claude_code';

/**
 * Events of Claude Code: one `api_request` a call, one `api_error` a failed one. Its metrics and spans report
 * the same calls. Input is given without cached tokens, as Anthropic's API has it.
 */
export function callOfClaudeCode(log: ReceivedLog): ReportedCall | undefined {
  const { attributes, eventName } = log;
  const isRequest = eventName === 'claude_code.api_request' || isEvent(log, 'api_request');
  const isError = eventName === 'claude_code.api_error' || isEvent(log, 'api_error');
  if (!isRequest && !isError) return undefined;
  const cacheReadTokens = countOf(attributes, 'cache_read_tokens');
  const cacheWriteTokens = countOf(attributes, 'cache_creation_tokens');
  const common = {
    provider: 'anthropic',
    operation: 'chat',
    requestModel: textOf(attributes, 'model'),
    durationMs: amountOf(attributes, 'duration_ms'),
    responseId: textOf(attributes, 'request_id'),
    agentName: 'claude-code',
  };
  if (isError) {
    const errorType = textOf(attributes, 'status_code', 'error_type') ?? '_OTHER';
    return { ...common, usage: undefined, outcome: 'error', errorType };
  }
  return {
    ...common,
    usage: usageOf({
      inputTokens: plus(countOf(attributes, 'input_tokens'), cacheReadTokens, cacheWriteTokens),
      outputTokens: countOf(attributes, 'output_tokens'),
      cacheReadTokens,
      cacheWriteTokens,
      reasoningTokens: undefined,
    }),
    estimatedCostUsd: amountOf(attributes, 'cost_usd'),
    serviceTier: textOf(attributes, 'speed') === 'fast' ? 'fast' : undefined,
    outcome: 'ok',
  };
}

function isEvent({ scope, attributes }: ReceivedLog, name: string): boolean {
  return scope.startsWith(SCOPE) && attributes['event.name'] === name;
}

/**
 * A call that is recorded by the process that started Claude Code, by the messages it reads. Whatever the tools of
 * Claude Code start inherits the attribute of the resource, and is reported by itself.
 */
export function isMeteredByItsParent(item: ReceivedLog | ReceivedSpan): boolean {
  if (item.resource[ATTR.isMetered] !== 'true') return false;
  return 'eventName' in item ? callOfClaudeCode(item) !== undefined : item.scope.startsWith(SCOPE);
}
