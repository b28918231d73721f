import type { Budget } from '../budgets/budget.ts';
import { budgetFromJson } from '../budgets/budget-json.ts';
import { TokenMeterError } from '../errors.ts';

/** A wrong part of a value that was accepted without it. */
export interface Rejected {
  /** Where, after the key: `[2].limit`. */
  readonly at: string;
  readonly value: unknown;
  readonly allowed: string;
}

interface BudgetList {
  readonly budgets: readonly Budget[];
  readonly rejected: readonly Rejected[];
}

/**
 * Budgets of a file or a variable; undefined where it is no list. A wrong budget is left out and
 * reported: the others must hold all the same.
 */
export function parseBudgetList(items: unknown): BudgetList | undefined {
  if (!Array.isArray(items)) return undefined;
  const budgets: Budget[] = [];
  const rejected: Rejected[] = [];
  for (const [index, item] of items.entries()) {
    const at = `[${index}]`;
    const { id, ...json } = (typeof item === 'object' ? item : undefined) ?? {};
    try {
      if (budgets.some((budget) => budget.id === id)) {
        rejected.push({ at: `${at}.id`, value: id, allowed: 'another id: this one is taken' });
      } else budgets.push(budgetFromJson(id, json, at));
    } catch (error) {
      if (!(error instanceof TokenMeterError)) throw error;
      const { message, value, allowed = '' } = error;
      rejected.push({ at: message.slice(0, message.indexOf(' is ')), value, allowed });
    }
  }
  return { budgets, rejected };
}
