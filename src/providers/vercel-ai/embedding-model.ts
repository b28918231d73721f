import { isObject, listOf, objectAt } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import { tokenCount } from '../../domain/token-counts.ts';
import { modelFacts } from './prompt.ts';

/** `doEmbed` of an embedding model, specification v2 to v4. */
export const embed: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: modelFacts,
  reader: (options) =>
    new InputOnlyReader(options, (reply) => {
      const inputTokens = tokenCount(objectAt(reply, 'usage')?.['tokens']);
      return { usage: inputTokens === undefined ? undefined : { inputTokens } };
    }),
  countable: (options) => ({
    kind: 'texts',
    texts: listOf(isObject(options) ? options['values'] : undefined).filter(
      (value) => typeof value === 'string',
    ),
    tokens: 0,
  }),
};
