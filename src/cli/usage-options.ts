import type { UsageFilter, UsageGroup, UsageMetric, UsageQuery } from 'otel-token-meter/exporter';
import { TokenMeterError } from '../errors.ts';

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
} as const;

export const FILTER_HELP = `  --user, --model, --conversation, --provider, --outcome, --service NAME
                   Filters; each may be repeated; --user '' selects calls without a user
`;

export type QueryValues = {
  readonly [K in 'by' | 'since' | 'until' | 'tz' | 'metric' | 'limit']?: string | undefined;
} & { readonly [K in keyof UsageFilter]?: string[] | undefined };

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
  const { user, model, conversation, provider, outcome, service } = values;
  return {
    ...(user && { user: orNone(user) }),
    ...(model && { model }),
    ...(conversation && { conversation: orNone(conversation) }),
    ...(provider && { provider }),
    ...(outcome && { outcome: outcome as NonNullable<UsageFilter['outcome']> }),
    ...(service && { service }),
  };
}

const camel = (name: string): string =>
  name.replaceAll(/[_-](\w)/g, (_, letter: string) => letter.toUpperCase());
