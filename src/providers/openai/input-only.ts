import type { CallShape } from '../../domain/call-shape.ts';
import { fields, text } from '../../tokens/json.ts';
import { InputOnlyReader } from '../input-only-reader.ts';
import { openaiRequest } from './request.ts';
import { chatUsage } from './usage.ts';

/** `/moderations`. OpenAI asks nothing for them and reports no usage. */
export const moderation: CallShape = inputOnly('moderation');

/** `/rerank` of Together, billed by tokens. */
export const rerank: CallShape = inputOnly('rerank');

/** Replies of scores, without text. Their input is not counted: it is free, or how it is framed is unknown. */
function inputOnly(operation: string): CallShape {
  return {
    operation,
    inputOnly: true,
    request: openaiRequest,
    reader: (options) =>
      new InputOnlyReader(options, (reply) => {
        const { id, model, usage } = fields(reply);
        return { usage: chatUsage(usage), responseId: text(id), responseModel: text(model) };
      }),
    countable: () => ({ kind: 'unknown' }),
  };
}
