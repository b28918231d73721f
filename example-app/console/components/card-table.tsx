import type { JSX } from 'preact';
import { Table, type TableProps, useLocalRows } from './table.tsx';

/** A card with a table of rows that are all here. A file of them is named after `id`. */
export function CardTable<R>({
  all,
  size,
  ...table
}: Pick<TableProps<R>, 'id' | 'title' | 'columns' | 'keyOf' | 'nothing' | 'canSearch'> & {
  readonly all: readonly R[];
  /** Rows of a page. @default 50 */
  readonly size?: number;
}): JSX.Element {
  const { id, columns } = table;
  const local = useLocalRows(all, columns, { name: id, ...(size !== undefined && { size }) });
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <Table {...table} {...local} />
    </section>
  );
}
