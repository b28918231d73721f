import { z } from 'zod';

/** Query parameters and answers of `/api/usage`: what checks requests also makes the OpenAPI document. */

const GROUPS = [
  'user',
  'model',
  'conversation',
  'provider',
  'outcome',
  'service',
  'team',
  'error',
  'agent',
  'run',
  'tool',
  'hour',
  'day',
] as const;
export const METRICS = [
  'calls',
  'errors',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost_usd',
  'duration_ms',
] as const;
const OUTCOMES = ['ok', 'error', 'aborted', 'blocked'] as const;

const one = <T extends z.ZodType>(value: T): z.ZodUnion<[T, z.ZodArray<T>]> =>
  z.union([value, z.array(value)]);
const names = one(z.string().max(1024)).optional();
const TIME =
  'now, an age such as 24h or 7d, a date (start of that day in time_zone), or an RFC 3339 time';
export const flag = z.enum(['true', 'false']).optional();

const filter = {
  user: names.describe('Only these users; empty: calls without a user.'),
  model: names.describe('Only these models, as requested.'),
  conversation: names.describe('Only these conversations; empty: calls without one.'),
  provider: names.describe('Only these providers.'),
  outcome: one(z.enum(OUTCOMES)).optional().describe('Only calls that ended so.'),
  service: names.describe('Only these services.'),
  team: names.describe('Only these teams; empty: calls without one.'),
  error: names.describe(
    'Only these classes of errors, such as rate_limit; empty: calls without one.',
  ),
  agent: names.describe('Only calls of these agents; empty: calls without one.'),
  run: names.describe('Only calls of these runs of agents; empty: calls without one.'),
  tool: names.describe('Only calls made in these tools; empty: calls made in none.'),
};

/** Parameters with filters by dimensions, under their full names and those that nothing else has. */
export function withDimensions<T extends z.ZodRawShape>(
  parameters: z.ZodObject<T, z.core.$strict>,
  dimensions: readonly string[],
): z.ZodObject<T, z.core.$strict> {
  const more = dimensions.flatMap((name) => {
    const schema = names.describe(`Only calls with these values of ${name}; empty: without one.`);
    const short = name in parameters.shape || isGroup(name) ? [] : [[name, schema] as const];
    return [[`dimension.${name}`, schema] as const, ...short];
  });
  return parameters.extend(Object.fromEntries(more)) as unknown as typeof parameters;
}

function isGroup(name: string): boolean {
  return (GROUPS as readonly string[]).includes(name);
}

/** A group as it may be asked for: dimensions by their names alone, unless these mean something else. */
export function groupOf(name: string, dimensions: readonly string[]): string {
  return dimensions.includes(name) && !isGroup(name) ? `dimension.${name}` : name;
}

/** The reader checks the text and names what it allows; this is what the description says of it. */
const time = z.string().meta({
  override: {
    anyOf: [
      { const: 'now' },
      { pattern: '^[0-9]{1,4}[mhdw]$' },
      { format: 'date' },
      { format: 'date-time' },
    ],
  },
});
const timeZone = z
  .string()
  .refine(isTimeZone, { error: notATimeZone })
  .meta({
    id: 'TimeZone',
    description: 'IANA name; aliases are accepted too',
    override: { enum: ['UTC', ...Intl.supportedValuesOf('timeZone')] },
  });
