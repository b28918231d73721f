import type { BucketReport } from '../account.ts';

/** Names an account in a store. */
export interface AccountName {
  readonly budgetId: string;
  /** Of scope, window and unit: after a change of these the budget has other accounts. */
  readonly identity: string;
  readonly key: string;
}

/** What one instance says of an account, and asks for. Amounts in whole units of the budget. */
export interface AccountReport extends AccountName {
  readonly values: readonly (string | null)[];
  /** With the instance it names whose counts `buckets` are: they begin at zero with another one. */
  readonly serial: number;
  /** Names the list of accounts that this one is in, as in `list`. */
  readonly indexMs: number;
  readonly limit: number;
  /** Shares of the limit to report when they are reached. */
  readonly shares: readonly number[];
  /** Begin of the oldest bucket that counts. */
  readonly oldestMs: number;
  /** When the current bucket is over. */
  readonly bucketEndsMs: number;
  /** When nothing of the account counts any more. */
  readonly endsAtMs: number;
  readonly buckets: readonly BucketReport[];
  /** Set aside for calls that run; counts as spent should this instance die. */
  readonly reserved: number;
  /** What this instance goes on to hold of its lease, `reserved` included. */
  readonly keep: number;
  /** What it would like in addition. */
  readonly want: number;
  /** A grant of less is of no use. */
  readonly least: number;
}

/** What the store knows of it. */
export interface AccountState {
  /** What this instance may spend beyond what it reported, until its lease ends. */
  readonly held: number;
  /** Instances with a lease, this one included. */
  readonly instances: number;
  /** Spent by all, by begin of the bucket. */
  readonly totals: ReadonlyMap<number, number>;
  /** Shares that were reached just now; they are reported to no other instance. */
  readonly reached: readonly number[];
  /** Set aside for running calls of other instances. */
  readonly reservedElsewhere: number;
}

/** How full an account is: instances that do not hold a lease of it must know. */
export type Fullness = 'low' | 'half' | 'full';

/** Said to all instances at once. */
export type Announcement =
  /** An instance is new. */
  | { readonly kind: 'joined' }
  /** One needs what others hold without a use for it. */
  | ({ readonly kind: 'wanted' } & AccountName)
  | ({ readonly kind: 'fullness' } & FullnessOf);

export interface FullnessOf extends AccountName {
  readonly fullness: Fullness;
  /** At which limit. */
  readonly limit: number;
  /** Until when it holds, milliseconds since 1970. */
  readonly untilMs: number;
}

export interface SyncAnswer {
  /** The store's clock: it decides when windows turn over. */
  readonly nowMs: number;
  /** Instances that use the store, this one included. */
  readonly fleet: number;
  /** The store did not know this instance: it has just come, or the store has lost what it had. */
  readonly isNew: boolean;
  /** In the order of the reports. */
  readonly states: readonly AccountState[];
}

export interface BudgetStoreListener {
  /** It answers, and announcements may have been missed. */
  onReady(): void;
  onLost(): void;
  onAnnounced(announcement: Announcement): void;
}

/** One account as the store lists it. */
export interface ListedAccount {
  readonly values: readonly (string | null)[];
  /** By all, when it last changed. */
  readonly spent: number;
}

/** What the instances of a fleet share. All instances that use one store share its budgets. */
export interface BudgetStore {
  readonly kind: string;
  /** Never rejects; connects in the background. */
  start(listener: BudgetStoreListener): void;
  /** Rejects with `STORE_UNAVAILABLE`. A report that arrives twice counts once. */
  sync(instance: string, leaseMs: number, reports: readonly AccountReport[]): Promise<SyncAnswer>;
  /** Accounts of a budget that have spent at least `from`, most first. Those of a rolling window may have spent less since. */
  list(
    budget: Pick<AccountName, 'budgetId' | 'identity'>,
    indexMs: number,
    options: { readonly from?: number; readonly limit: number },
  ): Promise<readonly ListedAccount[]>;
  /** The instance is gone from the fleet. Never rejects. */
  stop(instance: string): Promise<void>;
}
