import type { WindowBuckets } from './budget-window.ts';

/** Spending of one account in one bucket of its window, in whole units. */
interface Bucket {
  /** By this process. */
  own: number;
  /** The part of `own` that the store has. */
  acknowledged: number;
  /** By all processes, when the store last answered. */
  total: number;
}

let accounts = 0;

/** The spending of one account: of one budget, or of one of its users, teams, models … */
export class Account {
  readonly values: readonly (string | null)[];
  /** Of this process. Another object for the same account has another one, and reports for itself. */
  readonly serial: number = ++accounts;
  readonly #window: WindowBuckets;
  readonly #buckets = new Map<number, Bucket>();
  readonly #isShared: boolean;
  #oldest = Number.NEGATIVE_INFINITY;
  /** Sum of the buckets that count, from `#oldest` on. */
  #spent = 0;
  #currentMs = Number.NaN;
  #current: Bucket = { own: 0, acknowledged: 0, total: 0 };
  /** Set aside for calls that run, in whichever window they will end. */
  reserved = 0;
  /** By other instances, when the store last answered. */
  reservedElsewhere = 0;
  /** Spent by this process since it knows the account; never falls. */
  ownSpent = 0;
  /** A store has said what others spent. */
  isKnown = false;

  /** `isShared`: what is spent goes to a store, and is kept here until it has it. */
  constructor(values: readonly (string | null)[], window: WindowBuckets, isShared: boolean) {
    this.values = values;
    this.#window = window;
    this.#isShared = isShared;
  }

  /** Spent by this process, or set aside by it. */
  get used(): number {
    return this.ownSpent + this.reserved;
  }

  /** Returns what is spent then, as `spent` does. */
  spend(amount: number, nowMs: number): number {
    this.#forget(nowMs);
    if (amount === 0) return this.#spent;
    const { fromMs } = this.#window.bucketAt(nowMs);
    if (fromMs !== this.#currentMs) {
      this.#currentMs = fromMs;
      this.#current = this.#bucketAt(fromMs);
    }
    this.#current.own += amount;
    this.#spent += amount;
    this.ownSpent += amount;
    return this.#spent;
  }

  /** By all processes in the window, as far as it is known here. */
  spent(nowMs: number): number {
    this.#forget(nowMs);
    return this.#spent;
  }

  /** When something of what is spent is forgotten. */
  resetsAt(nowMs: number): number {
    const oldest = this.#forget(nowMs);
    const kept = [...this.#buckets].filter(
      ([fromMs, { own, total }]) => fromMs >= oldest && own + total > 0,
    );
    const first = kept.reduce((least, [fromMs]) => Math.min(least, fromMs), Infinity);
    return this.#window.forgottenAt(
      first === Infinity ? this.#window.bucketAt(nowMs).fromMs : first,
    );
  }

  /** Spent here and not in the store yet. */
  unreported(): number {
    let sum = 0;
    for (const { own, acknowledged } of this.#buckets.values()) sum += own - acknowledged;
    return sum;
  }

  /** Buckets that the store lacks something of, and the current one; or all, for a store that may have lost them. */
  reports(nowMs: number, isAll: boolean): readonly BucketReport[] {
    const current = this.#window.bucketAt(nowMs).fromMs;
    this.#bucketAt(current);
    return [...this.#buckets]
      .filter(
        ([fromMs, { own, acknowledged }]) => isAll || fromMs === current || own > acknowledged,
      )
      .map(([fromMs, { own, acknowledged, total }]) => ({ fromMs, own, acknowledged, total }));
  }

  /** What the store made of reports, and the totals of all buckets. */
  acknowledge(reports: readonly BucketReport[], totals: ReadonlyMap<number, number>): void {
    this.isKnown = true;
    for (const { fromMs, own } of reports) {
      const bucket = this.#buckets.get(fromMs);
      if (bucket !== undefined) bucket.acknowledged = own;
    }
    for (const [fromMs, total] of totals) {
      const bucket = this.#bucketAt(fromMs);
      bucket.total = Math.max(bucket.total, total);
    }
    this.#add();
  }

  /** It is `nowMs`, not `guessedMs`: moves what was spent by the wrong clock, of which nothing is reported yet. */
  redate(guessedMs: number, nowMs: number): void {
    const guessed = [...this.#buckets];
    this.#buckets.clear();
    this.#currentMs = Number.NaN;
    this.#oldest = Number.NEGATIVE_INFINITY;
    for (const [fromMs, { own }] of guessed) {
      const { toMs } = this.#window.bucketAt(fromMs);
      // Nothing is spent later than now; of what is past the middle stands for all of a bucket.
      const spentMs = guessedMs < toMs ? guessedMs : (fromMs + toMs) / 2;
      const bucket = this.#window.bucketAt(spentMs + nowMs - guessedMs);
      this.#bucketAt(bucket.fromMs).own += own;
    }
    this.#forget(nowMs);
  }

  #bucketAt(fromMs: number): Bucket {
    let bucket = this.#buckets.get(fromMs);
    if (bucket === undefined) {
      bucket = { own: 0, acknowledged: 0, total: 0 };
      this.#buckets.set(fromMs, bucket);
    }
    return bucket;
  }

  /** Drops what no longer counts. */
  #forget(nowMs: number): number {
    const oldest = this.#window.oldestAt(nowMs);
    if (oldest === this.#oldest) return oldest;
    this.#oldest = oldest;
    this.#currentMs = Number.NaN;
    for (const [fromMs, { own, acknowledged }] of this.#buckets) {
      const isKept = this.#isShared && own > acknowledged;
      if (fromMs < oldest && !isKept) this.#buckets.delete(fromMs);
    }
    this.#add();
    return oldest;
  }

  #add(): void {
    this.#spent = 0;
    for (const [fromMs, { own, acknowledged, total }] of this.#buckets) {
      if (fromMs >= this.#oldest) this.#spent += total + own - acknowledged;
    }
  }
}

/** Spending of one bucket, as it is reported. */
export interface BucketReport {
  readonly fromMs: number;
  /** By this process, from the beginning: a report that arrives twice counts once. */
  readonly own: number;
  /** What of it the store is known to have. */
  readonly acknowledged: number;
  /** What the store last said of all processes: one that has lost it learns it again. */
  readonly total: number;
}
