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
  /** Files where calls of the user may still be. */
  readonly mayRemain: readonly string[];
}
