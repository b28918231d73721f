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

/** To the reader thread; signals do not cross threads, `stop[0] !== 0` does. */
export type ReadRequest = { readonly number: number; readonly stop: Int32Array } & (
  | { readonly kind: 'summary'; readonly query: Omit<UsageQuery, 'signal'> }
  | { readonly kind: 'records'; readonly query: Omit<UsageRecordsQuery, 'signal'> }
  | { readonly kind: 'conversation'; readonly id: string }
);

export type ReadResult = UsageSummary | UsagePage | UsageConversation;

/** From the reader thread: rows of a long summary come in pieces, before its result. */
export type ReadAnswer = { readonly number: number } & (
  | { readonly kind: 'rows'; readonly rows: readonly UsageRow[] }
  | { readonly kind: 'result'; readonly result: ReadResult }
  | { readonly kind: 'failed'; readonly message: string }
);
