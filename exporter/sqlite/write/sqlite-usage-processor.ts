import { resolve } from 'node:path';
import { TokenMeterError } from '../../../src/errors.ts';
import type { ExporterStatus } from '../../health/status.ts';
import {
  type UsageLogProcessor,
  type UsageLogRecord,
  usageRecordFromLog,
} from '../../ledger/usage-event.ts';
import { LedgerQueue } from './ledger-queue.ts';

export interface SqliteUsageProcessorOptions {
  /** The ledger file; its folder is made when missing. Several processes may share one. */
  readonly path: string;
  /** Older records are removed, in whole hours. @default kept for ever */
  readonly retentionDays?: number;
  /** Older sums are removed; not less than `retentionDays`. @default `retentionDays` */
  readonly rollUpRetentionDays?: number;
  /** Records held while the file cannot be written; more are dropped. @default 50000 */
  readonly maxQueuedRecords?: number;
}

function positive(name: string, value: number | undefined): number | undefined {
  if (value === undefined || (Number.isFinite(value) && value > 0)) return value;
  throw new TokenMeterError('INVALID_OPTION', `SqliteUsageProcessor: ${name} must be above 0`, {
    value,
    allowed: 'a number above 0',
  });
}

/**
 * Log record processor that keeps the ledger in a SQLite file, written by a separate thread. A record is
 * accepted when its transaction is on the disk. An unwritable file never fails the host: records wait in
 * bounded memory, `status()` and one message a minute report it. Throws `INVALID_OPTION`.
 */
export class SqliteUsageProcessor implements UsageLogProcessor {
  readonly #queue: LedgerQueue;

  constructor({
    path,
    retentionDays,
    rollUpRetentionDays,
    maxQueuedRecords,
  }: SqliteUsageProcessorOptions) {
    if (typeof path !== 'string' || path === '') {
      throw new TokenMeterError(
        'INVALID_OPTION',
        'SqliteUsageProcessor: path must be a file name',
        {
          value: path,
          allowed: 'a file name',
        },
      );
    }
    if (
      rollUpRetentionDays !== undefined &&
      !(rollUpRetentionDays >= (retentionDays ?? Infinity))
    ) {
      throw new TokenMeterError(
        'INVALID_OPTION',
        'SqliteUsageProcessor: rollUpRetentionDays needs retentionDays, and may not be less',
        { value: rollUpRetentionDays, allowed: 'a number not below retentionDays' },
      );
    }
    this.#queue = new LedgerQueue({
      // The process may change its folder later.
      path: resolve(path),
      retentionDays: positive('retentionDays', retentionDays),
      rollUpRetentionDays,
      maxQueuedRecords: positive('maxQueuedRecords', maxQueuedRecords) ?? 50_000,
    });
  }

  onEmit(logRecord: UsageLogRecord): void {
    const record = usageRecordFromLog(logRecord);
    if (record !== undefined) this.#queue.add(record);
  }

  /** Resolves when everything emitted so far is on the disk; rejects with `DATABASE_UNAVAILABLE`. */
  async forceFlush(): Promise<void> {
    await this.#queue.flush();
  }

  /**
   * Writes what is left and never rejects. What a locked or broken ledger does not take within five seconds
   * is saved beside it, and the next processor of this file takes it over.
   */
  async shutdown(): Promise<void> {
    await this.#queue.close();
  }

  status(): ExporterStatus {
    return this.#queue.status();
  }
}
