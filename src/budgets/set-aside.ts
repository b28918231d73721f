import type { BudgetedCall } from '../domain/call-budgets.ts';
import type { Account } from './account.ts';
import type { BudgetAccounts } from './budget-accounts.ts';

/** An amount that is set aside. */
export interface Held {
  readonly budget: BudgetAccounts;
  readonly account: Account;
  readonly amount: number;
}

/** What is set aside for one call. */
export class SetAside {
  readonly call: BudgetedCall;
  /** One of each budget that the call is for; also once it is released. */
  readonly held: readonly Held[];
  /** The budgets that were in force. */
  readonly budgets: readonly BudgetAccounts[];
  readonly #release: (held: readonly Held[]) => void;
  #isReleased = false;

  constructor(
    release: (held: readonly Held[]) => void,
    call: BudgetedCall,
    held: readonly Held[],
    budgets: readonly BudgetAccounts[],
  ) {
    this.#release = release;
    this.call = call;
    this.held = held;
    this.budgets = budgets;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#release(this.held);
  }
}
