import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { TokenMeterError } from '../../errors.ts';

/** What a ledger does not take again by its own decision: calls of users that it has erased, or of days that it removed. */
export const DECISIONS = ['erased', 'beyond_retention'] as const;

export type LeftOut = Readonly<Partial<Record<(typeof DECISIONS)[number], number>>>;

export function countOf(leftOut: LeftOut | undefined): number {
  return DECISIONS.reduce((sum, reason) => sum + (leftOut?.[reason] ?? 0), 0);
}

/** How far a copy has come. */
export interface CopyProgress {
  /** Names of the ledgers, without secrets: a file of another copy is refused. */
  readonly from: string;
  readonly to: string;
  /** The range, RFC 3339. */
  readonly since: string;
  readonly until: string;
  /** Where the next page of the source begins; absent before the first. */
  readonly cursor?: string;
  /** Those that the target left out included. */
  readonly calls: number;
  /** By reason; absent for none. */
  readonly leftOut?: LeftOut;
  readonly isComplete: boolean;
}

/** Keeps the progress in a file, so that a copy which was cut goes on where it was. */
export class CopyState {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Throws `INVALID_OPTION` for a file that is something else. */
  read(): CopyProgress | undefined {
    let text: string;
    try {
      text = readFileSync(this.#path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
    try {
      const progress = JSON.parse(text) as Partial<CopyProgress>;
      if (typeof progress.calls === 'number' && typeof progress.until === 'string') {
        return progress as CopyProgress;
      }
    } catch {
      // Reported below.
    }
    throw new TokenMeterError('INVALID_OPTION', `${this.#path} is not the state of a copy`, {
      value: this.#path,
      allowed: 'a new file, or the one of the copy that is to go on',
    });
  }

  /** As a whole, or not at all. */
  write(progress: CopyProgress): void {
    const temporary = `${this.#path}.${process.pid}`;
    writeFileSync(temporary, `${JSON.stringify(progress)}\n`, { mode: 0o600 });
    renameSync(temporary, this.#path);
  }

  remove(): void {
    rmSync(this.#path, { force: true });
  }
}
