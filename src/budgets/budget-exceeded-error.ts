import type { BudgetUnit } from './budget.ts';

/** What is known of a refusal. */
export interface BudgetRefusal {
  readonly budgetId: string;
  /** Whose account it is: `{}` for a budget without `each`; null where the call has no value. */
  readonly budgetKey: Readonly<Record<string, string | null>>;
  readonly unit: BudgetUnit;
  /** In `unit`. */
  readonly limit: number;
  /** By all instances in this window, as far as this process knows. In `unit`. */
  readonly spent: number;
  /** Set aside for calls of this process that are running. In `unit`. */
  readonly reserved: number;
  /** RFC 3339, UTC. Of a rolling window: when its oldest part is forgotten. */
  readonly resetsAt: string;
}

/**
 * A call was refused by a blocking budget before anything was sent. Refused calls of an SDK reject with that
 * SDK's own error for HTTP 429 and the same members: `error instanceof BudgetExceededError` is true for
 * these, too.
 */
export class BudgetExceededError extends Error {
  override readonly name: string = 'BudgetExceededError';
  readonly code = 'budget_exceeded';
  readonly status = 429;
  readonly statusCode = 429;
  /** For frameworks that retry: it would be refused again. */
  readonly isRetryable = false;
  declare readonly budgetId: string;
  declare readonly budgetKey: BudgetRefusal['budgetKey'];
  declare readonly unit: BudgetUnit;
  declare readonly limit: number;
  declare readonly spent: number;
  declare readonly reserved: number;
  declare readonly resetsAt: string;

  constructor(refusal: BudgetRefusal) {
    super(refusalMessage(refusal));
    Object.assign(this, refusal);
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    if (typeof value !== 'object' || value === null) return false;
    const { code, budgetId } = value as { readonly code?: unknown; readonly budgetId?: unknown };
    return code === 'budget_exceeded' && typeof budgetId === 'string';
  }
}

function refusalMessage(refusal: BudgetRefusal): string {
  const { budgetId, budgetKey, unit, limit, spent, resetsAt } = refusal;
  const whose = Object.entries(budgetKey).map(([name, value]) => `${name} ${value ?? '(none)'}`);
  const account = whose.length === 0 ? '' : ` of ${whose.join(', ')}`;
  const amount = (value: number): string => (unit === 'usd' ? `$${value}` : `${value} ${unit}`);
  return `budget ${budgetId}${account} is exhausted: ${amount(spent)} of ${amount(limit)} spent; it resets at ${resetsAt}`;
}
