import type { BudgetedCall, BudgetRefusal, CallSize } from '../domain/call-budgets.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { quietly } from '../host/quietly.ts';
import type { Account } from './account.ts';
import { BudgetAccounts } from './budget-accounts.ts';
import { shownAmount, type Budget } from './budget.ts';
import type { BudgetShare, BudgetStatus } from './budget-status.ts';
import { type AccountsWanted, BudgetStatuses } from './budget-statuses.ts';
import { CallEstimate } from './call-estimate.ts';
import { CallNeeds } from './call-needs.ts';
import { CallPrice, type PriceOfTokens } from './call-price.ts';
import { checkBudgets } from './check-budget.ts';
import { Leases } from './leases.ts';
import { LocalShares } from './local-shares.ts';
import { isSameCall, usedBy } from './recorded-use.ts';
import { type Held, SetAside } from './set-aside.ts';
import type { BudgetStore } from './stores/budget-store.ts';

export interface BudgetEngineOptions {
  /** Undefined: one process has the budgets to itself. */
  readonly store: BudgetStore | undefined;
  readonly priceOf: PriceOfTokens;
  readonly onShare: (share: BudgetShare) => void;
}

/** After which a call may be tried again whose room is not known to be spent. */
const RESERVED_MS = 1000;

/** The budgets in force: what calls set aside and spend, and which of them are refused. */
export class BudgetEngine {
  readonly #options: BudgetEngineOptions;
  readonly #leases: Leases | undefined;
  readonly #statuses: BudgetStatuses;
  readonly #estimate = new CallEstimate();
  readonly #price: CallPrice;
  readonly #localShares = new LocalShares();
  #budgets: readonly BudgetAccounts[] = [];

