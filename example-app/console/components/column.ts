import type { ComponentChildren } from 'preact';

/** A column of a table. */
export interface Column<R> {
  readonly key: string;
  readonly label: string;
  readonly cell: (row: R) => ComponentChildren;
  /** What rows are sorted by, and what a file has. Absent: cannot be sorted by. */
  readonly value?: (row: R) => string | number | undefined;
  readonly isNumber?: boolean;
  readonly title?: (row: R) => string | undefined;
  /** Only to be looked at. */
  readonly isDecoration?: boolean;
}
