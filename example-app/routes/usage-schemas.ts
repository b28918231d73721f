import { z } from 'zod';
import {
  count,
  milliseconds,
  numbers,
  share,
  tokens,
  units,
  usageNumbers,
} from './usage-numbers.ts';
import { GROUPS, OUTCOMES } from './usage-parameters.ts';

/** Answers of `/api/usage` with rows and calls. */

const total = z.object({ ...numbers, users: count.optional(), conversations: count.optional() });

const usageRow = z.object({
  user: z.string().nullable().optional(),
  model: z.string().optional(),
  conversation: z.string().nullable().optional(),
  provider: z.string().optional(),
  outcome: z.string().optional(),
  service: z.string().optional(),
  team: z.string().nullable().optional(),
  error: z.string().nullable().optional().describe('Class of the errors.'),
  agent: z.string().nullable().optional(),
  run: z.string().nullable().optional(),
  tool: z.string().nullable().optional(),
  hour: z.string().optional().describe('Local start with its offset.'),
  day: z.string().optional().describe('Local date.'),
  start: z.iso.datetime().optional().describe('Start of the hour or day in UTC.'),
  ...numbers,
  is_other: z.literal(true).optional(),
  share: share.optional(),
  previous: usageNumbers.optional(),
});

const missing = z
  .array(z.object({ from: z.iso.datetime(), to: z.iso.datetime() }))
  .optional()
  .describe(
    'Parts of the range, or of the previous one, of which the numbers lack calls that are no longer kept.',
  );

export const usageSummary = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  group_by: z.array(z.string()),
  rows: z
    .array(usageRow)
    .describe('Values of dimensions are under their keys, such as dimension.feature.'),
  other: usageNumbers.optional(),
  total,
  previous: total.optional(),
  missing,
});

/** With `fields`, rows have no other numbers. */
export const usageSummaryAnswer = usageSummary.extend({ rows: z.array(usageRow.partial()) });

export const usageTable = z.object({
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  group_by: z.array(z.enum(GROUPS)),
  count: count.optional().describe('Rows of all pages; absent only where quick was asked for.'),
  rows: z.array(usageRow),
  total: total.describe('Of all rows, whatever is searched for.'),
  missing,
});

export const usageRecord = z.object({
  id: z.string(),
  time: z.string(),
  service: z.string(),
  operation: z.string(),
  provider: z.string(),
  request_model: z.string(),
  response_model: z.string().optional(),
  response_id: z.string().optional(),
  user_id: z.string().optional(),
  conversation_id: z.string().optional(),
  team: z.string().optional(),
  dimensions: z.record(z.string(), z.string()).optional(),
  agent_name: z.string().optional(),
  run_id: z.string().optional(),
  tool_name: z.string().optional().describe('The innermost tool that the call was made in.'),
  steps: z
    .array(
      z.object({
        kind: z.enum(['agent', 'tool', 'workflow']),
        name: z.string(),
        id: z.string(),
      }),
    )
    .optional()
    .describe('From the start of the run to the step that made the call.'),
  duration_ms: z.number(),
  time_to_first_chunk_ms: milliseconds,
  input_tokens: tokens,
  output_tokens: tokens,
  total_tokens: tokens,
  cache_read_tokens: tokens,
  cache_write_tokens: tokens,
  reasoning_tokens: tokens,
  units,
  token_source: z.enum(['provider', 'counted', 'estimated']).optional(),
  outcome: z.enum(OUTCOMES),
  error_type: z.string().optional(),
  cost_usd: z.number().optional(),
  cost_source: z.enum(['provider', 'list', 'contract', 'estimated']).optional(),
  cost_missing: z.array(z.string()).optional(),
  service_tier: z.string().optional(),
  attributes: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
  trace_id: z.string().optional(),
  span_id: z.string().optional(),
});

export const usagePage = z.object({
  records: z.array(usageRecord),
  cursor: z.string().optional().describe('Absent on the last page.'),
});

export const usageConversation = z.object({
  id: z.string(),
  records: z.array(usageRecord).describe('Oldest first; of a longer conversation the newest 1000.'),
  truncated: z.boolean(),
  total: usageNumbers.optional(),
});

const runPart = {
  start: z.iso.datetime().describe('Start of the first call.'),
  end: z.iso.datetime().describe('End of the last call.'),
  elapsed_ms: z.number(),
  total: usageNumbers.describe('All calls inside.'),
  models: z
    .array(usageNumbers.extend({ provider: z.string(), model: z.string() }))
    .describe('Calls that were made here and in no step inside, by model.'),
};
const runStep = z.object({
  kind: z.enum(['agent', 'tool', 'workflow']),
  name: z.string(),
  id: z.string().describe('Id of the span of the step.'),
  start: runPart.start,
  end: runPart.end,
  elapsed_ms: runPart.elapsed_ms,
  total: runPart.total,
  models: runPart.models,
  // A spread member would leave the type of a recursive schema unknown.
  get steps() {
    return z.array(runStep);
  },
});

export const usageRunTree = z.object({
  id: z.string(),
  ...runPart,
  steps: z.array(runStep).describe('By start. Steps without a call are in the trace alone.'),
  truncated: z.boolean().describe('Of a run of more than 100,000 calls the newest are here.'),
  folded_calls: count
    .optional()
    .describe('Calls of steps beyond the first 5,000: counted in the step around them.'),
});

export const usageErasure = z.object({
  found: count.describe('Calls of the user.'),
  erased: count,
  may_remain: z
    .array(z.string())
    .describe('Files, and other places, where calls of the user may still be.'),
});
