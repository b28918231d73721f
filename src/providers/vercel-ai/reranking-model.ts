import type { CallShape } from '../../domain/call-shape.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import { fields, objectAt, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { modelFacts } from './prompt.ts';

/** `doRerank`: billed by the search, whose number only the vendor's reply has (Cohere). */
export const rerank: CallShape = {
  operation: 'rerank',
  inputOnly: true,
  request: modelFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const response = objectAt(reply, 'response');
      const billed = fields(fields(fields(response?.['body'])['meta'])['billed_units']);
      const searches = tokenCount(billed['search_units']);
      return {
        usage: searches === undefined ? undefined : { rerankSearches: searches },
        responseId: stringAt(response, 'id'),
        responseModel: stringAt(response, 'modelId'),
      };
    }),
  countable: () => ({ kind: 'unknown' }),
};
