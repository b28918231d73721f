export { BudgetExceededError } from './budget-exceeded-error.ts';
export { budgetFromJson, budgetProblem, budgetToJson } from './budget-json.ts';
export { budgetJsonSchema } from './budget-json-schema.ts';
export { checkBudgets } from './check-budget.ts';
export { budgetsDocument, budgetsSettings, followBudgets } from './live-budgets.ts';
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
export type { BudgetJsonSchema } from './budget-json-schema.ts';
export type { BudgetsDocument, BudgetsTarget } from './live-budgets.ts';
