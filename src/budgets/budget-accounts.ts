import type { BudgetedCall } from '../domain/call-budgets.ts';
import { warnOnce } from '../host/quietly.ts';
import { Account } from './account.ts';
import { resolveBudget, type Budget, type ResolvedBudget } from './budget.ts';
import { windowBuckets, type WindowBuckets } from './budget-window.ts';
import { compileScope, type AccountOf } from './scope.ts';

/** Accounts of one budget at a time, some 300 bytes each. */
const ACCOUNTS_MAX = 50_000;

/** Of them one is forgotten for a new one. */
const LOOKED_AT = 100;

const NO_VALUES: readonly null[] = [];

/** One budget with its accounts. */
export class BudgetAccounts {
  readonly window: WindowBuckets;
  /** Names what spending can be continued: after a change of anything in it the budget begins at zero. */
  readonly identity: string;
  readonly #accountOf: AccountOf;
  readonly #accounts = new Map<string, Account>();
  readonly #isShared: boolean;
  /** Goes round over the accounts, to find those to forget. */
  #hand: Iterator<[string, Account], undefined> | undefined;
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
  accountFor(call: BudgetedCall, nowMs: number): Account | undefined {
    const values = this.#accountOf(call);
    return values === undefined ? undefined : this.account(values, nowMs);
  }

  /** The same for somebody who only asks: a new one is kept only where the store has to be asked for it. */
  accountToShow(call: BudgetedCall, nowMs: number): Account | undefined {
    const values = this.#accountOf(call);
    if (values === undefined) return undefined;
    if (this.#isShared) return this.account(values, nowMs);
    return this.#accounts.get(accountKey(values)) ?? new Account(values, this.window, false);
  }

  account(values: readonly (string | null)[] = NO_VALUES, nowMs: number = Date.now()): Account {
    if (values.length === 0 && this.#only !== undefined) return this.#only;
    const key = accountKey(values);
    let account = this.#accounts.get(key);
    if (account === undefined) {
      account = new Account(values, this.window, this.#isShared);
      if (this.#accounts.size >= ACCOUNTS_MAX) this.#dropLeast(nowMs);
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

  /** Of some that nothing depends on, the one with the least spent; what it spent is in the store, or lost. */
  #dropLeast(nowMs: number): void {
    let least: { readonly key: string; readonly spent: number } | undefined;
    for (let looked = 0; looked < LOOKED_AT && least?.spent !== 0; looked++) {
      this.#hand ??= this.#accounts.entries();
      const next = this.#hand.next();
      if (next.done === true) {
        this.#hand = undefined;
        continue;
      }
      const [key, account] = next.value;
      if (account.reserved > 0 || (this.#isShared && account.unreported() > 0)) continue;
      const spent = account.spent(nowMs);
      if (least === undefined || spent < least.spent) least = { key, spent };
    }
    if (least === undefined) return;
    this.#accounts.delete(least.key);
    if (least.spent === 0) return;
    if (this.#isShared) return;
    const { id } = this.#budget;
    warnOnce(
      `budget ${id} accounts`,
      `budget ${id} has more than ${ACCOUNTS_MAX} accounts; those with the least spent are forgotten and begin at zero`,
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
