import { z } from 'zod';

/** The numbers of usage in answers of `/api/usage`. */

export const count = z.int().min(0);
export const tokens = z.number().min(0).optional();
export const share = z.number().min(0).max(1);
export const milliseconds = z.number().min(0).optional();

const amount = z.number().positive().optional();

/** As `UsageNumbers.units` has them, in the order of display. */
const unitAmounts = z.object({
  generated_images: amount,
  audio_input_seconds: amount,
  audio_output_seconds: amount,
  input_characters: amount,
  web_searches: amount,
  preview_web_searches: amount,
  file_searches: amount,
  map_searches: amount,
  rerank_searches: amount,
  code_executions: amount,
  pages: amount,
  annotated_pages: amount,
});
export type UnitName = keyof z.infer<typeof unitAmounts>;
export const unitNames = Object.keys(unitAmounts.shape) as UnitName[];
export const units = unitAmounts
  .optional()
  .describe('What is not counted in tokens; a kind that no call has is absent.');

export const numbers = {
  calls: count,
  errors: count,
  aborted: count,
  blocked: count.describe('Refused by a budget: part of calls, and of no rate.'),
  error_rate: share,
  abort_rate: share,
  input_tokens: tokens,
  output_tokens: tokens,
  total_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  reasoning_tokens: tokens,
  cache_read_share: share.optional(),
  cost_usd: z.number().min(0).optional().describe('Sum over the calls whose price is known.'),
  partial_cost_calls: count.describe(
    'Calls of which a billed part has no price: where there are any, cost_usd is the least that was paid.',
  ),
  unpriced_calls: count.describe('Counted calls without a price: not part of cost_usd.'),
  counted_calls: count,
  estimated_share: share.optional(),
  duration_ms: z.number().min(0),
  duration_p50_ms: milliseconds,
  duration_p95_ms: milliseconds,
  duration_p99_ms: milliseconds,
  time_to_first_chunk_ms: milliseconds,
  time_to_first_chunk_p50_ms: milliseconds,
  time_to_first_chunk_p95_ms: milliseconds,
  time_to_first_chunk_p99_ms: milliseconds,
  output_tokens_per_second: z.number().min(0).optional(),
  units,
};
export const usageNumbers = z
  .object(numbers)
  .describe('Absent if no call has a value: a sum of unknown values is not 0.');

const NUMBER = `(${Object.keys(numbers).join('|')})`;
export const FIELDS = `^${NUMBER}(,${NUMBER})*$`;
