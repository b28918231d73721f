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
  /** To be asked before each attempt. Absent: the lines are of no users. */
  readonly erased?: ErasedUsers | undefined;
  /** Counts and keeps lines that the server refuses for good. */
  readonly onRefused: (lines: readonly LineChunk[], reason: DropReason, message: string) => void;
}

/** Lines without those of erased users, which are counted as dropped. */
export async function withoutErased(
  chunks: readonly LineChunk[],
  { erased, counts }: Pick<DeliveryHooks, 'erased' | 'counts'>,
): Promise<readonly LineChunk[]> {
  const kept = (await erased?.without(chunks)) ?? chunks;
  if (kept !== chunks) counts.drop('erased', sumOfLines(chunks) - sumOfLines(kept));
  return kept;
}
