import type { Account } from './account.ts';

/** Which shares were reported of which account in which window, where no store keeps that. */
export class LocalShares {
  readonly #reported = new WeakMap<Account, Map<number, number>>();

  /** Those of `at` that are reached and were not reported since `windowFromMs`. */
  reached(
    account: Account,
    at: readonly number[],
    share: number,
    windowFromMs: number,
    nowMs: number,
  ): readonly number[] {
    const due = at.filter((one) => share >= one);
    if (due.length === 0) return due;
    const reported = this.#reported.get(account) ?? new Map<number, number>();
    this.#reported.set(account, reported);
    const fresh = due.filter(
      (one) => (reported.get(one) ?? Number.NEGATIVE_INFINITY) < windowFromMs,
    );
    for (const one of fresh) reported.set(one, nowMs);
    return fresh;
  }
}
