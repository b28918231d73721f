import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import { fields, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';

export const embed: CallShape = inputOnly('embeddings', (request) => ({
  kind: 'texts',
  texts: textsIn(fields(request)['input']),
  tokens: 0,
}));

/** Lists of the chunks of each document. */
export const contextualizedEmbed: CallShape = inputOnly('embeddings', (request) => ({
  kind: 'texts',
  texts: textsIn(fields(request)['inputs']),
  tokens: 0,
}));

/** What an image counts is the provider's to say. */
export const multimodalEmbed: CallShape = inputOnly('embeddings', () => ({ kind: 'unknown' }));

/** Billed by the tokens of the documents, and of the query once for each of them. */
export const rerank: CallShape = inputOnly('rerank', () => ({ kind: 'unknown' }));

function inputOnly(operation: string, countable: (request: unknown) => CountableInput): CallShape {
  return {
    operation,
    inputOnly: true,
    request: (request) => ({ model: stringAt(request, 'model') }),
    reader: (options) =>
      new InputOnlyReader(options, (reply) => {
        const usage = objectAt(reply, 'usage');
        const inputTokens = tokenCount(usage?.['totalTokens'] ?? usage?.['total_tokens']);
        return {
          usage: inputTokens === undefined ? undefined : { inputTokens },
          responseModel: stringAt(reply, 'model'),
        };
      }),
    countable,
  };
}

function textsIn(value: unknown): readonly string[] {
  return typeof value === 'string' ? [value] : listOf(value).flatMap(textsIn);
}
