import { randomBytes } from 'node:crypto';
import {
  closeSync,
  fsyncSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';

const MARK = '.unsaved-';
const TEMPORARY = '.tmp';

/**
 * Records that a process could not write into a locked or broken ledger before it ended, in a file beside
 * it: one JSON record a line. The next writer of the ledger takes them over. A record that reached the
 * ledger as well meets its own key there, so no file ever has to be claimed.
 */
export class UnsavedRecords {
  readonly #path: string;
  #isWritten = false;

  constructor(ledger: string) {
    this.#path = `${ledger}${MARK}${process.pid}-${randomBytes(6).toString('hex')}.jsonl`;
  }

  /** Durable when it returns; replaces what was saved before. */
  save(records: readonly UsageRecord[]): void {
    const temporary = this.#path + TEMPORARY;
    const file = openSync(temporary, 'w', 0o600);
    try {
      writeSync(file, records.map((record) => `${JSON.stringify(record)}\n`).join(''));
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(temporary, this.#path);
    this.#isWritten = true;
  }

  /** The ledger has them by now. */
  remove(): void {
    if (!this.#isWritten) return;
    rmSync(this.#path, { force: true });
    this.#isWritten = false;
  }
}

/** Files of unsaved records beside a ledger. */
export function unsavedFiles(ledger: string): readonly string[] {
  const prefix = basename(ledger) + MARK;
  const folder = dirname(ledger);
  return readdirSync(folder)
    .filter((name) => name.startsWith(prefix) && name.endsWith('.jsonl'))
    .map((name) => join(folder, name));
}

export interface AdoptedRecords {
  /** Records that the ledger did not have. */
  readonly fresh: number;
  /** Lines that are no record: their file is kept under another name. */
  readonly unreadable: number;
}

/** Hands the records of ended processes to `write`, which throws when it cannot, and removes their files. */
export function adoptUnsaved(
  ledger: string,
  write: (records: readonly UsageRecord[]) => number,
): AdoptedRecords {
  const adopted = { fresh: 0, unreadable: 0 };
  for (const path of unsavedFiles(ledger)) {
    const lines = linesOf(path);
    const records = lines.flatMap(recordOf);
    adopted.fresh += write(records);
    const unreadable = lines.length - records.length;
    adopted.unreadable += unreadable;
    if (unreadable > 0) renameSync(path, `${path}.unreadable`);
    else rmSync(path, { force: true });
  }
  return adopted;
}

function linesOf(path: string): readonly string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    // Another process has adopted it.
    if ((error as { code?: unknown } | null)?.code === 'ENOENT') return [];
    throw error;
  }
}

function recordOf(line: string): readonly UsageRecord[] {
  try {
    const record = JSON.parse(line) as Partial<UsageRecord> | null;
    const isRecord = typeof record?.id === 'string' && !Number.isNaN(Date.parse(`${record.time}`));
    return isRecord ? [record as UsageRecord] : [];
  } catch {
    return [];
  }
}
