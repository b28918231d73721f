import { dimensionOfKey } from '../../ledger/queries/dimension-key.ts';
import type {
  UsageFilter,
  UsageGroup,
  UsageQuery,
  UsageReader,
  UsageRow,
} from '../../ledger/usage-query.ts';
import type { AlertGroup, AlertRule } from '../alert-rule.ts';

/** Most values a rule can watch separately; the rest are smaller than all of these. */
const MAX_KEYS = 1000;

type WatchedKeys = ReadonlySet<string | null>;

/** What every evaluation needs. */
export interface Evaluation {
  readonly reader: Pick<UsageReader, 'summary'>;
  readonly now: Date;
  /** Keys that are not at level `ok`, or on the way to another one. */
  readonly watched: WatchedKeys;
  readonly signal?: AbortSignal;
}

export interface KeyedRows {
  /** By the value of the group; without a group the total under `null`. Several rows where the query groups by time. */
  readonly rows: ReadonlyMap<string | null, readonly UsageRow[]>;
  readonly calls: number;
  /** Watched keys without a row: no call of theirs is in the range. */
  readonly missing: readonly (string | null)[];
}

type KeyedQuery = Pick<UsageQuery, 'from' | 'to' | 'limit' | 'timeZone'> & {
  readonly byDay?: true;
};

/** Undefined for a rule on all calls. */
function groupOf({ by = 'all' }: AlertRule): Exclude<typeof by, 'all'> | undefined {
  return by === 'all' ? undefined : by;
}

/** Sums of a range for each key of the rule, in one query, or two where watched keys are beyond its limit. */
export async function keyedRows(
  rule: AlertRule,
  { reader, watched, signal }: Omit<Evaluation, 'now'>,
  { byDay, ...range }: KeyedQuery,
): Promise<KeyedRows> {
  const group = groupOf(rule);
  const groupBy: UsageGroup[] = [...(group ? [group] : []), ...(byDay ? (['day'] as const) : [])];
  const query: UsageQuery = {
    orderBy: rule.metric,
    limit: MAX_KEYS,
    ...range,
    ...(groupBy.length > 0 && { groupBy }),
    ...(rule.filter && { filter: rule.filter }),
    ...(signal && { signal }),
  };
  const { rows, total } = await reader.summary(query);
  if (total.calls === 0) return { rows: new Map(), calls: 0, missing: [...watched] };
  const found = new Map<string | null, UsageRow[]>();
  const add = (some: readonly UsageRow[]): void => {
    for (const row of some) {
      if (row.isOther) continue;
      const key = (group && row[group]) ?? null;
      found.set(key, [...(found.get(key) ?? []), row]);
    }
  };
  add(groupBy.length === 0 ? [{ ...total }] : rows);
  const isCut = rows.some((row) => row.isOther);
  const missing = [...watched].filter((key) => !found.has(key)).slice(0, MAX_KEYS);
  // Every call has a model.
  const keys = missing.filter((key) => group !== 'model' || key !== null);
  if (group && isCut && keys.length > 0) {
    const filter = withKeys(rule.filter, group, keys);
    add((await reader.summary({ ...query, limit: MAX_KEYS, filter })).rows);
  }
  return { rows: found, calls: total.calls, missing: missing.filter((key) => !found.has(key)) };
}

function withKeys(
  filter: UsageFilter | undefined,
  group: Exclude<AlertGroup, 'all'>,
  keys: readonly (string | null)[],
): UsageFilter {
  const name = dimensionOfKey(group);
  if (name === undefined) return { ...filter, [group]: keys };
  return { ...filter, dimensions: { ...filter?.dimensions, [name]: keys } };
}
