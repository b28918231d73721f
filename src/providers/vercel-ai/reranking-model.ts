import type { CallShape } from '../../domain/call-shape.ts';
import { objectAt, stringAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { modelFacts } from './prompt.ts';

/** `doRerank`: billed by the search, of which no model reports a count. */
export const rerank: CallShape = {
  operation: 'rerank',
  inputOnly: true,
  request: modelFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => ({
      responseId: stringAt(objectAt(reply, 'response'), 'id'),
      responseModel: stringAt(objectAt(reply, 'response'), 'modelId'),
    })),
  countable: () => ({ kind: 'unknown' }),
};
