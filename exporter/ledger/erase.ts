import { TokenMeterError } from '../../src/errors.ts';

export interface EraseOptions {
  /** As it is in the ledger: with `userIdHashKey`, the hash. */
  readonly userId: string;
  /** Only counts. @default false */
  readonly dryRun?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (erased: number, found: number) => void;
}

export interface EraseResult {
  /** Calls of the user. */
  readonly found: number;
  readonly erased: number;
  /** Files, and other places, where calls of the user may still be. */
  readonly mayRemain: readonly string[];
}

/** Throws `INVALID_OPTION`: stores have no user '', and a condition that is empty would mean everybody. */
export function checkErasedUser(owner: string, userId: unknown): void {
  if (typeof userId === 'string' && userId !== '') return;
  const allowed = 'a text that is not empty';
  throw new TokenMeterError('INVALID_OPTION', `${owner}: userId must be ${allowed}`, {
    value: userId,
    allowed,
  });
}
