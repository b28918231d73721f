import type { BudgetedCall } from '../domain/call-budgets.ts';
import type { Account } from './account.ts';
import type { BudgetAccounts } from './budget-accounts.ts';
import type { BudgetStatus } from './budget-status.ts';
import { shownAmount } from './budget.ts';
import type { Leases } from './leases.ts';
import type { Held } from './set-aside.ts';

export interface AccountsWanted {
  readonly id?: string | undefined;
  /** Of each budget. */
  readonly limit: number;
  /** Others are left out: of a budget with more accounts, among the 10,000 with the most spent. */
  readonly isWanted?: ((budgetId: string, key: BudgetStatus['key']) => boolean) | undefined;
}

/** Accounts of a budget that are gone through for those that are wanted. */
const SEARCHED_MAX = 10_000;
const STATUS_WITHIN_MS = 500;
/** What is spent and left, for those who ask. In a fleet the store is asked, for half a second at most. */
export class BudgetStatuses {
  readonly #leases: Leases | undefined;

  constructor(leases: Leases | undefined) {
    this.#leases = leases;
  }

  /** Of every budget that such a call would be charged to. Never rejects. */
  async ofCall(
    budgets: readonly BudgetAccounts[],
    call: BudgetedCall,
  ): Promise<readonly BudgetStatus[]> {
    const nowMs = this.#nowMs();
    const found = budgets.flatMap((budget) => {
      const account = budget.accountToShow(call, nowMs);
      return account === undefined ? [] : [{ budget, account }];
    });
    await this.#asked(found);
    return found.map(({ budget, account }) => this.#statusOf(budget, account));
  }

  /** Accounts with the most spent of a budget, or of all. Never rejects. */
  async ofAccounts(
    budgets: readonly BudgetAccounts[],
    { id, limit, isWanted }: AccountsWanted,
  ): Promise<readonly BudgetStatus[]> {
    const all: BudgetStatus[] = [];
    for (const budget of budgets) {
      const budgetId = budget.budget.id;
      if (id !== undefined && budgetId !== id) continue;
      const asked = new Set<Account>();
      const found: BudgetStatus[] = [];
      // The list of a rolling window begins with accounts whose spending may be forgotten by now.
      for (const most of isWanted ? [SEARCHED_MAX] : [limit, SEARCHED_MAX]) {
        const listed = (await this.#listed(budget, most)).filter(
          (account) => !asked.has(account) && (isWanted?.(budgetId, budget.keyOf(account)) ?? true),
        );
        for (let at = 0; at < listed.length && found.length < limit; at += limit) {
          const some = [...new Set(listed.slice(at, at + limit))];
          for (const account of some) asked.add(account);
          await this.#asked(some.map((account) => ({ budget, account })));
          const statuses = some.map((account) => this.#statusOf(budget, account));
          found.push(
            ...statuses.filter(
              ({ spent, reserved, key }) => spent + reserved > 0 || Object.keys(key).length === 0,
            ),
          );
        }
        if (asked.size < limit) break;
      }
      all.push(...found.toSorted((one, other) => other.spent - one.spent).slice(0, limit));
    }
    return all;
  }

  async #listed(budget: BudgetAccounts, limit: number): Promise<readonly Account[]> {
    if (budget.budget.scope.each === undefined) return [budget.account()];
    const nowMs = this.#nowMs();
    const own = [...budget.all()]
      .filter((account) => account.spent(nowMs) + account.reserved > 0)
      .toSorted((one, other) => other.spent(nowMs) - one.spent(nowMs))
      .slice(0, limit);
    if (this.#leases?.isReady !== true) return own;
    const listed = this.#leases.accountsOf(budget, limit).catch(() => []);
    return [...(await listed).map(({ values }) => budget.account(values, nowMs)), ...own];
  }

  async #asked(found: readonly Pick<Held, 'budget' | 'account'>[]): Promise<void> {
    const leases = this.#leases;
    if (leases === undefined || found.length === 0) return;
    const answers = found.map(({ budget, account }) => leases.ask(budget, account));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, STATUS_WITHIN_MS);
    });
    await Promise.race([Promise.all(answers), late]);
    clearTimeout(timer);
  }

  #statusOf(budget: BudgetAccounts, account: Account): BudgetStatus {
    const nowMs = this.#nowMs();
    const { id, mode, unit, limit } = budget.budget;
    const spent = account.spent(nowMs);
    const reserved = account.reserved + account.reservedElsewhere;
    const isFull = spent + reserved >= limit;
    return {
      id,
      key: budget.keyOf(account),
      mode,
      unit,
      limit: shownAmount(unit, limit),
      spent: shownAmount(unit, spent),
      reserved: shownAmount(unit, reserved),
      remaining: shownAmount(unit, Math.max(0, limit - spent - reserved)),
      from: new Date(budget.window.oldestAt(nowMs)).toISOString(),
      resetsAt: new Date(account.resetsAt(nowMs)).toISOString(),
      blocked: mode === 'block' && isFull,
      stale: this.#leases?.isReady === false,
    };
  }

  #nowMs(): number {
    return this.#leases?.nowMs() ?? Date.now();
  }
}
