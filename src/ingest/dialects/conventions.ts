import { usageOf } from '../../domain/token-counts.ts';
import { ATTR, ATTR_CACHE_WRITE_TOKENS } from '../../otel/semconv.ts';
import type { ReceivedAttributes, ReceivedLog, ReceivedSpan } from '../received.ts';
import type { ReportedCall } from '../reported-call.ts';
import { amountOf, countOf, textOf } from '../values.ts';

/**
 * Operations that are calls of a model. Agents, tools and workflows contain such calls and report their
 * sums.
 */
const OPERATIONS: ReadonlySet<string> = new Set([
  'chat',
  'text_completion',
  'generate_content',
  'embeddings',
]);

/** What OpenLLMetry calls its operations. */
const REQUEST_TYPES: ReadonlyMap<string, string> = new Map([
  ['chat', 'chat'],
  ['completion', 'text_completion'],
  ['embedding', 'embeddings'],
  ['rerank', 'rerank'],
]);

/**
 * Spans by the GenAI conventions of any generation: the instrumentations of OpenTelemetry, OpenLLMetry and
 * OpenLIT, which keep names of earlier conventions.
 */
export function callOfConventionalSpan(span: ReceivedSpan): ReportedCall | undefined {
  const { attributes } = span;
  const operation = operationOf(attributes);
  if (operation === undefined) return undefined;
  return {
    ...conventionalCall(attributes, operation),
    durationMs: durationMsOf(span),
    ...outcomeOf(span),
  };
}

/** Has an event for each span, and says of none of a stream which one it is of (1.45). */
const OPENLIT = /^openlit\b/;

/**
 * The event of the same conventions, of a call whose span is not exported: the span of a sampled call
 * reports more.
 */
export function callOfConventionalEvent(log: ReceivedLog): ReportedCall | undefined {
  const { attributes } = log;
  const operation = operationOf(attributes);
  if (operation === undefined || log.isSampled || OPENLIT.test(log.scope)) return undefined;
  return {
    ...conventionalCall(attributes, operation),
    durationMs: undefined,
    ...outcomeOf({ attributes, isError: false, exception: undefined }),
  };
}

function operationOf(attributes: ReceivedAttributes): string | undefined {
  const operation = textOf(attributes, ATTR.operationName);
  if (operation !== undefined) return OPERATIONS.has(operation) ? operation : undefined;
  const type = textOf(attributes, 'llm.request.type');
  return type === undefined ? undefined : REQUEST_TYPES.get(type.toLowerCase());
}

export function conventionalCall(
  attributes: ReceivedAttributes,
  operation: string,
): Omit<ReportedCall, 'durationMs' | 'outcome'> {
  const firstChunk = amountOf(
    attributes,
    ATTR.timeToFirstChunk,
    'gen_ai.server.time_to_first_token',
  );
  return {
    provider: textOf(attributes, ATTR.providerName, 'gen_ai.system'),
    operation,
    requestModel: textOf(attributes, ATTR.requestModel),
    responseModel: textOf(attributes, ATTR.responseModel),
    responseId: textOf(attributes, ATTR.responseId),
    usage: usageOf({
      inputTokens: countOf(attributes, ATTR.inputTokens, 'gen_ai.usage.prompt_tokens'),
      outputTokens: countOf(attributes, ATTR.outputTokens, 'gen_ai.usage.completion_tokens'),
      cacheReadTokens: countOf(
        attributes,
        ATTR.cacheReadTokens,
        'gen_ai.usage.cache_read_input_tokens',
      ),
      cacheWriteTokens: countOf(
        attributes,
        ATTR_CACHE_WRITE_TOKENS.latest,
        ATTR_CACHE_WRITE_TOKENS.v1_41,
        'gen_ai.usage.cache_creation_input_tokens',
      ),
      reasoningTokens: countOf(attributes, ATTR.reasoningTokens, 'gen_ai.usage.reasoning_tokens'),
    }),
    timeToFirstChunkMs: firstChunk === undefined ? undefined : firstChunk * 1000,
    // OpenLIT has 0 where it knows no price.
    estimatedCostUsd: amountOf(attributes, 'gen_ai.usage.cost') || undefined,
    serviceTier: textOf(
      attributes,
      'openai.response.service_tier',
      'gen_ai.openai.response.service_tier',
    ),
    agentName: textOf(attributes, 'gen_ai.agent.name'),
  };
}

export function durationMsOf({ startNs, endNs }: ReceivedSpan): number | undefined {
  return startNs === 0n || endNs < startNs ? undefined : Number(endNs - startNs) / 1e6;
}

export function outcomeOf({
  attributes,
  isError,
  exception,
}: Pick<ReceivedSpan, 'attributes' | 'isError' | 'exception'>): Pick<
  ReportedCall,
  'outcome' | 'errorType'
> {
  const errorType = textOf(attributes, ATTR.errorType);
  if (errorType === undefined && !isError) return { outcome: 'ok' };
  return { outcome: 'error', errorType: errorType ?? className(exception) ?? '_OTHER' };
}

/** Python has the module before the class. */
function className(exception: string | undefined): string | undefined {
  return exception?.split('.').at(-1);
}
