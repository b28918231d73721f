import { usageOf } from '../../domain/token-counts.ts';
import type { ReceivedLog } from '../received.ts';
import type { ReportedCall } from '../reported-call.ts';
import { countOf, textOf } from '../values.ts';

const EVENTS: ReadonlySet<string> = new Set(['codex.sse_event', 'codex.websocket_event']);

/**
 * Events of Codex: the end of each response has its token counts, with cached tokens as part of the input.
 * The event has no duration of the call.
 */
export function callOfCodex({ eventName, attributes }: ReceivedLog): ReportedCall | undefined {
  if (!EVENTS.has(eventName) || attributes['event.kind'] !== 'response.completed') return undefined;
  const usage = usageOf({
    inputTokens: countOf(attributes, 'input_token_count'),
    outputTokens: countOf(attributes, 'output_token_count'),
    cacheReadTokens: countOf(attributes, 'cached_token_count'),
    cacheWriteTokens: undefined,
    reasoningTokens: countOf(attributes, 'reasoning_token_count'),
  });
  if (usage === undefined) return undefined;
  return {
    provider: 'openai',
    operation: 'chat',
    requestModel: textOf(attributes, 'model', 'slug'),
    usage,
    durationMs: undefined,
    outcome: 'ok',
    agentName: 'codex',
  };
}
