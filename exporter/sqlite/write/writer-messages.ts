import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import type { LedgerRepair, LeftOut } from './ledger-file.ts';
import type { AdoptedRecords } from './unsaved-records.ts';

export interface WriterData {
  readonly path: string;
  readonly retentionDays: number | undefined;
  readonly rollUpRetentionDays?: number | undefined;
}

/** To the writer thread; it answers each with `written` or `failed`. */
export interface WriteBatch {
  readonly records: readonly UsageRecord[];
}

/** From the writer thread. */
export type WriterAnswer =
  | ({ readonly kind: 'written'; readonly fresh: number } & LeftOutRecords)
  | { readonly kind: 'failed'; readonly message: string; readonly isLocked: boolean }
  | { readonly kind: 'repaired'; readonly repair: LedgerRepair }
  | ({ readonly kind: 'adopted' } & AdoptedRecords & LeftOutRecords);

/** Records that were not written. */
export type LeftOutCounts = Readonly<Partial<Record<LeftOut, number>>>;

interface LeftOutRecords {
  readonly leftOut: LeftOutCounts;
}
