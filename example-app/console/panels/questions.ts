import type { Parameters } from '../api/client.ts';
import type { Conversation, Forecast, Health, Summary, Total } from '../api/contract.ts';
import type { UsageApi } from '../api/usage-api.ts';
import { bordersOf } from '../view/period.ts';
import type { Gap } from '../view/statistics-gaps.ts';
import type { Dimension } from '../view/view.ts';

/** Questions that several pages ask. */

/** What is read of the rows of a scan. */
const PERCENTILES = ['duration', 'time_to_first_chunk']
  .flatMap((what) => [50, 95, 99].map((percent) => `${what}_p${percent}_ms`))
  .join(',');
/** Classes of errors with a line. */
const CLASSES = 6;

/** Sums by the unit of the period, and of the period before. */
export function course(api: UsageApi): Promise<Summary> {
  return api.summary({ group_by: api.context.period.unit, compare: 'previous' });
}

/** The same with what needs a scan of every call. */
export function scan(api: UsageApi): Promise<Summary> {
  return api.summary({
    group_by: api.context.period.unit,
    compare: 'previous',
    percentiles: true,
    distinct: true,
    fields: PERCENTILES,
  });
}

/** Total of the range that the view compares with, unless it is the one before. */
export async function before(api: UsageApi): Promise<Total | undefined> {
  const { compare } = api.context.view;
  if (compare === undefined) return undefined;
  const { from, to } = bordersOf(compare, new Date());
  const range = { from: from.toISOString(), to: to.toISOString() };
  const { total } = await api.summary({ ...range, distinct: true, percentiles: true });
  return total;
}

/** Sums by the unit and what bars are stacked by. */
export function stacked(limit: number): (api: UsageApi) => Promise<Summary> {
  return async (api) => {
    const { view, period } = api.context;
    if (view.stack === 'kind') return await course(api);
    const groups = `${period.unit},${view.stack}`;
    const fields = `${view.measure},partial_cost_calls`;
    return await api.summary({ group_by: groups, metric: view.measure, limit, fields });
  };
}

/** Sums of the values of a key, the largest by the metric of the view. */
export function top(
  dimension: Dimension,
  limit: number,
  more: Parameters = {},
): (api: UsageApi) => Promise<Summary> {
  return (api) => {
    const metric = api.context.view.measure;
    return api.summary({ group_by: dimension, metric, limit, compare: 'previous', ...more });
  };
}

/** Sums of hours, for the heat map. */
export function hourly(api: UsageApi): Promise<Summary> {
  return api.context.period.unit === 'hour' ? course(api) : api.summary({ group_by: 'hour' });
}

/** Names of the rows, to suggest. */
export function namesOf(
  answer: { readonly value: Summary | undefined } | undefined,
  dimension: Dimension,
): readonly string[] {
  const rows = answer?.value?.rows.filter((row) => !row.is_other) ?? [];
  return rows.flatMap((row) => row[dimension] ?? []);
}

/** Of the present month. */
export function forecast(api: UsageApi): Promise<Forecast> {
  return api.forecast();
}

export function health(api: UsageApi): Promise<Health> {
  return api.health();
}

/** Times of less recording. */
export function gaps(api: UsageApi): Promise<readonly Gap[]> {
  return api.gaps();
}

/** Rejects if it could not be asked for who switched recording off. */
export function gapsRefused(api: UsageApi): Promise<void> {
  return api.gapsRefused();
}

/** Whether there has never been a call. */
export async function never(api: UsageApi): Promise<boolean> {
  const { total } = await course(api);
  return total.calls === 0 && (await api.isEmpty());
}

/** Failed calls by class; undefined where the view shows none. */
export async function failures(api: UsageApi): Promise<Summary | undefined> {
  const showsErrors = api.context.view.filters.outcome?.includes('error') ?? true;
  if (!showsErrors) return undefined;
  return await api.summary({
    group_by: 'error',
    outcome: 'error',
    metric: 'calls',
    limit: CLASSES,
  });
}

/** The conversation that the view shows, if it shows only one. */
export async function conversation(
  api: UsageApi,
): Promise<{ readonly found: Conversation | undefined } | undefined> {
  const [id, ...others] = api.context.view.filters.conversation ?? [];
  if (!id || others.length > 0) return undefined;
  return { found: await api.conversation(id) };
}
