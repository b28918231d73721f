import { BudgetEngine } from '../../src/budgets/budget-engine.ts';
import type { Budget } from '../../src/budgets/budget.ts';
import type { BudgetShare } from '../../src/budgets/budget-status.ts';
import type { BudgetStore } from '../../src/budgets/stores/budget-store.ts';
import type { BudgetedCall } from '../../src/domain/call-budgets.ts';
import { until } from './until.ts';

export const BUDGETED_CALL: BudgetedCall = {
  userId: 'alice',
  provider: 'openai',
  model: 'gpt-5',
};
export const SIZE = { operation: 'chat', request: {}, inputOnly: false } as const;

/** One instance of a fleet, in the process of the test. */
export class BudgetedInstance {
  readonly engine: BudgetEngine;
  readonly shares: BudgetShare[] = [];
  admitted = 0;
  refused = 0;

  constructor(store: BudgetStore, ...budgets: readonly Budget[]) {
    this.engine = new BudgetEngine({
      store,
      priceOf: () => undefined,
      onShare: (share) => this.shares.push(share),
    });
    this.engine.apply(budgets);
  }

  /** One call that takes no time. */
  call(call: Partial<BudgetedCall> = {}): boolean {
    const whole = { ...BUDGETED_CALL, ...call };
    const answer = this.engine.reserve(whole, SIZE, true, []);
    if (answer !== undefined && 'budgetId' in answer) {
      this.refused += 1;
      return false;
    }
    answer?.release();
    this.engine.charge({
      ...whole,
      id: 'r',
      time: '',
      service: 's',
      operation: 'chat',
      requestModel: 'gpt-5',
      durationMs: 1,
      outcome: 'ok',
      attributes: {},
    } as never);
    this.admitted += 1;
    return true;
  }

  async spent(): Promise<number> {
    return (await this.engine.status(BUDGETED_CALL))[0]?.spent ?? Number.NaN;
  }

  async ready(): Promise<void> {
    await until(async () => (await this.engine.status(BUDGETED_CALL))[0]?.stale === false);
  }
}
