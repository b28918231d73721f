import { BudgetExceededError } from '../budget-exceeded-error.ts';
import type { ExhaustedBudget } from './budget-answer.ts';

/** Wrapped more often than this by no framework. */
const DEEPEST = 8;

/**
 * The budget that refused a call, where an error is or was caused by that: frameworks such as LangChain and the AI SDK
 * wrap errors of SDKs. Never throws.
 */
export function budgetRefusal(error: unknown): ExhaustedBudget | undefined {
  try {
    return find(error, 0);
  } catch {
    // A getter of the error threw.
    return undefined;
  }
}

function find(error: unknown, depth: number): ExhaustedBudget | undefined {
  if (error instanceof BudgetExceededError) {
    const { budgetId: id, budgetKey: key, unit, limit, spent, resetsAt, isReserved } = error;
    return { id, key, unit, limit, spent, resetsAt, ...(isReserved === true && { isReserved }) };
  }
  if (typeof error !== 'object' || error === null || depth > DEEPEST) return undefined;
  const { cause, lastError, errors } = error as Readonly<Record<string, unknown>>;
  const inside = [cause, lastError, ...(Array.isArray(errors) ? (errors as unknown[]) : [])];
  for (const one of inside) {
    const found = find(one, depth + 1);
    if (found !== undefined) return found;
  }
  return undefined;
}
