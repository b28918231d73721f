import { z } from 'zod';
import { count, share } from './usage-numbers.ts';

/** Answers of `/api/usage/costs` and `/api/usage/forecast`. */

const dollars = z.number();
const summedCost = {
  calls: count,
  cost_usd: dollars.optional().describe('Absent if no call has a cost.'),
  partial_cost_calls: count.describe('If not 0, cost_usd is the least that was paid.'),
  unpriced_calls: count.describe('Calls without a price: not part of cost_usd.'),
  estimated_calls: count.describe('Calls whose tokens were estimated.'),
};
const wastedCost = z.object({
  ...summedCost,
  retried: z
    .object(summedCost)
    .describe('Those after which the same user, conversation and model succeeded within a minute.'),
});
const cacheSaving = {
  calls: count.describe('Calls that read or wrote a prompt cache.'),
  unknown_calls: count.describe('Those whose prices are not known: in none of the sums.'),
  read_saved_usd: dollars.describe('Input price less cache price of the tokens read.'),
  write_premium_usd: dollars.describe('Price of writing beyond the input price.'),
  saved_usd: dollars.describe('Negative where writing cost more than reading saved.'),
};
const costByKind = z.object({
  input: dollars,
  cache_reads: dollars,
  cache_writes: dollars,
  output: dollars,
  modalities_and_tools: dollars,
});
const missingParts = z
  .record(z.string(), count)
  .describe('Parts without a price, in no sum, with the number of their calls.');

export const usageCosts = z.object({
  total: z.object(summedCost),
  caching: z.object({
    ...cacheSaving,
    by_model: z.array(z.object({ model: z.string(), ...cacheSaving })),
    by_user: z.array(z.object({ user: z.string().nullable(), ...cacheSaving })),
  }),
  failed: wastedCost,
  aborted: wastedCost,
  what_if: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      calls: count,
      compared_calls: count.describe('Those with a price for both models: only they are compared.'),
      unpriced_calls: count,
      unpriced_then: count.describe('Calls without a price for the other model.'),
      cost_usd: dollars.optional(),
      cost_then_usd: dollars.optional(),
      saved_usd: dollars.optional(),
      by_kind: costByKind.optional(),
      by_kind_then: costByKind.optional(),
      missing: missingParts,
      missing_then: missingParts,
      other_tokenizer: z
        .boolean()
        .describe('The models may count the same text differently; the recorded counts are used.'),
    }),
  ),
  prices: z
    .object({ name: z.string(), date: z.string().optional(), overrides: z.string().optional() })
    .optional(),
});

const metricForecast = z
  .object({
    used: z.number().min(0).describe('From the start of the month until now.'),
    projected: z
      .number()
      .min(0)
      .optional()
      .describe('At the end of the month. Absent with too little history.'),
    low: z.number().min(0).optional(),
    high: z.number().min(0).optional(),
    days: count.describe('Complete days that the projection is based on, or would be.'),
    at_least: z.literal(true).optional().describe('Parts are unknown: the numbers are the least.'),
  })
  .optional();

export const usageForecast = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  time_zone: z.string(),
  time: z.iso.datetime(),
  history_from: z.iso.date().optional().describe('First complete day of the history.'),
  required_days: count.describe('Complete days that a projection requires.'),
  confidence: share.describe('Chance that the end of the month is from low to high.'),
  metrics: z
    .object({
      cost_usd: metricForecast,
      total_tokens: metricForecast,
      input_tokens: metricForecast,
      output_tokens: metricForecast,
      calls: metricForecast,
    })
    .describe('A metric that no call of the month has is absent.'),
});
