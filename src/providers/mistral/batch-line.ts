import { fields } from '../../tokens/json.ts';
import type { BatchResult } from '../batch/batch-results.ts';
import { openaiBatchLine } from '../openai/batch-line.ts';
import { moderation as scored } from '../openai/input-only.ts';

/**
 * One line of the results of a batch, in the format of OpenAI and with replies as the API sends them. Pages that were
 * read cost less in a batch, by how much is not known here: such lines are no results.
 */
export function mistralBatchLine(line: unknown): BatchResult | undefined {
  const result = openaiBatchLine(line);
  const body = fields(result?.body);
  if (result === undefined || body['usage_info'] !== undefined) return undefined;
  return Array.isArray(body['results']) ? { ...result, shape: scored } : result;
}
