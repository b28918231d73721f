import type { CallShape } from '../../domain/call-shape.ts';
import { fields, text } from '../../tokens/json.ts';
import type { BatchResult } from '../batch/batch-results.ts';
import { madeAt } from '../batch/made-at.ts';
import { failureIn } from '../reply-failure.ts';
import { chatCompletions } from './chat-completions.ts';
import { completions, embeddings } from './completions.ts';
import { images } from './media.ts';
import { openaiRequest } from './request.ts';
import { responses } from './responses.ts';

/** Kind of call, by the `object` of its reply. */
const SHAPES: ReadonlyMap<unknown, CallShape> = new Map([
  ['chat.completion', chatCompletions()],
  ['response', responses],
  ['text_completion', completions],
  ['list', embeddings],
]);

/**
 * One line of an output or error file of OpenAI's Batch API, and of those that copied it (Azure, Groq):
 * `{ id, custom_id, response: { status_code, body }, error }`. Undefined for a line of any other file.
 */
export function openaiBatchLine(line: unknown): BatchResult | undefined {
  const { id, custom_id: customId, response, error } = fields(line);
  if (typeof customId !== 'string' || (!response && !error)) return undefined;
  const { status_code: status, body } = fields(response);
  const named = { customId, resultId: text(id) };
  if (error || (typeof status === 'number' && status >= 400)) {
    const type = failureIn(error ? { error } : body) ?? String(status);
    return {
      ...named,
      shape: shapeOf(body),
      failure: { outcome: type === 'batch_cancelled' ? 'aborted' : 'error', type },
    };
  }
  const { created, created_at: createdAt, completed_at: completedAt } = fields(body);
  return {
    ...named,
    shape: shapeOf(body),
    body,
    // Responses repeat these fields of their requests.
    facts: { ...openaiRequest(body), stream: undefined },
    madeAtMs: madeAt(completedAt ?? createdAt ?? created),
  };
}

/** A reply with images has no `object`. */
function shapeOf(body: unknown): CallShape {
  const { object, data } = fields(body);
  if (object === undefined && Array.isArray(data)) return images;
  return SHAPES.get(object) ?? chatCompletions();
}
