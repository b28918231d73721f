import type { AccountName, FullnessOf, Fullness } from './stores/budget-store.ts';

const KEPT_MAX = 50_000;

/** Accounts that are at least half full, as the store announces them. */
export class FullAccounts {
  readonly #announced = new Map<string, FullnessOf>();

  note(announced: FullnessOf): void {
    const name = nameOf(announced);
    this.#announced.delete(name);
    if (announced.fullness === 'low') return;
    this.#announced.set(name, announced);
    if (this.#announced.size <= KEPT_MAX) return;
    const [oldest] = this.#announced.keys();
    if (oldest !== undefined) this.#announced.delete(oldest);
  }

  fullnessOf(name: AccountName, limit: number, nowMs: number): Fullness {
    const known = this.#announced.get(nameOf(name));
    if (known === undefined || known.untilMs <= nowMs) return 'low';
    // How full it is at a higher limit remains to be seen.
    return known.limit < limit ? 'half' : known.fullness;
  }
}

function nameOf({ budgetId, identity, key }: AccountName): string {
  return `${budgetId}\n${identity}\n${key}`;
}
