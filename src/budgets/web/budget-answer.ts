import type { BudgetStatus } from '../budget-status.ts';

/** A budget that refuses: an account of `budgetStatus`, or what a refused call says. */
export interface ExhaustedBudget extends Pick<
  BudgetStatus,
  'id' | 'key' | 'unit' | 'limit' | 'spent' | 'resetsAt'
> {
  /** It is not spent, but reserved by running calls. */
  readonly isReserved?: boolean;
}

/**
 * Whose amounts an answer shows: `own`, those of accounts of one user or conversation; a budget of a team
 * or of everybody only says that it is exhausted, and until when. @default 'own'
 */
export type ShownAmounts = 'own' | 'all' | 'none';

/** RFC 9457, with the problem type and member of the IETF draft on RateLimit fields. */
export interface BudgetProblem {
  readonly type: string;
  readonly title: string;
  readonly status: 429;
  readonly detail: string;
  readonly code: 'budget_exceeded';
  readonly 'violated-policies': readonly string[];
  /** The one that refuses longest. */
  readonly budget: string;
  /** RFC 3339, UTC. */
  readonly resets_at: string;
  readonly unit?: BudgetStatus['unit'];
  readonly limit?: number;
  readonly spent?: number;
}

/** What a server answers to a request that a budget refuses. */
export interface BudgetAnswer {
  readonly status: 429;
  /** `content-type`, `cache-control`, `retry-after`, `ratelimit`, `ratelimit-policy`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: BudgetProblem;
}

/** Registered by draft-ietf-httpapi-ratelimit-headers-10. */
const QUOTA_EXCEEDED = 'https://iana.org/assignments/http-problem-types#quota-exceeded';

/** @param exhausted at least one */
export function budgetAnswer(
  exhausted: readonly ExhaustedBudget[],
  amounts: ShownAmounts = 'own',
  nowMs: number = Date.now(),
): BudgetAnswer {
  const [longest] = exhausted.toSorted((a, b) => (a.resetsAt < b.resetsAt ? 1 : -1));
  if (longest === undefined) throw new TypeError('budgetAnswer needs a budget');
  const { id, unit, limit, spent, resetsAt, isReserved } = longest;
  return {
    status: 429,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      'retry-after': String(secondsUntil(resetsAt, nowMs)),
      ...rateLimitHeaders(
        exhausted.map((one) => ({ ...one, remaining: 0 })),
        amounts,
        nowMs,
      ),
    },
    body: {
      type: QUOTA_EXCEEDED,
      title: 'Budget exceeded',
      status: 429,
      detail:
        isReserved === true
          ? `The rest of the budget ${id} is reserved by running calls.`
          : `The budget ${id} is exhausted until ${resetsAt}.`,
      code: 'budget_exceeded',
      'violated-policies': [...new Set(exhausted.map((one) => one.id))],
      budget: id,
      resets_at: resetsAt,
      ...(isShown(longest, amounts) && { unit, limit, spent }),
    },
  };
}

/**
 * `RateLimit` and `RateLimit-Policy` of draft-ietf-httpapi-ratelimit-headers-10, one item for each
 * budget. Quota units are `tokens`, `calls` and `micro-usd`, or `percent` where amounts are not shown.
 */
export function rateLimitHeaders(
  budgets: readonly (ExhaustedBudget & Pick<BudgetStatus, 'remaining'>)[],
  amounts: ShownAmounts = 'own',
  nowMs: number = Date.now(),
): Readonly<Record<string, string>> {
  // A field must not name one policy twice.
  const byId = new Map(budgets.map((budget) => [budget.id, budget]));
  if (byId.size === 0) return {};
  const policies: string[] = [];
  const limits: string[] = [];
  for (const budget of byId.values()) {
    const { id, limit, remaining, resetsAt } = budget;
    const shown = isShown(budget, amounts);
    const quotaUnit = shown ? QUOTA_UNIT[budget.unit] : 'percent';
    const factor = !shown ? 100 / limit : budget.unit === 'usd' ? 1e6 : 1;
    const integer = (amount: number): number =>
      Math.min(LARGEST_INTEGER, Math.max(0, Math.floor(amount * factor + 1e-6)));
    policies.push(`"${id}";q=${integer(limit)};qu="${quotaUnit}"`);
    limits.push(`"${id}";r=${integer(remaining)};t=${secondsUntil(resetsAt, nowMs)}`);
  }
  return { 'ratelimit-policy': policies.join(', '), ratelimit: limits.join(', ') };
}

const QUOTA_UNIT = { tokens: 'tokens', calls: 'calls', usd: 'micro-usd' } as const;
/** Of structured fields, RFC 9651 section 3.3.1. */
const LARGEST_INTEGER = 999_999_999_999_999;

function isShown({ key }: ExhaustedBudget, amounts: ShownAmounts): boolean {
  if (amounts !== 'own') return amounts === 'all';
  return typeof key['user'] === 'string' || typeof key['conversation'] === 'string';
}

function secondsUntil(time: string, nowMs: number): number {
  return Math.max(1, Math.ceil((Date.parse(time) - nowMs) / 1000));
}
