import type { ComponentChildren, JSX } from 'preact';
import { useMemo, useState } from 'preact/hooks';
import { formatWhole } from '../formats.ts';
import { t } from '../texts.ts';
import type { TableState } from '../view/view.ts';
import type { Column } from './column.ts';
import { csvFile } from './csv-file.ts';

/** Goes to the rows before or after; absent where there are none. */
export interface Pager {
  readonly onBefore?: (() => void) | undefined;
  readonly onAfter?: (() => void) | undefined;
  readonly before: string;
  readonly after: string;
  /** "1–50 of 1,234" */
  readonly text?: string;
}

export interface TableProps<R> {
  readonly id: string;
  readonly title: string;
  readonly columns: readonly Column<R>[];
  /** On this page. */
  readonly rows: readonly R[];
  readonly keyOf: (row: R) => string;
  /** Without: as the rows come. */
  readonly state?: TableState;
  readonly onState?: (state: TableState) => void;
  readonly canSearch?: boolean;
  readonly pager?: Pager | undefined;
  /** Address of all rows as a file, or what makes one. */
  readonly file?: string | (() => void) | undefined;
  readonly tools?: ComponentChildren;
  readonly busy?: boolean;
  /** Instead of rows. @default "No calls." */
  readonly nothing?: ComponentChildren;
  readonly detailOf?: (row: R) => ComponentChildren;
}

/** A table to sort, search, page and save. Arrow keys move between its rows. */
export function Table<R>(props: TableProps<R>): JSX.Element {
  const { id, title, columns, rows, keyOf, state, onState, canSearch, pager, file, tools } = props;
  const { busy = false, nothing, detailOf } = props;
  return (
    <>
      <div class="panel-head">
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="row">
          {tools}
          {canSearch && state && onState && (
            <input
              type="search"
              class="search"
              aria-label={t('table.search', { name: title })}
              placeholder={t('table.searchShort')}
              value={state.search}
              onInput={(event) => onState({ ...state, search: event.currentTarget.value, page: 0 })}
            />
          )}
          {typeof file === 'string' && (
            <a class="button" href={file} download>
              {t('table.file')}
            </a>
          )}
          {typeof file === 'function' && (
            <button class="plain" type="button" onClick={file}>
              {t('table.file')}
            </button>
          )}
          {pager && <PagerButtons pager={pager} />}
        </div>
      </div>
      <div
        class="scroll"
        tabIndex={0}
        role="group"
        aria-labelledby={`${id}-title`}
        aria-busy={busy}
      >
        <table class="stack" hidden={rows.length === 0}>
          <thead>
            <tr>
              {columns.map((column) => (
                <Head key={column.key} column={column} state={state} onState={onState} />
              ))}
            </tr>
          </thead>
          <tbody onKeyDown={moveBetweenRows}>
            {rows.flatMap((row) => {
              const detail = detailOf?.(row);
              return [
                <tr key={keyOf(row)}>
                  {columns.map((column) => (
                    <td
                      key={column.key}
                      class={column.isNumber ? 'number' : column.isDecoration ? 'wide' : undefined}
                      data-label={column.label}
                      title={column.title?.(row)}
                      aria-hidden={column.isDecoration ? 'true' : undefined}
                    >
                      {column.isNumber ? column.cell(row) : <span>{column.cell(row)}</span>}
                    </td>
                  ))}
                </tr>,
                detail && (
                  <tr class="detail" key={`${keyOf(row)} detail`}>
                    <td colSpan={columns.length} data-label={title}>
                      {detail}
                    </td>
                  </tr>
                ),
              ];
            })}
          </tbody>
        </table>
      </div>
      {rows.length === 0 && <p class="nothing muted">{nothing ?? t('usage.nothing')}</p>}
    </>
  );
}

