import type { JSX } from 'preact';
import type { Row, UsageTable } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import type { UsageApi } from '../api/usage-api.ts';
import type { Column } from '../components/column.ts';
import { Table, countedPager } from '../components/table.tsx';
import {
  formatCompact,
  formatCost,
  formatMoney,
  formatMs,
  formatPercent,
  formatShift,
  formatWhole,
  partialCostText,
} from '../formats.ts';
import { Name, nameOf } from '../names.tsx';
import { t } from '../texts.ts';
import { changeTable, view } from '../view/current-view.ts';
import { fileOf } from '../view/parameters.ts';
import type { TableState } from '../view/view.ts';

type Key = 'user' | 'team' | 'conversation';

const ROWS = 50;

type Question = (api: UsageApi) => Promise<UsageTable>;

/** The page of the table that the view shows: as soon as there are rows, and with everything. */
export function tableOf(key: Key): { readonly first: Question; readonly whole: Question } {
  const ask = async (api: UsageApi, quick: boolean): Promise<UsageTable> => {
    const { table } = api.context.view;
    return await api.ask('/api/usage/table', {
      ...parametersOf(key, orderOf(table)),
      compare: 'previous',
      offset: table.page * ROWS,
      limit: ROWS,
      ...(quick && { quick }),
    });
  };
  const first: Question = (api) => ask(api, true);
  return {
    first,
    whole: async (api) => {
      const answer = await first(api);
      return answer.count === undefined ? await ask(api, false) : answer;
    },
  };
}

/** Of two answers the one of the present view, and the one with everything. */
export function tableShown(
  first: Answered<UsageTable> | undefined,
  whole: Answered<UsageTable> | undefined,
): Answered<UsageTable> | undefined {
  if (first === undefined || whole === undefined) return first ?? whole;
  if (first.view !== whole.view) return whole.view === view.value ? whole : first;
  return first.value.count === undefined ? whole : first;
}

/** The largest first, unless another order is asked for. */
function orderOf(state: TableState): TableState {
  return { ...state, sort: state.sort ?? 'total_tokens' };
}

function parametersOf(key: Key, { sort, descending, search }: TableState) {
  return {
    group_by: key,
    sort,
    order: descending ? 'desc' : 'asc',
    search: search === '' ? undefined : search,
  };
}

/** Every user or conversation of the view, in pages that the server makes. */
export function KeyTable({
  id,
  title,
  dimension,
  answer,
  busy,
  hrefOf,
}: {
  readonly id: string;
  readonly title: string;
  readonly dimension: Key;
  readonly answer: Answered<UsageTable> | undefined;
  readonly busy: boolean;
  readonly hrefOf: (value: string) => string;
}): JSX.Element {
  const state = orderOf(view.value.table);
  const { rows = [], count } = answer?.value ?? {};
  return (
    <section class="card" id={id} aria-labelledby={`${id}-title`}>
      <Table
        id={id}
        title={title}
        columns={columnsOf(dimension, hrefOf)}
        rows={rows}
        keyOf={(row) => (row.is_other ? ' other' : (row[dimension] ?? ''))}
        state={state}
        onState={changeTable}
        canSearch
        busy={busy}
        pager={
          count === undefined ? undefined : countedPager(state, { size: ROWS, count }, changeTable)
        }
        file={fileOf('/api/usage/table.csv', view.value, parametersOf(dimension, state))}
        nothing={answer ? t('usage.nothing') : t('app.loading')}
      />
    </section>
  );
}

function columnsOf(dimension: Key, hrefOf: (value: string) => string): readonly Column<Row>[] {
  return [
    {
      key: 'name',
      label: t(`dimension.${dimension}`),
      cell: (row) =>
        row.is_other ? (
          t('usage.other')
        ) : (
          <a class="name" href={hrefOf(row[dimension] ?? '')}>
            <Name>{nameOf(dimension, row[dimension])}</Name>
          </a>
        ),
      value: (row) => row[dimension] ?? '',
    },
    number('calls', t('measure.calls'), (row) => row.calls, formatWhole),
    number('total_tokens', t('measure.total_tokens'), (row) => row.total_tokens, formatCompact),
    {
      ...number('cost_usd', t('measure.cost_usd'), (row) => row.cost_usd, formatMoney),
      cell: formatCost,
      title: (row) => partialCostText(row.partial_cost_calls) || undefined,
    },
    {
      key: 'change',
      label: t('users.change'),
      isNumber: true,
      cell: (row) => formatShift(row.total_tokens, row.previous?.total_tokens),
    },
    number('cache_read_share', t('models.cache'), (row) => row.cache_read_share, formatPercent),
    number('error_rate', t('tile.errors'), (row) => row.error_rate, formatPercent),
    number('mean_duration_ms', t('users.duration'), (row) => row.duration_ms / row.calls, formatMs),
  ];
}

function number(
  key: string,
  label: string,
  value: (row: Row) => number | undefined,
  format: (value: number | undefined) => string,
): Column<Row> {
  return { key, label, isNumber: true, value, cell: (row) => format(value(row)) };
}
