import type { Account } from './account.ts';

/** What was reported of an account. */
interface Reported {
  /** Begin of the window that it was reported in. */
  fromMs: number;
  /** The highest share. */
  share: number;
}

const NONE: readonly number[] = [];

/** Which shares were reported of which account in which window, where no store keeps that. */
export class LocalShares {
  readonly #reported = new WeakMap<Account, Reported>();

  /** Those of `at` that are reached and were not reported in this window. */
  reached(
    account: Account,
    at: readonly number[],
    share: number,
    windowFromMs: number,
    nowMs: number,
  ): readonly number[] {
    if (!at.some((one) => share >= one)) return NONE;
    const reported = this.#reported.get(account);
    const known = reported !== undefined && reported.fromMs >= windowFromMs ? reported.share : 0;
    const fresh = at.filter((one) => share >= one && one > known);
    if (fresh.length > 0) {
      this.#reported.set(account, { fromMs: nowMs, share: Math.max(...fresh) });
    }
    return fresh;
  }
}
