import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { diag } from '@opentelemetry/api';
import { failedQuietly } from '../host/quietly.ts';
import type { Account } from './account.ts';
import { accountKey, type BudgetAccounts } from './budget-accounts.ts';
import { FullAccounts } from './full-accounts.ts';
import { LeasedAccount } from './leased-account.ts';
import { ReportTimer } from './report-timer.ts';
import { BudgetClock } from './budget-clock.ts';
import type {
  AccountName,
  Announcement,
  BudgetStore,
  ListedAccount,
} from './stores/budget-store.ts';

/** A lease that is not renewed goes back to the others; its holder stops a little sooner. */
const LEASE_MS = 6000;
const LEASE_USED_MS = 5000;
/** Between reports while something is spent or held. */
const HEARTBEAT_MS = 700;
/** Between reports when a lease runs low or the others have to know. */
const URGENT_MS = 5;
/** Until what others hold may have come back. */
const DENIED_MS = 40;
/** Between reports of an instance that has nothing to say: it counts as one of the fleet. */
const PRESENCE_MS = 5000;
const STOP_WITHIN_MS = 2000;
const ACCOUNTS_AT_ONCE = 500;
const LISTED_MAX = 10_000;
/** As long as the store has not said how many there are. */
const FLEET_AT_FIRST = 100;
const WARN_EVERY_MS = 60_000;

/** A share of a limit was reached; the store says so to one instance. */
export type OnReached = (budget: BudgetAccounts, account: Account, share: number) => void;

/** Somebody who has asked for an account. */
interface Waiting {
  readonly leased: LeasedAccount;
  readonly answered: () => void;
}

/** Keeps leases of the accounts that are used here, in the background. No call waits for it. */
export class Leases {
  readonly #store: BudgetStore;
  readonly #onReached: OnReached;
  readonly #instance = randomUUID();
  readonly #budgets = new Set<BudgetAccounts>();
  readonly #leased = new Map<Account, LeasedAccount>();
  readonly #due = new Set<LeasedAccount>();
  readonly #full = new FullAccounts();
  #fleet = FLEET_AT_FIRST;
  #isReady = false;
  /** The store has not answered yet, nor failed to: nobody can say that it is down. */
  #isConnecting = true;
  readonly #clock = new BudgetClock();
  readonly #timer = new ReportTimer(async () => await this.#sync(), URGENT_MS, PRESENCE_MS);
  #isStopped = false;
  #waiting: Waiting[] = [];
  #warnedMs = Number.NEGATIVE_INFINITY;

  constructor(store: BudgetStore, onReached: OnReached) {
    this.#store = store;
    this.#onReached = onReached;
    store.start({
      onReady: () => this.#ready(),
      onLost: () => this.#lost(),
      onAnnounced: (announcement) => this.#hear(announcement),
    });
  }

  /** By the clock of the store, which is that of all instances. */
  nowMs(): number {
    return this.#clock.nowMs();
  }

