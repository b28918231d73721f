import type { UsageRecord } from '../../../src/domain/usage-record.ts';

export interface WriterData {
  readonly path: string;
  readonly retentionDays: number | undefined;
}

/** To the writer thread; it answers each with one `WriterAnswer`. */
export interface WriteBatch {
  readonly records: readonly UsageRecord[];
}

/** From the writer thread. */
export type WriterAnswer =
  | { readonly kind: 'written'; readonly fresh: number }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'movedAside'; readonly path: string; readonly reason: string };
