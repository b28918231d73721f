import { fields, objectAt, stringAt } from '../../tokens/json.ts';
import type { BatchResult } from '../batch/batch-results.ts';
import { failureIn } from '../reply-failure.ts';
import { messages } from './messages.ts';

/**
 * One line of `messages.batches.results()`: `{ custom_id, result: { type, message | error } }`. What was
 * cancelled or expired is not billed.
 */
export function anthropicBatchLine(line: unknown): BatchResult | undefined {
  const customId = stringAt(line, 'custom_id');
  const result = objectAt(line, 'result');
  const type = stringAt(result, 'type');
  if (customId === undefined || result === undefined || type === undefined) return undefined;
  const { message, error } = result;
  if (type === 'succeeded') return { shape: messages, customId, body: message };
  // The error stands in an envelope of the same name.
  const code = failureIn(fields(error)) ?? failureIn(result) ?? type;
  return {
    shape: messages,
    customId,
    failure: type === 'errored' ? { outcome: 'error', type: code } : { outcome: 'aborted', type },
  };
}
