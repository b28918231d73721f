import { usageOf } from '../../domain/token-counts.ts';
import type { ReceivedSpan } from '../received.ts';
import type { ReportedCall } from '../reported-call.ts';
import { amountOf, countOf, textOf } from '../values.ts';
import { conventionalCall, durationMsOf, outcomeOf } from './conventions.ts';

/** Spans of AI SDK that are one call of a model; their parents report sums over all steps. */
const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['ai.generateText.doGenerate', 'chat'],
  ['ai.streamText.doStream', 'chat'],
  ['ai.generateObject.doGenerate', 'chat'],
  ['ai.streamObject.doStream', 'chat'],
  ['ai.embed.doEmbed', 'embeddings'],
  ['ai.embedMany.doEmbed', 'embeddings'],
]);

/** Spans of `experimental_telemetry` of AI SDK 4 to 6. AI SDK 7 follows the GenAI conventions. */
export function callOfVercelAi(span: ReceivedSpan): ReportedCall | undefined {
  const { attributes } = span;
  const operation = OPERATIONS.get(textOf(attributes, 'ai.operationId') ?? span.name);
  if (operation === undefined) return undefined;
  const call = conventionalCall(attributes, operation);
  const firstChunkMs = amountOf(attributes, 'ai.response.msToFirstChunk');
  return {
    ...call,
    provider: call.provider ?? textOf(attributes, 'ai.model.provider'),
    requestModel: call.requestModel ?? textOf(attributes, 'ai.model.id'),
    responseModel: call.responseModel ?? textOf(attributes, 'ai.response.model'),
    responseId: call.responseId ?? textOf(attributes, 'ai.response.id'),
    usage: usageOf({
      inputTokens:
        call.usage?.inputTokens ??
        countOf(attributes, 'ai.usage.inputTokens', 'ai.usage.promptTokens', 'ai.usage.tokens'),
      outputTokens:
        call.usage?.outputTokens ??
        countOf(attributes, 'ai.usage.outputTokens', 'ai.usage.completionTokens'),
      cacheReadTokens:
        call.usage?.cacheReadTokens ?? countOf(attributes, 'ai.usage.cachedInputTokens'),
      cacheWriteTokens: call.usage?.cacheWriteTokens,
      reasoningTokens:
        call.usage?.reasoningTokens ?? countOf(attributes, 'ai.usage.reasoningTokens'),
    }),
    timeToFirstChunkMs: call.timeToFirstChunkMs ?? firstChunkMs,
    durationMs: durationMsOf(span),
    ...outcomeOf(span),
  };
}
