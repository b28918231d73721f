import type { BudgetUnit } from './budget.ts';

/** One account of a budget. */
export interface BudgetStatus {
  readonly id: string;
  /** Whose account: `{ user: 'alice' }`; null for calls without a value; `{}` for a budget without `each`. */
  readonly key: Readonly<Record<string, string | null>>;
  readonly mode: 'warn' | 'block';
  /** Of all amounts here. */
  readonly unit: BudgetUnit;
  readonly limit: number;
  /** By all instances in this window. */
  readonly spent: number;
  /** Set aside for running calls. */
  readonly reserved: number;
  /** `limit - spent - reserved`, and never below 0. */
  readonly remaining: number;
  /** RFC 3339, UTC. */
  readonly from: string;
  /** RFC 3339, UTC. Of a rolling window: when its oldest part is forgotten. */
  readonly resetsAt: string;
  /** A call made now would be refused. */
  readonly blocked: boolean;
  /** The store does not answer: `spent` is what this process knows. */
  readonly stale: boolean;
}

/** A share of a limit that was reached, reported once for each account and window, by one instance of the fleet. */
export interface BudgetShare {
  readonly id: string;
  readonly key: BudgetStatus['key'];
  readonly mode: 'warn' | 'block';
  /** As in `at` of the budget. */
  readonly share: number;
  readonly unit: BudgetUnit;
  readonly limit: number;
  readonly spent: number;
  readonly resetsAt: string;
}
