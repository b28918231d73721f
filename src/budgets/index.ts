export { BudgetExceededError } from './budget-exceeded-error.ts';
export { budgetFromJson, budgetProblem, budgetToJson } from './budget-json.ts';
export { checkBudgets } from './check-budget.ts';
export type {
  Budget,
  BudgetKey,
  BudgetLimit,
  BudgetReserve,
  BudgetScope,
  BudgetUnit,
  BudgetWindow,
  CalendarUnit,
  Wanted,
} from './budget.ts';
export type { BudgetRefusal } from './budget-exceeded-error.ts';
export type { BudgetJson } from './budget-json.ts';
export type { BudgetShare, BudgetStatus } from './budget-status.ts';
