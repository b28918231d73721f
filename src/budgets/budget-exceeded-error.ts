import type { BudgetRefusal } from '../domain/call-budgets.ts';
import type { BudgetUnit } from './budget.ts';

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
  declare readonly isReserved?: boolean;

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

export function refusalMessage(refusal: BudgetRefusal): string {
  const { budgetId, budgetKey, unit, limit, spent, reserved, resetsAt } = refusal;
  const whose = Object.entries(budgetKey).map(([name, value]) => `${name} ${value ?? '(none)'}`);
  const account = whose.length === 0 ? '' : ` of ${whose.join(', ')}`;
  const amount = (value: number): string => (unit === 'usd' ? `$${value}` : `${value} ${unit}`);
  if (refusal.isReserved === true) {
    return `budget ${budgetId}${account} has no room now: ${amount(spent)} of ${amount(limit)} spent, ${amount(reserved)} reserved by running calls`;
  }
  return `budget ${budgetId}${account} is exhausted: ${amount(spent)} of ${amount(limit)} spent; it resets at ${resetsAt}`;
}