function Head<R>({
  column: { key, label, value, isNumber, isDecoration },
  state,
  onState,
}: {
  readonly column: Column<R>;
  readonly state: TableState | undefined;
  readonly onState: ((state: TableState) => void) | undefined;
}): JSX.Element {
  const isSorted = state?.sort === key;
  const order = state?.descending ? 'descending' : 'ascending';
  // The first click on a number asks for the largest.
  const descending = isSorted ? !state.descending : isNumber === true;
  return (
    <th
      scope="col"
      class={isNumber ? 'number' : undefined}
      aria-sort={isSorted ? order : undefined}
      aria-hidden={isDecoration ? 'true' : undefined}
    >
      {value && state && onState ? (
        <button
          type="button"
          class="sort"
          onClick={() => onState({ ...state, sort: key, descending, page: 0 })}
        >
          {label}
          <span aria-hidden="true">
            {isSorted ? (state.descending ? '\u00A0▼' : '\u00A0▲') : ''}
          </span>
        </button>
      ) : (
        label
      )}
    </th>
  );
}

function PagerButtons({
  pager: { onBefore, onAfter, before, after, text },
}: {
  readonly pager: Pager;
}): JSX.Element {
  return (
    <>
      {text !== undefined && (
        <span class="muted" role="status">
          {text}
        </span>
      )}
      <button class="plain page-before" type="button" disabled={!onBefore} onClick={onBefore}>
        {before}
      </button>
      <button class="plain page-after" type="button" disabled={!onAfter} onClick={onAfter}>
        {after}
      </button>
    </>
  );
}

function moveBetweenRows(event: KeyboardEvent): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const cell = (event.target as Element).closest('td');
  const row = cell?.parentElement as HTMLTableRowElement | null | undefined;
  if (step === undefined || !row || !cell || (event.target as Element).matches('input, select')) {
    return;
  }
  const rows = [...(row.parentElement?.children ?? [])] as HTMLTableRowElement[];
  const next = rows[rows.indexOf(row) + step]?.cells[cell.cellIndex];
  const control = next?.querySelector<HTMLElement>('a, button');
  if (!control) return;
  event.preventDefault();
  control.focus();
}

/** Pages of rows that are counted. */
export function countedPager(
  state: TableState,
  { size, count }: { readonly size: number; readonly count: number },
  onState: (state: TableState) => void,
): Pager | undefined {
  if (count <= size && state.page === 0) return undefined;
  const to = Math.min(count, (state.page + 1) * size);
  const turn = (page: number) => () => onState({ ...state, page });
  return {
    before: t('table.before'),
    after: t('table.after'),
    text: t('table.page', {
      from: formatWhole(Math.min(to, state.page * size + 1)),
      to: formatWhole(to),
      count: formatWhole(count),
    }),
    onBefore: state.page > 0 ? turn(state.page - 1) : undefined,
    onAfter: to < count ? turn(state.page + 1) : undefined,
  };
}

export interface LocalTableOptions {
  readonly name: string;
  readonly size?: number;
  readonly sort?: string;
  readonly descending?: boolean;
}

/** Sorts, searches, pages and saves rows that are all here. */
export function useLocalRows<R>(
  all: readonly R[],
  columns: readonly Column<R>[],
  { name, size = 50, sort, descending = true }: LocalTableOptions,
): Pick<TableProps<R>, 'rows' | 'state' | 'onState' | 'pager' | 'file'> {
  const [state, onState] = useState<TableState>({ sort, descending, search: '', page: 0 });
  const found = useMemo(() => arranged(all, columns, state), [all, state]);
  const page = Math.min(state.page, Math.max(0, Math.ceil(found.length / size) - 1));
  return {
    rows: found.slice(page * size, (page + 1) * size),
    state,
    onState,
    pager: countedPager({ ...state, page }, { size, count: found.length }, onState),
    file: all.length === 0 ? undefined : () => csvFile(name, columns, found),
  };
}

function arranged<R>(
  rows: readonly R[],
  columns: readonly Column<R>[],
  { sort, descending, search }: TableState,
): readonly R[] {
  const wanted = search.trim().toLowerCase();
  const matches = (row: R): boolean =>
    columns.some(({ value }) =>
      String(value?.(row) ?? '')
        .toLowerCase()
        .includes(wanted),
    );
  const found = wanted === '' ? rows : rows.filter(matches);
  const value = columns.find(({ key }) => key === sort)?.value;
  if (!value) return found;
  const sign = descending ? -1 : 1;
  return found.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)];
    // Unknown values come last in either order.
    if (x === undefined || y === undefined)
      return Number(x === undefined) - Number(y === undefined);
    if (typeof x === 'string') return sign * x.localeCompare(String(y));
    return sign * (x - Number(y));
  });
}
