export { BudgetExceededError } from './budget-exceeded-error.ts';
export { budgetAccounts, budgetStatus, onBudgetShare } from './budgets-in-force.ts';
export { budgetFromJson, budgetProblem, budgetToJson } from './budget-json.ts';
export { budgetJsonSchema } from './budget-json-schema.ts';
export { checkBudgets } from './check-budget.ts';
export { budgetsDocument, budgetsSettings, followBudgets } from './live-budgets.ts';
export { RedisBudgetStore } from './stores/redis.ts';
export { budgetAnswer, rateLimitHeaders } from './web/budget-answer.ts';
export { budgetErrorEvents } from './web/budget-events.ts';
export { budgetRefusal } from './web/budget-refusal.ts';
export { expressBudgetErrors, expressBudgets } from './web/express.ts';
export { fastifyBudgetErrors, fastifyBudgets } from './web/fastify.ts';
export { koaBudgets } from './web/koa.ts';
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
export type { BudgetRefusal } from '../domain/call-budgets.ts';
export type { BudgetJson } from './budget-json.ts';
export type { BudgetShare, BudgetStatus } from './budget-status.ts';
export type { BudgetJsonSchema } from './budget-json-schema.ts';
export type { BudgetsDocument, BudgetsTarget } from './live-budgets.ts';
export type { AccountsWanted } from './budget-statuses.ts';
export type { BudgetContext } from './budgets-in-force.ts';
export type { BudgetStore } from './stores/budget-store.ts';
export type { RedisBudgetStoreOptions } from './stores/redis.ts';
export type {
  BudgetAnswer,
  BudgetProblem,
  ExhaustedBudget,
  ShownAmounts,
} from './web/budget-answer.ts';
export type { FastifyReplyLike } from './web/fastify.ts';
export type { KoaContextLike } from './web/koa.ts';
export type { BudgetMiddlewareOptions } from './web/middleware-options.ts';
