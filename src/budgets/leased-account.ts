import type { Account, BucketReport } from './account.ts';
import type { ResolvedBudget } from './budget.ts';
import { accountKey, type BudgetAccounts } from './budget-accounts.ts';
import type { AccountName, AccountReport, AccountState, Fullness } from './stores/budget-store.ts';

/** Of the limit: what all instances together may spend beyond their leases. */
const BEYOND_SHARE = 0.01;
/** Of the limit: what all instances together may spend without reporting it at once. */
const UNREPORTED_SHARE = 0.0025;
/** Calls that may begin on an account that is not leased here before the store has answered. */
const FIRST_CALLS = 4;
/** A lease is for so long at the present rate; less when others need it. */
const AHEAD_MS = 2000;
const AHEAD_WHEN_WANTED_MS = 100;
/** Of the limit: what all instances together hold of a budget's only account before they use it. */
const IDLE_SHARE = 0.0025;
/** A rate is not taken from less. */
const SHORTEST_MS = 50;
/** Of the limit: as good as no use. */
const NOTHING_SHARE = 1e-6;

/** A lease of an account, monotonic milliseconds. */
interface Lease {
  readonly granted: number;
  /** Of the budget when it was granted. */
  readonly limit: number;
  readonly untilMs: number;
}

/**
 * One account that a fleet shares, in the hands of this instance. The rule of what may be used: up to the lease;
 * beyond it, until the store answers, a part of what nobody can have spent. An account that was never announced
 * as half full has half of its limit left for all instances together; of one that was, all together may go beyond
 * their leases by 1 % of the limit, and of a full one by nothing.
 */
export class LeasedAccount {
  readonly budget: BudgetAccounts;
  readonly account: Account;
  readonly name: AccountName;
  /** Others need what is held here without a use. */
  isWanted = false;
  /** The budget is no longer in force here: what was spent is still reported, and nothing is held. */
  isOver = false;
  /** The store had nothing left to lease. */
  isDenied = false;
  /** The store lost what it had: reports say all that is known, until one of them was answered. */
  #restores = false;
  #restoring: AccountReport | undefined;
  #lease: Lease | undefined;
  /** How far `used` of the account may rise by leases. */
  #upTo = 0;
  #instances = 1;
  #rate = 0;
  #usedAtReport: number;
  #reportedMs: number;
  #largest = 0;

  constructor(budget: BudgetAccounts, account: Account, monotonicMs: number) {
    this.budget = budget;
    this.account = account;
    const { id: budgetId } = budget.budget;
    this.name = { budgetId, identity: budget.identity, key: accountKey(account.values) };
    this.#usedAtReport = account.used;
    this.#upTo = account.used;
    this.#reportedMs = monotonicMs;
  }

  /** The store lost what it had, also of a report that is on its way. */
  restore(): void {
    this.#restores = true;
    this.#restoring = undefined;
  }

  /** Whether a lease covers `amount` more. */
  covers(amount: number, monotonicMs: number): boolean {
    this.#largest = Math.max(this.#largest, amount);
    this.#dropOfHigherLimit();
    return this.#isLeased(monotonicMs) && this.account.used + amount <= this.#upTo;
  }

  get runsLow(): boolean {
    return this.#upTo - this.account.used < (this.#lease?.granted ?? 0) / 2;
  }

