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
import {
  type costsParameters,
  type exportParameters,
  type forecastParameters,
  type summaryParameters,
  groupOf,
} from './usage-parameters.ts';

const DAY_MS = 86_400_000;

type Parameters = z.infer<typeof exportParameters>;

/** Filters by dimensions come under names that only the configuration knows. */
type Dimensions = readonly string[];

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
function filterOf(
  parameters: Omit<Parameters, 'from' | 'to'>,
  dimensions: Dimensions,
): UsageFilter {
  const { user, model, conversation, provider, outcome, service, team, error } = parameters;
  const { agent, run, tool } = parameters;
  const given = parameters as Readonly<Record<string, Names | undefined>>;
  const isShort = (name: string): boolean => groupOf(name, dimensions) !== name;
  const asked = dimensions.flatMap((name) => {
    const values = [given[`dimension.${name}`], isShort(name) ? given[name] : undefined];
    const known = values.filter((value) => value !== undefined);
    return known.length === 0 ? [] : [[name, known.flatMap(orNone)] as const];
  });
  return {
    ...(user !== undefined && { user: orNone(user) }),
    ...(model !== undefined && { model }),
    ...(conversation !== undefined && { conversation: orNone(conversation) }),
    ...(provider !== undefined && { provider }),
    ...(outcome !== undefined && { outcome }),
    ...(service !== undefined && { service }),
    ...(team !== undefined && { team: orNone(team) }),
    ...(error !== undefined && { error: orNone(error) }),
    ...(agent !== undefined && { agent: orNone(agent) }),
    ...(run !== undefined && { run: orNone(run) }),
    ...(tool !== undefined && { tool: orNone(tool) }),
    ...(asked.length > 0 && { dimensions: Object.fromEntries(asked) }),
  };
}

type Names = string | readonly string[];

function orNone(names: Names): (string | null)[] {
  return [names].flat().map((name) => (name === '' ? null : name));
}

export const camel = (name: string): string =>
  name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

export async function summaryQueryOf(
  parameters: z.infer<typeof summaryParameters>,
  now: Date,
  signal: AbortSignal,
  dimensions: Dimensions,
): Promise<UsageQuery> {
  const { group_by: groupBy = '', metric, order, limit, compare, time_zone: timeZone } = parameters;
  return {
    ...(await rangeOf(parameters, now)),
    filter: filterOf(parameters, dimensions),
    // The reader checks the names and lists the allowed ones.
    groupBy: groupBy
      .split(',')
      .filter((name) => name !== '')
      .map((name) => groupOf(name, dimensions) as UsageGroup),
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
  dimensions: Dimensions,
): Promise<UsageRecordsQuery & { readonly whatIf: readonly { from: string; to: string }[] }> {
  const rules = [parameters.what_if ?? []].flat();
  return {
    ...(await rangeOf(parameters, now)),
    filter: filterOf(parameters, dimensions),
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
  dimensions: Dimensions,
): UsageForecastQuery {
  const { time_zone: timeZone } = parameters;
  const filter = filterOf(parameters, dimensions);
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
  dimensions: Dimensions,
): Promise<UsageRecordsQuery> {
  const { from, to, time_zone: timeZone, limit, cursor } = parameters;
  return {
    ...(from !== undefined && { from: await parseUsageTime(from, timeZone, now) }),
    ...(to !== undefined && { to: await parseUsageTime(to, timeZone, now) }),
    filter: filterOf(parameters, dimensions),
    ...(limit !== undefined && { limit }),
    ...(cursor !== undefined && { cursor }),
    signal,
  };
}
