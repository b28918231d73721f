import type {
  UsageConversation,
  UsagePage,
  UsageQuery,
  UsageRecordsQuery,
  UsageRow,
  UsageSummary,
} from '../../ledger/usage-query.ts';

export interface ReaderData {
  readonly path: string;
}

export type ReadQuestion =
  | { readonly kind: 'summary'; readonly query: Omit<UsageQuery, 'signal' | 'askedBy'> }
  | { readonly kind: 'records'; readonly query: Omit<UsageRecordsQuery, 'signal' | 'askedBy'> }
  | { readonly kind: 'conversation'; readonly id: string };

/** To the reader thread, which answers one at a time; signals do not cross threads, `stop[0] !== 0` does. */
export type ReadRequest = { readonly stop: Int32Array } & ReadQuestion;

export type ReadResult = UsageSummary | UsagePage | UsageConversation;

/** From the reader thread: rows of a long summary come in pieces, before its result. */
export type ReadAnswer =
  | { readonly kind: 'rows'; readonly rows: readonly UsageRow[] }
  | { readonly kind: 'result'; readonly result: ReadResult }
  | { readonly kind: 'failed'; readonly message: string };
