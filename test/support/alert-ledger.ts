import type { UsageQuery, UsageSummary } from '../../exporter/ledger/usage-query.ts';

export interface LedgerCall {
  readonly atMs: number;
  readonly user: string;
  readonly totalTokens?: number;
  readonly costUsd?: number;
  readonly isPartialCost?: boolean;
}

export interface AlertLedger {
  readonly queries: readonly UsageQuery[];
  summary(query: UsageQuery): Promise<UsageSummary>;
}

/** A ledger in memory that answers the queries of alert rules. */
export function alertLedger(calls: readonly LedgerCall[]): AlertLedger {
  const queries: UsageQuery[] = [];
  return {
    queries,
    async summary(query) {
      const { from, to, groupBy = [], filter, limit = 1000 } = query;
      queries.push(query);
      const wanted = filter?.user === undefined ? undefined : [filter.user].flat();
      const hits = calls.filter(
        ({ atMs, user }) =>
          atMs >= +from && atMs < +to && (wanted === undefined || wanted.includes(user)),
      );
      const users = groupBy[0] === 'user' ? [...new Set(hits.map(({ user }) => user))] : [];
      const rows = users
        .map((user) => ({ user, ...numbersOf(hits.filter((call) => call.user === user)) }))
        .toSorted((a, b) => (b.totalTokens ?? 0) - (a.totalTokens ?? 0));
      const others = rows.slice(limit).map(({ user }) => user);
      const rest = hits.filter(({ user }) => others.includes(user));
      return {
        from: from.toISOString(),
        to: to.toISOString(),
        groupBy,
        total: numbersOf(hits),
        rows: [
          ...rows.slice(0, limit),
          ...(rest.length > 0
            ? [{ user: '(other)', isOther: true as const, ...numbersOf(rest) }]
            : []),
        ],
      };
    },
  };
}

function numbersOf(calls: readonly LedgerCall[]) {
  const tokens = sumOf(calls.map(({ totalTokens }) => totalTokens));
  const cost = sumOf(calls.map(({ costUsd }) => costUsd));
  return {
    calls: calls.length,
    errors: 0,
    aborted: 0,
    blocked: 0,
    errorRate: 0,
    abortRate: 0,
    unpricedCalls: 0,
    partialCostCalls: calls.filter(({ isPartialCost }) => isPartialCost).length,
    countedCalls: calls.filter(({ totalTokens }) => totalTokens !== undefined).length,
    durationMs: 0,
    ...(tokens !== undefined && { totalTokens: tokens }),
    ...(cost !== undefined && { costUsd: cost }),
  };
}

/** Undefined where no value is known. */
function sumOf(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value) => value !== undefined);
  return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0);
}
