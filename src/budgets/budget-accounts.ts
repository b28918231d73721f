import type { BudgetedCall } from '../domain/call-budgets.ts';
import { warnOnce } from '../host/quietly.ts';
import { Account } from './account.ts';
import { resolveBudget, type Budget, type ResolvedBudget } from './budget.ts';
import { windowBuckets, type WindowBuckets } from './budget-window.ts';
import { compileScope, type AccountOf } from './scope.ts';

/** Accounts of one budget at a time, some 300 bytes each. */
const ACCOUNTS_MAX = 50_000;

const NO_VALUES: readonly null[] = [];

/** One budget with its accounts. */
export class BudgetAccounts {
  readonly window: WindowBuckets;
  /** Names what spending can be continued: after a change of anything in it the budget begins at zero. */
  readonly identity: string;
  readonly #accountOf: AccountOf;
  readonly #accounts = new Map<string, Account>();
  readonly #isShared: boolean;
  /** Of a budget without `each`. */
  #only: Account | undefined;
  #budget: ResolvedBudget;
  #firstShare: number;

  constructor(budget: Budget, isShared: boolean) {
    this.#budget = resolveBudget(budget);
    this.#firstShare = Math.min(...this.#budget.at);
    this.identity = identityOf(this.#budget);
    this.window = windowBuckets(budget.window);
    this.#accountOf = compileScope(this.#budget.scope);
    this.#isShared = isShared;
  }

  /** The lowest of `at`. */
  get firstShare(): number {
    return this.#firstShare;
  }

  get budget(): ResolvedBudget {
    return this.#budget;
  }

  /** Takes over another limit, mode …; false where the accounts cannot go on. */
  change(budget: Budget): boolean {
    const next = resolveBudget(budget);
    if (identityOf(next) !== this.identity) return false;
    this.#budget = next;
    this.#firstShare = Math.min(...next.at);
    return true;
  }

  /** Undefined for a call that the budget is not for. */
  accountFor(call: BudgetedCall): Account | undefined {
    const values = this.#accountOf(call);
    return values === undefined ? undefined : this.account(values);
  }

  account(values: readonly (string | null)[] = NO_VALUES): Account {
    if (values.length === 0 && this.#only !== undefined) return this.#only;
    const key = accountKey(values);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = new Account(values, this.window, this.#isShared);
      if (this.#accounts.size >= ACCOUNTS_MAX) this.#dropOldest();
      this.#accounts.set(key, account);
      if (values.length === 0) this.#only = account;
    }
    return account;
  }

  all(): Iterable<Account> {
    return this.#accounts.values();
  }

  /** `{ user: 'alice' }` of an account. */
  keyOf({ values }: Account): Readonly<Record<string, string | null>> {
    const { each = [] } = this.#budget.scope;
    return Object.fromEntries(each.map((name, index) => [name, values[index] ?? null]));
  }

  /** One that nothing depends on; what it spent is in the store, or lost. */
  #dropOldest(): void {
    let looked = 0;
    for (const [key, account] of this.#accounts) {
      if (account.reserved === 0 && (!this.#isShared || account.unreported() === 0)) {
        this.#accounts.delete(key);
        break;
      }
      if (++looked > 100) break;
    }
    if (this.#isShared) return;
    const { id } = this.#budget;
    warnOnce(
      `budget ${id} accounts`,
      `budget ${id} has more than ${ACCOUNTS_MAX} accounts; the oldest are forgotten and begin at zero`,
    );
  }
}

export function accountKey(values: readonly (string | null)[]): string {
  if (values.length === 0) return '';
  return values.length === 1 && values[0] !== null ? `=${values[0]}` : JSON.stringify(values);
}

function identityOf({ scope, window, unit }: ResolvedBudget): string {
  return JSON.stringify([sorted(scope), sorted(window), unit]);
}

/** With the members of objects in one order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([name, member]) => [name, sorted(member)]);
}
