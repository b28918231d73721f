import { TokenMeterError } from '../../src/errors.ts';

/** Checks of options that throw `INVALID_OPTION`; `owner` names the class in the message. */
export class OptionChecks {
  readonly #owner: string;

  constructor(owner: string) {
    this.#owner = owner;
  }

  invalid(name: string, value: unknown, allowed: string): never {
    throw new TokenMeterError('INVALID_OPTION', `${this.#owner}: ${name} must be ${allowed}`, {
      value,
      allowed,
    });
  }

  integer(name: string, value: number | undefined, preset: number, min = 1): number {
    if (value === undefined) return preset;
    if (Number.isSafeInteger(value) && value >= min) return value;
    return this.invalid(name, value, `a whole number of at least ${min}`);
  }

  /** The first one allowed is the default. */
  oneOf<T extends string>(name: string, value: T | undefined, allowed: readonly T[]): T {
    if (value !== undefined && !allowed.includes(value)) {
      this.invalid(name, value, `one of ${allowed.join(', ')}`);
    }
    return value ?? (allowed[0] as T);
  }

  /** An empty text counts as not given. */
  text<Name extends string>(name: Name, value: string | undefined): { [K in Name]?: string } {
    if (value === undefined || value === '') return {};
    // The value itself may be a secret.
    if (typeof value !== 'string') this.invalid(name, typeof value, 'a string');
    return { [name]: value } as { [K in Name]?: string };
  }

  httpAddress(name: string, value: string): void {
    const address = typeof value === 'string' ? URL.parse(value) : null;
    if (address !== null && /^https?:$/.test(address.protocol)) return;
    // Before the @ may stand a password.
    this.invalid(name, String(value).replace(/^.*@/s, ''), 'an http:// or https:// address');
  }
}
