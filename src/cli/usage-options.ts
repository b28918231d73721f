import type { UsageFilter, UsageGroup, UsageMetric, UsageQuery } from 'otel-token-meter/exporter';
import { resolveConfig } from '../config/resolve.ts';
import { isDimensionName } from '../domain/dimensions.ts';
import { TokenMeterError } from '../errors.ts';
import type { CliIo } from './io.ts';

/** `parseArgs` options of a query, shared by `report` and `top`. */
export const QUERY_OPTIONS = {
  by: { type: 'string' },
  since: { type: 'string' },
  until: { type: 'string' },
  tz: { type: 'string' },
  metric: { type: 'string' },
  limit: { type: 'string' },
  user: { type: 'string', multiple: true },
  model: { type: 'string', multiple: true },
  conversation: { type: 'string', multiple: true },
  provider: { type: 'string', multiple: true },
  outcome: { type: 'string', multiple: true },
  service: { type: 'string', multiple: true },
  team: { type: 'string', multiple: true },
  error: { type: 'string', multiple: true },
  agent: { type: 'string', multiple: true },
  run: { type: 'string', multiple: true },
  tool: { type: 'string', multiple: true },
  dimension: { type: 'string', multiple: true },
} as const;

export const FILTER_HELP = `  --user, --model, --conversation, --provider, --outcome, --service, --team,
  --error, --agent, --run, --tool NAME
                   Filters; each may be repeated; --user '' selects calls without a user
  --dimension NAME=VALUE
                   The same for a dimension, such as feature=search; feature= for calls without one
`;

export type QueryValues = {
  readonly [K in 'by' | 'since' | 'until' | 'tz' | 'metric' | 'limit']?: string | undefined;
} & {
  readonly [K in Exclude<keyof UsageFilter, 'dimensions'> | 'dimension']?: string[] | undefined;
};

type ParseTime = (text: string, timeZone?: string, now?: Date) => Promise<Date>;

/** Builds a query from options. The reader validates names. */
export async function usageQuery(
  values: QueryValues,
  parseTime: ParseTime,
  now: Date,
  defaults: { readonly since: string; readonly timeZone: string },
): Promise<UsageQuery> {
  const timeZone = values.tz ?? defaults.timeZone;
  const limit = values.limit === undefined ? undefined : Number(values.limit);
  if (Number.isNaN(limit)) {
    throw new TokenMeterError('INVALID_OPTION', '--limit is not valid', {
      value: values.limit,
      allowed: 'a whole number from 1 to 1000',
    });
  }
  return {
    from: await parseTime(values.since ?? defaults.since, timeZone, now),
    to: await parseTime(values.until ?? 'now', timeZone, now),
    timeZone,
    groupBy: (values.by ?? '').split(',').filter((name) => name !== '') as UsageGroup[],
    filter: usageFilter(values),
    ...(values.metric !== undefined && { orderBy: camel(values.metric) as UsageMetric }),
    ...(limit !== undefined && { limit }),
  };
}

export function usageFilter(values: QueryValues): UsageFilter {
  const orNone = (names: readonly string[]): (string | null)[] =>
    names.map((name) => (name === '' ? null : name));
  const { user, model, conversation, provider, outcome, service, team, error, dimension } = values;
  const { agent, run, tool } = values;
  return {
    ...(user && { user: orNone(user) }),
    ...(model && { model }),
    ...(conversation && { conversation: orNone(conversation) }),
    ...(provider && { provider }),
    ...(outcome && { outcome: outcome as NonNullable<UsageFilter['outcome']> }),
    ...(service && { service }),
    ...(team && { team: orNone(team) }),
    ...(error && { error: orNone(error) }),
    ...(agent && { agent: orNone(agent) }),
    ...(run && { run: orNone(run) }),
    ...(tool && { tool: orNone(tool) }),
    ...(dimension && { dimensions: dimensionFilter(dimension) }),
  };
}

/** `feature=search`, each name as often as it has values. */
function dimensionFilter(given: readonly string[]): NonNullable<UsageFilter['dimensions']> {
  const filter: Record<string, (string | null)[]> = {};
  for (const pair of given) {
    const [, name = '', value = ''] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if (!isDimensionName(name)) {
      throw new TokenMeterError('INVALID_OPTION', '--dimension is not valid', {
        value: pair,
        allowed: 'NAME=VALUE, such as feature=search',
      });
    }
    (filter[name] ??= []).push(value === '' ? null : value);
  }
  return filter;
}

/** A group by its name alone where the configuration has a dimension of that name: `feature`. */
export function groupNames(
  names: string,
  values: { readonly config?: string | undefined },
  io: Pick<CliIo, 'env'>,
): string {
  const { values: config } = resolveConfig({
    env: io.env,
    ...(values.config !== undefined && { file: values.config }),
  });
  const isDimension = (name: string): boolean =>
    config.dimensions.includes(name) && !(name in QUERY_OPTIONS) && !['hour', 'day'].includes(name);
  return names
    .split(',')
    .map((name) => (isDimension(name) ? `dimension.${name}` : name))
    .join(',');
}

const camel = (name: string): string =>
  name.replaceAll(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase());
