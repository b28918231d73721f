import { parseUsageTime } from 'otel-token-meter/exporter';
import type {
  UsageFilter,
  UsageForecastQuery,
  UsageGroup,
  UsageMetric,
  UsageQuery,
  UsageRecordsQuery,
} from 'otel-token-meter/exporter';
import type { z } from 'zod';
import type {
  costsParameters,
  exportParameters,
  forecastParameters,
  summaryParameters,
} from './usage-schemas.ts';

const DAY_MS = 86_400_000;

type Parameters = z.infer<typeof exportParameters>;

async function rangeOf(parameters: Parameters, now: Date): Promise<{ from: Date; to: Date }> {
  const { from, to, time_zone: timeZone } = parameters;
  const end = to === undefined ? now : await parseUsageTime(to, timeZone, now);
  const start =
    from === undefined
      ? new Date(end.getTime() - DAY_MS)
      : await parseUsageTime(from, timeZone, now);
  return { from: start, to: end };
}

/** An empty name stands for calls that have none. */
function filterOf(parameters: Omit<Parameters, 'from' | 'to'>): UsageFilter {
  const { user, model, conversation, provider, outcome, service } = parameters;
  const orNone = (names: string | readonly string[]): (string | null)[] =>
    [names].flat().map((name) => (name === '' ? null : name));
  return {
    ...(user !== undefined && { user: orNone(user) }),
    ...(model !== undefined && { model }),
    ...(conversation !== undefined && { conversation: orNone(conversation) }),
    ...(provider !== undefined && { provider }),
    ...(outcome !== undefined && { outcome }),
    ...(service !== undefined && { service }),
  };
}

const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

export async function summaryQueryOf(
  parameters: z.infer<typeof summaryParameters>,
  now: Date,
  signal: AbortSignal,
): Promise<UsageQuery> {
  const { group_by: groupBy = '', metric, order, limit, compare, time_zone: timeZone } = parameters;
  return {
    ...(await rangeOf(parameters, now)),
    filter: filterOf(parameters),
    // The reader checks the names and lists the allowed ones.
    groupBy: groupBy.split(',').filter((name) => name !== '') as UsageGroup[],
    ...(metric !== undefined && { orderBy: camel(metric) as UsageMetric }),
    ...(order !== undefined && { order }),
    ...(limit !== undefined && { limit }),
    ...(compare !== undefined && { compare }),
    ...(timeZone !== undefined && { timeZone }),
    percentiles: parameters.percentiles === 'true',
    distinct: parameters.distinct === 'true',
    signal,
  };
}

export async function costsQueryOf(
  parameters: z.infer<typeof costsParameters>,
  now: Date,
  signal: AbortSignal,
): Promise<UsageRecordsQuery & { readonly whatIf: readonly { from: string; to: string }[] }> {
  const rules = [parameters.what_if ?? []].flat();
  return {
    ...(await rangeOf(parameters, now)),
    filter: filterOf(parameters),
    signal,
    whatIf: rules.map((rule) => {
      const [from = '', to = ''] = rule.split('=');
      return { from, to };
    }),
  };
}

export function forecastQueryOf(
  parameters: z.infer<typeof forecastParameters>,
  now: Date,
  signal: AbortSignal,
): UsageForecastQuery {
  const { time_zone: timeZone } = parameters;
  const filter = filterOf(parameters);
  return { filter, now, signal, ...(timeZone !== undefined && { timeZone }) };
}

/** Without `from` and `to`, records go back to the first. */
export async function recordsQueryOf(
  parameters: Parameters & {
    readonly limit?: number | undefined;
    readonly cursor?: string | undefined;
  },
  now: Date,
  signal: AbortSignal,
): Promise<UsageRecordsQuery> {
  const { from, to, time_zone: timeZone, limit, cursor } = parameters;
  return {
    ...(from !== undefined && { from: await parseUsageTime(from, timeZone, now) }),
    ...(to !== undefined && { to: await parseUsageTime(to, timeZone, now) }),
    filter: filterOf(parameters),
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
    signal,
  };
}
