import { diag } from '@opentelemetry/api';
import { type SettingsSchema, openSchema } from '../settings/settings-schema.ts';
import type { SettingsService } from '../settings/settings-service.ts';
import type { Budget } from './budget.ts';
import { type BudgetJson, budgetFromJson, budgetProblem, budgetToJson } from './budget-json.ts';

/** Budgets by id, as the settings store holds them. */
export type BudgetsDocument = Readonly<Record<string, BudgetJson>>;

/** More of them would cost every call. */
const MOST = 200;

/** Schema of budgets for a `SettingsService`. */
export const budgetsSettings: SettingsSchema<BudgetsDocument> = openSchema<BudgetJson>({
  type: 'object',
  description: 'A budget, by its id.',
  check: (json) => budgetProblem('budget', json),
  most: MOST,
});

/** Configured budgets as the defaults of a `SettingsService`. */
export function budgetsDocument(budgets: readonly Budget[]): BudgetsDocument {
  return Object.fromEntries(budgets.map((budget) => [budget.id, budgetToJson(budget)]));
}

/** A `TokenMeterInstrumentation`. */
export interface BudgetsTarget {
  applyBudgets(budgets: readonly Budget[]): void;
}

/**
 * Applies the budgets of the service to an instrumentation, now and at every change. While the store has
 * never answered the configured ones are in force. Returns a function that ends it; the budgets stay.
 */
export function followBudgets(
  service: SettingsService<BudgetsDocument>,
  target: BudgetsTarget,
): () => void {
  const apply = (): void => {
    const budgets = Object.entries(service.get()).map(([id, json]) => budgetFromJson(id, json));
    try {
      target.applyBudgets(budgets);
    } catch (error) {
      diag.error(`budgets stay as they were: ${String(error)}`);
    }
  };
  const end = service.subscribe(apply);
  apply();
  return end;
}