const range = {
  from: time.optional().describe(`Start, included: ${TIME}. Default: 24 hours before to.`),
  to: time.optional().describe(`End, not included: ${TIME}. Default: now.`),
  time_zone: timeZone
    .optional()
    .describe('IANA name for the borders of hours and days. Default: UTC.'),
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

function notATimeZone({ input }: { readonly input?: unknown }): string {
  return `${JSON.stringify(String(input).slice(0, 64))} is not the IANA name of a time zone`;
}

/** Every list of one or two names; at most one of them is a time. */
const groupings = GROUPS.flatMap((first) => [
  first,
  ...GROUPS.filter((other) => other !== first && !(isTime(first) && isTime(other))).map(
    (second) => `${first},${second}`,
  ),
]);

/** One or two keys, at least one of them a dimension. */
const KEY = '[a-z][a-z0-9_]{0,31}';
const WITH_DIMENSION = `^(${KEY},)?dimension\\.${KEY}$|^dimension\\.${KEY},${KEY}$`;

function isTime(group: string): boolean {
  return group === 'hour' || group === 'day';
}
const limit = z.coerce.number<string>().int().min(1).max(1000).optional();

/** Columns of a table by one key, in the order of its file. */
export const tableColumns = [
  'name',
  'calls',
  'errors',
  'aborted',
  'error_rate',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cache_read_share',
  'cost_usd',
  'partial_cost_calls',
  'unpriced_calls',
  'mean_duration_ms',
] as const;
export type TableColumn = (typeof tableColumns)[number];

export const tableParameters = z.strictObject({
  ...range,
  ...filter,
  group_by: z
    .enum(GROUPS)
    .exclude(['hour', 'day'])
    .describe('Each of its values is a row; beyond 100,000 the rest is one row.'),
  compare: z.enum(['none', 'previous']).optional().describe('previous adds the period before.'),
  search: z.string().max(256).optional().describe('Only names with this text, in any case.'),
  sort: z.enum(tableColumns).optional().describe('Orders the rows. Default: total_tokens.'),
  order: z.enum(['asc', 'desc']).optional().describe('Default: desc.'),
  offset: z.coerce
    .number<string>()
    .int()
    .min(0)
    .max(1_000_000)
    .optional()
    .describe('Rows to leave out. Default: 0.'),
  limit: limit.describe('Rows of the page. Default: 50.'),
  quick: flag.describe(
    'true: the first page by a sum may come before all rows are read, without count and previous.',
  ),
});

export const recordsParameters = z.strictObject({
  ...range,
  ...filter,
  limit: limit.describe('Records a page. Default: 100.'),
  cursor: z.string().min(1).optional().describe('Of the page before; the rest must be the same.'),
});

export const exportParameters = z.strictObject({ ...range, ...filter });

export const forecastParameters = z.strictObject({
  ...filter,
  time_zone: timeZone.optional().describe('IANA name for the month and its days. Default: UTC.'),
});

export const costsParameters = z.strictObject({
  ...range,
  ...filter,
  what_if: one(
    z
      .string()
      .max(512)
      .regex(/^[^=]+=[^=]+$/),
  )
    .optional()
    .describe('MODEL=OTHER: what the calls of a model would have cost with another one.'),
});

const count = z.int().min(0);
const tokens = z.number().min(0).optional();
const share = z.number().min(0).max(1);
const milliseconds = z.number().min(0).optional();

const numbers = {
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
};
const usageNumbers = z
  .object(numbers)
  .describe('Absent if no call has a value: a sum of unknown values is not 0.');

const NUMBER = `(${Object.keys(numbers).join('|')})`;
const FIELDS = `^${NUMBER}(,${NUMBER})*$`;

export const summaryParameters = z.strictObject({
  ...range,
  ...filter,
  group_by: z
    .string()
    .meta({ override: { anyOf: [{ enum: ['', ...groupings] }, { pattern: WITH_DIMENSION }] } })
    .optional()
    .describe(
      `One or two of ${GROUPS.join(', ')} and dimension. with a name, separated by a comma; one of them a time.`,
    ),
  metric: z.enum(METRICS).optional().describe('Orders the rows. Default: total_tokens.'),
  order: z.enum(['asc', 'desc']).optional().describe('Default: desc.'),
  limit: limit.describe(
    'Number of values with a separate row; the rest is summed up in (other). Default: 20.',
  ),
  compare: z.enum(['none', 'previous']).optional().describe('previous adds the period before.'),
  percentiles: flag.describe('true adds p50, p95 and p99; slower.'),
  distinct: flag.describe('true adds the number of users and conversations.'),
  fields: z
    .string()
    .max(1024)
    .refine((names) => names.split(',').every((name) => name in numbers), {
      error: `must be names out of ${Object.keys(numbers).join(', ')}, separated by commas`,
    })
    .meta({ override: { pattern: FIELDS } })
    .optional()
    .describe('Numbers of the rows, separated by commas; the total has all. Default: all.'),
});

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

export const usageErasure = z.object({
  found: count.describe('Calls of the user.'),
  erased: count,
  may_remain: z.array(z.string()).describe('Files where calls of the user may still be.'),
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