  /** The store answers. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Whether this instance may use `amount` more of an account whose limit has room for it. */
  admits(budget: BudgetAccounts, account: Account, amount: number): boolean {
    const leased = this.#of(budget, account);
    if (leased.covers(amount, performance.now())) {
      if (leased.runsLow) this.#plan(leased, URGENT_MS);
      return true;
    }
    this.#plan(leased, URGENT_MS);
    const { whenStoreDown, limit } = budget.budget;
    if (!this.#isReady) {
      if (whenStoreDown === 'allow') return true;
      if (!this.#isConnecting) return false;
    }
    const fullness = this.#full.fullnessOf(leased.name, limit, this.nowMs());
    return leased.allowsBeyond(amount, fullness, this.#fleet, performance.now());
  }

  /** The store has announced that the limit is spent. */
  isFull(budget: BudgetAccounts, account: Account): boolean {
    const { name } = this.#of(budget, account);
    return this.#full.fullnessOf(name, budget.budget.limit, this.nowMs()) === 'full';
  }

  /** Something was spent, or is no longer set aside. */
  changed(budget: BudgetAccounts, account: Account): void {
    // A call that began before the budget was deleted.
    if (!this.#budgets.has(budget)) return;
    const leased = this.#of(budget, account);
    this.#plan(leased, leased.hasNews ? URGENT_MS : HEARTBEAT_MS);
  }

  /** Resolves when the store has answered for the account, or cannot. */
  async ask(budget: BudgetAccounts, account: Account): Promise<void> {
    if (this.#isStopped || !this.#isReady) return;
    const leased = this.#of(budget, account);
    const answer = new Promise<void>((answered) => this.#waiting.push({ leased, answered }));
    this.#plan(leased, 0);
    await answer;
  }

  /** Most used first. Rejects when the store does not answer. */
  async accountsOf(budget: BudgetAccounts, limit: number): Promise<readonly ListedAccount[]> {
    const indexMs = budget.window.indexAt(this.nowMs());
    return await this.#store.list(nameOf(budget), indexMs, { limit });
  }

  add(budget: BudgetAccounts): void {
    this.#budgets.add(budget);
    // The one account is known before its first call.
    if (budget.budget.scope.each === undefined) this.#plan(this.#of(budget, budget.account()), 0);
    if (this.#clock.isKnown) void this.#loadFull(budget);
  }

  remove(budget: BudgetAccounts): void {
    this.#budgets.delete(budget);
    for (const [account, leased] of this.#leased) {
      if (leased.budget !== budget) continue;
      this.#leased.delete(account);
      leased.isOver = true;
      this.#plan(leased, 0);
    }
  }

  /** Reports what was spent and gives back what is held, as far as the store can be reached now. */
  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#timer.stop();
    const nowMs = this.nowMs();
    const last = new Set([...this.#leased.values(), ...this.#due]);
    const reports = [...last].map((leased) => leased.report(nowMs, performance.now(), true));
    // The connection holds no process, but what it still has to say does.
    const holding = setTimeout(() => undefined, STOP_WITHIN_MS);
    try {
      for (let at = 0; at < reports.length; at += ACCOUNTS_AT_ONCE) {
        const some = reports.slice(at, at + ACCOUNTS_AT_ONCE);
        await this.#store.sync(this.#instance, LEASE_MS, some);
      }
    } catch {
      // What it does not receive is lost with this process.
    }
    await this.#store.stop(this.#instance);
    clearTimeout(holding);
    this.#answerWaiting();
  }

  #of(budget: BudgetAccounts, account: Account): LeasedAccount {
    let leased = this.#leased.get(account);
    if (leased === undefined) {
      leased = new LeasedAccount(budget, account, performance.now());
      this.#leased.set(account, leased);
    }
    return leased;
  }

  #hear(announcement: Announcement): void {
    if (announcement.kind === 'joined') this.#fleet = Math.max(2, this.#fleet);
    else if (announcement.kind === 'fullness') this.#full.note(announcement);
    else {
      const { budgetId, identity, key } = announcement;
      for (const leased of this.#leased.values()) {
        const { name } = leased;
        const isNamed = name.key === key && name.budgetId === budgetId;
        if (isNamed && name.identity === identity) this.#giveBack(leased);
      }
    }
  }

  /** What is held without a use for it. */
  #giveBack(leased: LeasedAccount): void {
    if (!leased.isHolding) return;
    leased.isWanted = true;
    this.#plan(leased, URGENT_MS);
  }

  /** The store may be another one now, or have lost what it had. */
  #ready(): void {
    this.#isReady = true;
    this.#isConnecting = false;
    this.#clock.doubt();
    this.#restore();
  }

  #restore(): void {
    const nowMs = this.nowMs();
    for (const budget of this.#budgets) {
      for (const account of budget.all()) {
        if (account.spent(nowMs) === 0) continue;
        const leased = this.#of(budget, account);
        leased.restore();
        this.#due.add(leased);
      }
    }
    this.#timer.within(0);
  }

  #lost(): void {
    this.#isReady = false;
    this.#isConnecting = false;
    this.#answerWaiting();
    if (performance.now() - this.#warnedMs < WARN_EVERY_MS) return;
    this.#warnedMs = performance.now();
    diag.warn(
      'otel-token-meter: the store of budgets does not answer; budgets hold as their whenStoreDown says',
    );
  }

  /** What was announced before this instance could hear it. */
  async #loadFull(budget: BudgetAccounts): Promise<void> {
    const { limit } = budget.budget;
    const nowMs = this.nowMs();
    const { fromMs, toMs } = budget.window.bucketAt(nowMs);
    const indexMs = budget.window.indexAt(nowMs);
    const isOneBucket = indexMs === fromMs;
    try {
      const name = nameOf(budget);
      const listed = await this.#store.list(name, indexMs, { from: limit / 2, limit: LISTED_MAX });
      for (const { values, spent } of listed) {
        this.#full.note({
          ...name,
          key: accountKey(values),
          fullness: isOneBucket && spent >= limit ? 'full' : 'half',
          limit,
          untilMs: toMs,
        });
      }
    } catch (error) {
      failedQuietly('loading full budgets', error);
    }
  }

  #plan(leased: LeasedAccount, withinMs: number): void {
    this.#due.add(leased);
    this.#timer.within(withinMs);
  }

  async #sync(): Promise<void> {
    let due: readonly LeasedAccount[] = [];
    try {
      // A report by a wrong clock would make the store forget what is of the present.
      if (!this.#clock.isKnown) await this.#learnClock();
      due = [...this.#due].slice(0, ACCOUNTS_AT_ONCE);
      for (const leased of due) this.#due.delete(leased);
      if (this.#due.size > 0) this.#timer.within(0);
      const sentMs = performance.now();
      const nowMs = this.nowMs();
      const reports = due.map((leased) => leased.report(nowMs, sentMs, false));
      const answer = await this.#store.sync(this.#instance, LEASE_MS, reports);
      this.#clock.adjust(answer.nowMs, sentMs);
      this.#fleet = Math.max(1, answer.fleet);
      // It was said that this instance is there: the store has lost that, and all else.
      if (answer.isNew) this.#restore();
      this.#isReady = true;
      this.#isConnecting = false;
      for (const [index, leased] of due.entries()) {
        const report = reports[index];
        const state = answer.states[index];
        if (report === undefined || state === undefined) continue;
        leased.take(report, state, sentMs + LEASE_USED_MS);
        for (const share of state.reached) this.#onReached(leased.budget, leased.account, share);
        if (leased.isOver) continue;
        if (leased.isDenied) this.#plan(leased, DENIED_MS);
        else if (!leased.isIdle) this.#plan(leased, HEARTBEAT_MS);
        else if (!this.#due.has(leased)) this.#leased.delete(leased.account);
      }
      // Others have asked while the question was on its way.
      this.#answerWaiting(new Set(due));
    } catch {
      for (const leased of due) this.#due.add(leased);
      this.#timer.within(HEARTBEAT_MS);
      if (!this.#isConnecting) this.#lost();
      this.#answerWaiting();
    }
  }

  async #learnClock(): Promise<void> {
    const sentMs = performance.now();
    const { nowMs } = await this.#store.sync(this.#instance, LEASE_MS, []);
    const guessedMs = this.#clock.learn(nowMs, sentMs);
    if (guessedMs !== undefined) this.#redate(guessedMs);
    for (const budget of this.#budgets) void this.#loadFull(budget);
  }

  /** What was spent before the store had said the time. */
  #redate(guessedMs: number): void {
    const nowMs = this.nowMs();
    for (const budget of this.#budgets) {
      for (const account of budget.all()) account.redate(guessedMs, nowMs);
    }
    for (const { isOver, account } of this.#due) if (isOver) account.redate(guessedMs, nowMs);
  }

  /** Those who asked for one of these accounts, or all. */
  #answerWaiting(asked?: ReadonlySet<LeasedAccount>): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const one of waiting) {
      if (asked?.has(one.leased) === false) this.#waiting.push(one);
      else one.answered();
    }
  }
}

function nameOf({ budget, identity }: BudgetAccounts): Omit<AccountName, 'key'> {
  return { budgetId: budget.id, identity };
}
