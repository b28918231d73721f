/** Why each choice of a reply ended, in the order of their indexes. */
export class FinishReasons {
  readonly #byChoice = new Map<number, string | undefined>();

  begun(choice: number): void {
    if (!this.#byChoice.has(choice)) this.#byChoice.set(choice, undefined);
  }

  ended(choice: number, reason: string): void {
    this.#byChoice.set(choice, reason);
  }

  /** Undefined in place of a choice that has not ended; undefined altogether where none has begun. */
  list(): readonly (string | undefined)[] | undefined {
    if (this.#byChoice.size === 0) return undefined;
    return [...this.#byChoice].toSorted(([a], [b]) => a - b).map(([, reason]) => reason);
  }
}
