import { z } from 'zod';
import { FIELDS, numbers } from './usage-numbers.ts';

/** Query parameters of `/api/usage`: what checks requests also makes the OpenAPI document. */

export const GROUPS = [
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
export const OUTCOMES = ['ok', 'error', 'aborted', 'blocked'] as const;

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
