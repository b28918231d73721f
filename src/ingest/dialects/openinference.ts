import { usageOf } from '../../domain/token-counts.ts';
import { stringAt } from '../../tokens/json.ts';
import type { ReceivedSpan } from '../received.ts';
import type { ReportedCall } from '../reported-call.ts';
import { amountOf, countOf, textOf } from '../values.ts';
import { durationMsOf, outcomeOf } from './conventions.ts';

const OPERATIONS: ReadonlyMap<string, string> = new Map([
  ['LLM', 'chat'],
  ['EMBEDDING', 'embeddings'],
  ['RERANKER', 'rerank'],
]);

/** Spans by OpenInference, the conventions of Arize's instrumentations. */
export function callOfOpenInference(span: ReceivedSpan): ReportedCall | undefined {
  const { attributes } = span;
  const operation = OPERATIONS.get(textOf(attributes, 'openinference.span.kind') ?? '');
  if (operation === undefined) return undefined;
  const model = textOf(attributes, 'llm.model_name', 'embedding.model_name', 'reranker.model_name');
  return {
    provider: textOf(attributes, 'llm.provider', 'llm.system'),
    operation,
    requestModel:
      textOf(attributes, 'llm.request.model_name') ??
      model ??
      modelAskedFor(attributes['llm.invocation_parameters']),
    responseModel: textOf(attributes, 'llm.response.model_name') ?? model,
    responseId: textOf(attributes, 'llm.response.id', 'gen_ai.response.id'),
    usage: usageOf({
      inputTokens: countOf(attributes, 'llm.token_count.prompt'),
      outputTokens: countOf(attributes, 'llm.token_count.completion'),
      cacheReadTokens: countOf(attributes, 'llm.token_count.prompt_details.cache_read'),
      cacheWriteTokens: countOf(attributes, 'llm.token_count.prompt_details.cache_write'),
      reasoningTokens: countOf(attributes, 'llm.token_count.completion_details.reasoning'),
      audioInputTokens: countOf(attributes, 'llm.token_count.prompt_details.audio'),
      audioOutputTokens: countOf(attributes, 'llm.token_count.completion_details.audio'),
    }),
    durationMs: durationMsOf(span),
    estimatedCostUsd: amountOf(attributes, 'llm.cost.total'),
    agentName: textOf(attributes, 'agent.name'),
    ...outcomeOf(span),
  };
}

/** A failed call has no other name of its model. */
function modelAskedFor(parameters: unknown): string | undefined {
  try {
    return stringAt(JSON.parse(String(parameters)), 'model');
  } catch {
    return undefined;
  }
}
