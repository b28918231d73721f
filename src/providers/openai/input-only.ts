import type { CallShape } from '../../domain/call-shape.ts';
import { fields, text } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { openaiRequest } from './request.ts';
import { chatUsage, responsesUsage } from './usage.ts';

/** `/moderations`. OpenAI asks nothing for them and reports no usage. */
export const moderation: CallShape = inputOnly('moderation');

/** `/rerank` of Together, billed by tokens. */
export const rerank: CallShape = inputOnly('rerank');

/** `/decisions`: classes and scores of an input, billed by tokens. */
export const decision: CallShape = inputOnly('decision', responsesUsage);

/** Replies of scores, without text. Their input is not counted: it is free, or how it is framed is unknown. */
function inputOnly(operation: string, usageOf: typeof responsesUsage = chatUsage): CallShape {
  return {
    operation,
    inputOnly: true,
    request: openaiRequest,
    reader: (options) =>
      new InputOnlyReader(options, (reply) => {
        const { id, model, usage } = fields(reply);
        return { usage: usageOf(usage), responseId: text(id), responseModel: text(model) };
      }),
    countable: () => ({ kind: 'unknown' }),
  };
}