  /** Whether `amount` is so little that no answer of the store need be awaited. */
  allowsBeyond(amount: number, fullness: Fullness, fleet: number, monotonicMs: number): boolean {
    const { limit } = this.budget.budget;
    if (fullness === 'full') return false;
    // Nobody else spends: what is known here is all there is.
    if (fleet === 1 && this.account.isKnown) return true;
    const shared = fullness === 'low' ? limit / 2 : limit * BEYOND_SHARE;
    const calls = this.#isLeased(monotonicMs) ? 0 : FIRST_CALLS;
    const beyond = Math.max(shared / Math.max(fleet, this.#instances), calls * this.#largest);
    return this.account.used + amount <= this.#upTo + beyond;
  }

  /** More was spent than the others should not know. */
  get hasNews(): boolean {
    const most = (this.budget.budget.limit * UNREPORTED_SHARE) / this.#instances;
    return this.account.unreported() > most;
  }

  /**
   * Lowers the lease to what the report keeps, at once: should the answer be lost, the store counts no less than is
   * used here.
   */
  report(nowMs: number, monotonicMs: number, isLast: boolean): AccountReport {
    const { account, name } = this;
    this.#dropOfHigherLimit();
    const { budget, window } = this.budget;
    this.#measure(monotonicMs);
    const reserved = budget.mode === 'warn' || this.isOver ? 0 : account.reserved;
    const goal =
      isLast || this.isOver || budget.mode === 'warn' ? 0 : reserved + this.#ahead(budget);
    const has = this.#isLeased(monotonicMs) ? Math.max(0, this.#upTo - account.ownSpent) : 0;
    const keep = Math.floor(Math.min(has, goal));
    this.#upTo = Math.min(this.#upTo, account.ownSpent + keep);
    const { fromMs, toMs } = window.bucketAt(nowMs);
    const report: AccountReport = {
      ...name,
      values: account.values,
      serial: account.serial,
      indexMs: window.indexAt(nowMs),
      limit: budget.limit,
      shares: this.isOver ? [] : budget.at,
      oldestMs: window.oldestAt(nowMs),
      bucketEndsMs: toMs,
      endsAtMs: window.forgottenAt(fromMs),
      buckets: account.reports(nowMs, this.#restores),
      reserved: Math.ceil(reserved),
      keep,
      want: Math.ceil(Math.max(0, goal - keep)),
      least: Math.ceil(this.#largest),
    };
    if (this.#restores) this.#restoring = report;
    this.isWanted = false;
    this.#largest = 0;
    return report;
  }

  /** `untilMs`: how long the lease holds, monotonic. */
  take(report: AccountReport, state: AccountState, untilMs: number): void {
    const { account } = this;
    if (report === this.#restoring) this.#restores = false;
    const spentAtReport = account.ownSpent - spentSince(account, report.buckets);
    account.acknowledge(report.buckets, state.totals);
    account.reservedElsewhere = state.reservedElsewhere;
    // One that was given back says nothing about what is left.
    const isGivenBack = report.want === 0 && state.held === 0;
    this.#lease = isGivenBack ? undefined : { granted: state.held, limit: report.limit, untilMs };
    this.isDenied = report.want > 0 && state.held < Math.max(1, report.least);
    if (state.held > 0) this.#upTo = Math.max(this.#upTo, spentAtReport + state.held);
    this.#instances = Math.max(1, state.instances);
  }

  get isHolding(): boolean {
    return (this.#lease?.granted ?? 0) > 0;
  }

  /** Nothing of it need be said for now. */
  get isIdle(): boolean {
    const { account } = this;
    return (
      (this.#lease?.granted ?? 0) === 0 && account.reserved === 0 && account.unreported() === 0
    );
  }

  /** All instances together may hold more by now than is left. */
  #dropOfHigherLimit(): void {
    if (this.#lease === undefined || this.#lease.limit <= this.budget.budget.limit) return;
    this.#lease = undefined;
    this.#upTo = this.account.used;
  }

  #isLeased(monotonicMs: number): boolean {
    return this.#lease !== undefined && monotonicMs < this.#lease.untilMs;
  }

  /**
   * What is held for calls to come: by the present rate, since what one instance hoards the others have to ask back
   * when they are short. Of a budget's only account always a little, since calls come sooner or later.
   */
  #ahead({ scope, limit }: ResolvedBudget): number {
    if (this.isWanted) {
      return this.#rate === 0 ? 0 : Math.max(this.#rate * AHEAD_WHEN_WANTED_MS, this.#largest);
    }
    const idle = scope.each === undefined ? (limit * IDLE_SHARE) / this.#instances : 0;
    const used = this.#rate === 0 ? 0 : Math.max(this.#rate * AHEAD_MS, 2 * this.#largest);
    return Math.max(idle, used);
  }

  /** Use per millisecond, as it was lately. It falls quickly where there is none. */
  #measure(monotonicMs: number): void {
    const elapsedMs = Math.max(SHORTEST_MS, monotonicMs - this.#reportedMs);
    const { used } = this.account;
    const rate = Math.max(0, used - this.#usedAtReport, this.#largest) / elapsedMs;
    this.#rate = rate > this.#rate ? rate : (this.#rate + 3 * rate) / 4;
    if (this.#rate * AHEAD_MS < this.budget.budget.limit * NOTHING_SHARE) this.#rate = 0;
    this.#usedAtReport = used;
    this.#reportedMs = monotonicMs;
  }
}

/** What was spent while the report was on its way. */
function spentSince(account: Account, reported: readonly BucketReport[]): number {
  const known = reported.reduce((sum, { own, acknowledged }) => sum + own - acknowledged, 0);
  return account.unreported() - known;
}
