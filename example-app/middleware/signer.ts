import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

export interface SignerOptions {
  /** What is signed; a value that was signed for one purpose is worth nothing for another. */
  readonly purpose: string;
  readonly salt?: Uint8Array;
}

/** Signs values that a browser keeps for the application and must not be able to change. */
export class Signer {
  readonly #key: Buffer;

  constructor(secret: string | Uint8Array, { purpose, salt = new Uint8Array() }: SignerOptions) {
    this.#key = Buffer.from(hkdfSync('sha256', secret, salt, purpose, 32));
  }

  /** Fit for a cookie. The value can be read by anyone who has it. */
  sign(value: object): string {
    const payload = Buffer.from(JSON.stringify(value)).toString('base64url');
    return `${payload}.${this.#signature(payload)}`;
  }

  /** The value; undefined unless it was signed by this key. */
  open(text: string): unknown {
    const [payload = '', signature = '', ...rest] = text.split('.');
    const expected = Buffer.from(this.#signature(payload));
    const given = Buffer.from(signature);
    if (rest.length > 0 || given.length !== expected.length) return undefined;
    if (!timingSafeEqual(given, expected)) return undefined;
    return JSON.parse(Buffer.from(payload, 'base64url').toString());
  }

  #signature(payload: string): string {
    return createHmac('sha256', this.#key).update(payload).digest('base64url');
  }
}