  constructor(options: BudgetEngineOptions) {
    this.#options = options;
    this.#price = new CallPrice(options.priceOf);
    const { store } = options;
    if (store !== undefined) {
      this.#leases = new Leases(store, (budget, account, share) =>
        this.#tell(budget, account, share),
      );
    }
    this.#statuses = new BudgetStatuses(this.#leases);
  }

  get isEmpty(): boolean {
    return this.#budgets.length === 0;
  }

  /** Whether costs have to be known. */
  get hasPrices(): boolean {
    return this.#budgets.some(({ budget }) => budget.unit === 'usd');
  }

  /** Replaces all definitions. Throws `INVALID_OPTION`, and then changes nothing. */
  apply(budgets: readonly Budget[]): void {
    const former = new Map(this.#budgets.map((one) => [one.budget.id, one]));
    this.#budgets = checkBudgets(budgets).map((budget) => {
      const known = former.get(budget.id);
      if (known?.change(budget) === true) {
        former.delete(budget.id);
        return known;
      }
      return new BudgetAccounts(budget, this.#leases !== undefined);
    });
    for (const gone of former.values()) this.#leases?.remove(gone);
    for (const budget of this.#budgets) this.#leases?.add(budget);
  }

  /** `admitted`: what a layer around the call had set aside, released just now: only what is needed beyond it may be refused. */
  reserve(
    call: BudgetedCall,
    size: CallSize,
    tokenStatistics: boolean,
    admitted: readonly Held[],
  ): SetAside | BudgetRefusal | undefined {
    const nowMs = this.#nowMs();
    const needs = new CallNeeds(call, size, this.#estimate, this.#price, nowMs);
    const held: Held[] = [];
    for (const budget of this.#budgets) {
      const account = budget.accountFor(call, nowMs);
      if (account === undefined) continue;
      const { mode, unit, limit, reserve } = budget.budget;
      if (mode === 'warn' || (unit !== 'calls' && !tokenStatistics)) {
        held.push({ budget, account, amount: 0 });
        continue;
      }
      // Not all of what a request asks for: Infinity less Infinity would be no number.
      const amount = Math.min(needs.amount(unit, reserve), limit + 1);
      // Also a call that nothing is set aside for needs room.
      const needed = Math.max(1, amount);
      const layer = admitted.find((one) => one.account === account);
      if (layer === undefined || needed > Math.max(1, layer.amount)) {
        const wouldBeSpent = account.spent(nowMs) + needed;
        const hasRoom = wouldBeSpent + account.reserved <= limit;
        if (!hasRoom || this.#leases?.admits(budget, account, needed) === false) {
          const isSpent = wouldBeSpent > limit || this.#leases?.isFull(budget, account) === true;
          return this.#refusal(budget, account, nowMs, !isSpent);
        }
      }
      held.push({ budget, account, amount });
    }
    if (held.length === 0) return undefined;
    for (const { account, amount } of held) account.reserved += amount;
    return new SetAside(this.#release, call, held, this.#budgets);
  }

  readonly #release = (held: readonly Held[]): void => {
    for (const { budget, account, amount } of held) {
      account.reserved -= amount;
      if (amount > 0) this.#leases?.changed(budget, account);
    }
  };

  /** What the call of a record has used. `setAside`: for it, and ended by this. */
  charge(record: UsageRecord, setAside?: SetAside): void {
    setAside?.release();
    if (record.outcome === 'blocked') return;
    this.#estimate.learn(record);
    const nowMs = this.#nowMs();
    const isSame = setAside !== undefined && isSameCall(setAside.call, record);
    if (isSame && setAside.budgets === this.#budgets) {
      for (const { budget, account } of setAside.held) this.#spend(budget, account, record, nowMs);
      return;
    }
    const call: BudgetedCall = { ...record, model: record.requestModel };
    for (const budget of this.#budgets) {
      const account = budget.accountFor(call, nowMs);
      if (account !== undefined) this.#spend(budget, account, record, nowMs);
    }
  }

  #spend(budget: BudgetAccounts, account: Account, record: UsageRecord, nowMs: number): void {
    const { unit, limit, at } = budget.budget;
    const amount = usedBy(record, unit);
    if (amount === 0) return;
    const spent = account.spend(amount, nowMs);
    if (this.#leases !== undefined) {
      this.#leases.changed(budget, account);
      return;
    }
    const share = spent / limit;
    if (share < budget.firstShare) return;
    const fromMs = budget.window.oldestAt(nowMs);
    for (const one of this.#localShares.reached(account, at, share, fromMs, nowMs)) {
      this.#tell(budget, account, one);
    }
  }

  /** Of every budget that such a call would be charged to. Never rejects. */
  async status(call: BudgetedCall): Promise<readonly BudgetStatus[]> {
    return await this.#statuses.ofCall(this.#budgets, call);
  }

  /** Accounts with the most spent of a budget, or of all. Never rejects. */
  async accounts(wanted: AccountsWanted): Promise<readonly BudgetStatus[]> {
    return await this.#statuses.ofAccounts(this.#budgets, wanted);
  }

  async stop(): Promise<void> {
    await this.#leases?.stop();
  }

  #nowMs(): number {
    return this.#leases?.nowMs() ?? Date.now();
  }

  /** `isReserved`: there may be room for the call as soon as others end or the store answers. */
  #refusal(
    budget: BudgetAccounts,
    account: Account,
    nowMs: number,
    isReserved: boolean,
  ): BudgetRefusal {
    const { id, unit, limit } = budget.budget;
    return {
      budgetId: id,
      budgetKey: budget.keyOf(account),
      unit,
      limit: shownAmount(unit, limit),
      spent: shownAmount(unit, account.spent(nowMs)),
      reserved: shownAmount(unit, account.reserved),
      resetsAt: new Date(isReserved ? nowMs + RESERVED_MS : account.resetsAt(nowMs)).toISOString(),
      ...(isReserved && { isReserved }),
    };
  }

  #tell(budget: BudgetAccounts, account: Account, share: number): void {
    const nowMs = this.#nowMs();
    const { id, mode, unit, limit } = budget.budget;
    quietly('reporting a share of a budget', () =>
      this.#options.onShare({
        id,
        key: budget.keyOf(account),
        mode,
        share,
        unit,
        limit: shownAmount(unit, limit),
        spent: shownAmount(unit, account.spent(nowMs)),
        resetsAt: new Date(account.resetsAt(nowMs)).toISOString(),
      }),
    );
  }
}
