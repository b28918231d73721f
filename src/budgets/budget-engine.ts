import type { BudgetedCall, BudgetRefusal, CallSize } from '../domain/call-budgets.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import { quietly, warnOnce } from '../host/quietly.ts';
import type { Account } from './account.ts';
import { BudgetAccounts } from './budget-accounts.ts';
import { shownAmount, type Budget, type BudgetUnit } from './budget.ts';
import type { BudgetShare, BudgetStatus } from './budget-status.ts';
import { CallEstimate } from './call-estimate.ts';
import { CallNeeds } from './call-needs.ts';
import { CallPrice, type PriceOfTokens } from './call-price.ts';
import { checkBudgets } from './check-budget.ts';
import { Leases } from './leases.ts';
import { LocalShares } from './local-shares.ts';
import type { BudgetStore } from './stores/budget-store.ts';

export interface BudgetEngineOptions {
  /** Undefined: one process has the budgets to itself. */
  readonly store: BudgetStore | undefined;
  readonly priceOf: PriceOfTokens;
  readonly onShare: (share: BudgetShare) => void;
}

/** An amount that is set aside. */
interface Held {
  readonly budget: BudgetAccounts;
  readonly account: Account;
  readonly amount: number;
}

/** Accounts of a budget that are gone through for those that are wanted. */
const SEARCHED_MAX = 10_000;
const STATUS_WITHIN_MS = 500;
/** After which a call may be tried again whose room is not known to be spent. */
const RESERVED_MS = 1000;

export interface AccountsWanted {
  readonly id?: string | undefined;
  /** Of each budget. */
  readonly limit: number;
  /** Others are left out: of a budget with more accounts, among the 10,000 with the most spent. */
  readonly isWanted?: ((budgetId: string, key: BudgetStatus['key']) => boolean) | undefined;
}

/** The budgets in force: what calls set aside and spend, and which of them are refused. */
export class BudgetEngine {
  readonly #options: BudgetEngineOptions;
  readonly #leases: Leases | undefined;
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
    return new SetAside(this, call, held, this.#budgets);
  }

  release(held: readonly Held[]): void {
    for (const { budget, account, amount } of held) {
      account.reserved -= amount;
      if (amount > 0) this.#leases?.changed(budget, account);
    }
  }

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
    const nowMs = this.#nowMs();
    const found = this.#budgets.flatMap((budget) => {
      const account = budget.accountToShow(call, nowMs);
      return account === undefined ? [] : [{ budget, account }];
    });
    await this.#asked(found);
    return found.map(({ budget, account }) => this.#statusOf(budget, account));
  }

  /** Accounts with the most spent of a budget, or of all. Never rejects. */
  async accounts({ id, limit, isWanted }: AccountsWanted): Promise<readonly BudgetStatus[]> {
    const all: BudgetStatus[] = [];
    for (const budget of this.#budgets) {
      const budgetId = budget.budget.id;
      if (id !== undefined && budgetId !== id) continue;
      const listed = new Set(await this.#listed(budget, isWanted ? SEARCHED_MAX : limit));
      const wanted = [...listed].filter(
        (account) => isWanted?.(budgetId, budget.keyOf(account)) ?? true,
      );
      const accounts = wanted.slice(0, limit);
      await this.#asked(accounts.map((account) => ({ budget, account })));
      const statuses = accounts
        .map((account) => this.#statusOf(budget, account))
        .filter(({ spent, reserved, key }) => spent + reserved > 0 || Object.keys(key).length === 0)
        .toSorted((one, other) => other.spent - one.spent);
      all.push(...statuses);
    }
    return all;
  }

  async stop(): Promise<void> {
    await this.#leases?.stop();
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

  #statusOf(budget: BudgetAccounts, account: Account): BudgetStatus {
    const nowMs = this.#nowMs();
    const { id, mode, unit, limit } = budget.budget;
    const spent = account.spent(nowMs);
    const { reserved } = account;
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

/** What is set aside for one call. */
export class SetAside {
  readonly call: BudgetedCall;
  /** One of each budget that the call is for; also once it is released. */
  readonly held: readonly Held[];
  /** The budgets that were in force. */
  readonly budgets: readonly BudgetAccounts[];
  readonly #engine: BudgetEngine;
  #isReleased = false;

  constructor(
    engine: BudgetEngine,
    call: BudgetedCall,
    held: readonly Held[],
    budgets: readonly BudgetAccounts[],
  ) {
    this.#engine = engine;
    this.call = call;
    this.held = held;
    this.budgets = budgets;
  }

  release(): void {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#engine.release(this.held);
  }
}

/** Whether the record is for the accounts that the call was. */
function isSameCall(call: BudgetedCall, record: UsageRecord): boolean {
  return (
    call.userId === record.userId &&
    call.team === record.team &&
    call.conversationId === record.conversationId &&
    call.model === record.requestModel &&
    call.provider === record.provider &&
    isSameDimensions(call.dimensions, record.dimensions)
  );
}

function isSameDimensions(
  one: BudgetedCall['dimensions'],
  other: BudgetedCall['dimensions'],
): boolean {
  if (one === other) return true;
  const names = Object.keys(one ?? {});
  if (names.length !== Object.keys(other ?? {}).length) return false;
  return names.every((name) => one?.[name] === other?.[name]);
}

/** In whole units. What is not known is not spent. */
function usedBy(record: UsageRecord, unit: BudgetUnit): number {
  if (unit === 'calls') return 1;
  const { inputTokens, outputTokens, totalTokens, costUsd } = record;
  if (unit === 'tokens') return totalTokens ?? (inputTokens ?? 0) + (outputTokens ?? 0);
  if (costUsd !== undefined) return Math.round(costUsd * 1e9);
  if (inputTokens !== undefined || outputTokens !== undefined) {
    warnOnce(
      `budget price ${record.requestModel}`,
      `model ${record.requestModel} has no price: its calls count nothing in budgets of dollars`,
    );
  }
  return 0;
}
