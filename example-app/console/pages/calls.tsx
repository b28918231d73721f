import type { JSX } from 'preact';
import { useLayoutEffect, useMemo, useState } from 'preact/hooks';
import { useLoader } from '../api/loader.ts';
import type { UsageRecord } from '../api/contract.ts';
import type { Column } from '../components/column.ts';
import { Table } from '../components/table.tsx';
import { CallDetail } from '../panels/call-detail.tsx';
import { callColumns } from '../panels/call-columns.tsx';
import { CallPages } from '../panels/call-pages.ts';
import { RangePage } from '../panels/range-page.tsx';
import { t } from '../texts.ts';
import { pick, view } from '../view/current-view.ts';
import { fileOf } from '../view/parameters.ts';

const CALLS_A_PAGE = 50;

/** Single calls, and everything that is known of one. */
export function CallsPage(): JSX.Element {
  const shown = view.value;
  const pages = useMemo(() => new CallPages(CALLS_A_PAGE), []);
  const [open, setOpen] = useState<string>();
  useLayoutEffect(() => pages.reset(), [shown]);
  const loader = useLoader({ sums: { calls: pages.question } }, shown);
  const { calls } = loader.state.value.answers;
  const columns: readonly Column<UsageRecord>[] = [
    {
      key: 'detail',
      label: t('call.detail'),
      cell: ({ id }) => (
        <button
          type="button"
          class="link"
          aria-expanded={open === id}
          onClick={() => setOpen(open === id ? undefined : id)}
        >
          {t(open === id ? 'call.close' : 'call.open')}
        </button>
      ),
    },
    ...Object.values(callColumns(pick)),
  ];
  return (
    <RangePage
      id="calls-page"
      title={t('callsPage.title')}
      loader={loader}
      file={fileOf('/api/usage/export.csv', shown)}
    >
      <section class="card" id="calls" aria-labelledby="calls-title">
        <Table
          id="calls"
          title={t('calls.title')}
          columns={columns}
          rows={calls?.value.records ?? []}
          keyOf={({ id }) => id}
          busy={pages.isTurning}
          pager={pages.pager(calls?.value, () => loader.load(['calls']))}
          nothing={calls ? t('usage.nothing') : t('app.loading')}
          detailOf={(call) => call.id === open && <CallDetail call={call} />}
        />
      </section>
    </RangePage>
  );
}
