/** Values of a statement, sent beside it: no character of theirs needs escaping, and none can be SQL. */
export class BoundValues {
  readonly values: Record<string, unknown> = {};
  #count = 0;

  text(value: string): string {
    return this.#bind(value, 'String');
  }

  texts(values: readonly string[]): string {
    return this.#bind([...values], 'Array(String)');
  }

  /** A time of the ledger. */
  instant(ms: number): string {
    return `fromUnixTimestamp64Nano(toInt64(${BigInt(Math.ceil(ms)) * 1_000_000n}), 'UTC')`;
  }

  /** A time of the ledger, RFC 3339 with nine digits. */
  moment(time: string): string {
    return this.#bind(time.slice(0, -1).replace('T', ' '), "DateTime64(9, 'UTC')");
  }

  #bind(value: unknown, type: string): string {
    const name = `p${this.#count++}`;
    this.values[name] = value;
    return `{${name}:${type}}`;
  }
}
