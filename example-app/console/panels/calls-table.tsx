import type { JSX } from 'preact';
import type { RecordsPage } from '../api/contract.ts';
import { Table } from '../components/table.tsx';
import { pick } from '../view/current-view.ts';
import { callColumns } from './call-columns.tsx';
import type { CallPages } from './call-pages.ts';

/** Calls, newest first, in pages. */
export function CallsTable({
  title,
  page,
  pages,
  onTurn,
}: {
  readonly title: string;
  readonly page: RecordsPage | undefined;
  readonly pages: CallPages;
  readonly onTurn: () => Promise<void>;
}): JSX.Element {
  const { time, user, model, conversation, tokens, cost, duration, outcome } = callColumns(pick);
  return (
    <section class="card whole" id="calls" aria-labelledby="calls-title">
      <Table
        id="calls"
        title={title}
        columns={[time, user, model, conversation, tokens, cost, duration, outcome]}
        rows={page?.records ?? []}
        keyOf={({ id }) => id}
        busy={pages.isTurning}
        pager={pages.pager(page, onTurn)}
      />
    </section>
  );
}
