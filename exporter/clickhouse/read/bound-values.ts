/**
 * Bytes of one array. The server refuses longer fields of a form by default (`http_max_field_value_size`, 128 KiB),
 * and quotes and backslashes are sent as two.
 */
const MAX_ARRAY_BYTES = 60_000;

/** Values of a statement, sent beside it: no character of theirs needs escaping, and none can be SQL. */
export class BoundValues {
  readonly values: Record<string, unknown> = {};
  #count = 0;

  text(value: string): string {
    return this.#bind(value, 'String');
  }

  /** An array, sent in parts where it is long. */
  texts(values: readonly string[]): string {
    const parts: string[][] = [[]];
    let bytes = 0;
    for (const value of values) {
      bytes += Buffer.byteLength(value) + 3;
      if (bytes > MAX_ARRAY_BYTES) {
        parts.push([]);
        bytes = Buffer.byteLength(value) + 3;
      }
      parts.at(-1)?.push(value);
    }
    const bound = parts.map((part) => this.#bind(part, 'Array(String)'));
    return bound.length === 1 ? bound.join('') : `arrayConcat(${bound.join(', ')})`;
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
