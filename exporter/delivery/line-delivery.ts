import type { DropReason, ExportCounts } from '../health/export-counts.ts';
import type { ExporterError, ExporterState } from '../health/status.ts';
import { type LineChunk, sumOfLines } from '../spool/line-queue.ts';
import type { ErasedUsers } from './erased-users.ts';

/** Thrown to leave a delivery whose lines stay in the queue. */
export class DeliveryStopped extends Error {}

/** Brings lines to a server, however long that takes. */
export interface LineDelivery {
  readonly state: ExporterState;
  readonly lastError: ExporterError | undefined;
  readonly lastSuccess: string | undefined;
  /** How much one send may hold at present. */
  readonly maxBatchBytes: number;
  /**
   * Every line is stored, or dropped with a reason, when it resolves. Rejects with `DeliveryStopped`, whose
   * lines stay in the queue.
   */
  deliver(chunks: readonly LineChunk[]): Promise<void>;
  /** Ends the current pause, unless the server asked for it: the next attempt is made at once. */
  retryNow(): void;
  /** No attempt begins after this; those under way come to their end. */
  stop(): void;
}

/** What a delivery reports to its exporter. */
export interface DeliveryHooks {
  readonly counts: ExportCounts;
  /** Called with the duration of each answered write. */
  readonly onLatency: (ms: number) => void;
  /** Every attempt is made through it. Absent: the lines are of no users. */
  readonly erased?: ErasedUsers | undefined;
  /** Counts and keeps lines that the server refuses for good. */
  readonly onRefused: (lines: readonly LineChunk[], reason: DropReason, message: string) => void;
}

/**
 * Writes lines without those of erased users, which are counted as dropped. `undefined`: none were left. The lines
 * that were written are returned with the answer.
 */
export async function writeWithoutErased<T>(
  chunks: readonly LineChunk[],
  { erased, counts }: Pick<DeliveryHooks, 'erased' | 'counts'>,
  write: (left: readonly LineChunk[]) => Promise<T>,
): Promise<{ readonly left: readonly LineChunk[]; readonly answer: T | undefined }> {
  const writeLeft = async (left: readonly LineChunk[]) => {
    if (left !== chunks) counts.drop('erased', sumOfLines(chunks) - sumOfLines(left));
    return { left, answer: left.length === 0 ? undefined : await write(left) };
  };
  return await (erased?.writing(chunks, writeLeft) ?? writeLeft(chunks));
}
