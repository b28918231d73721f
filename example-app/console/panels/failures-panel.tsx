import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Summary } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Chart, Legend } from '../components/chart/chart.tsx';
import { Panel } from '../components/controls.tsx';
import { formatPercent, formatWhole } from '../formats.ts';
import { t } from '../texts.ts';
import { bucketValues } from '../view/buckets.ts';
import { pick, zoom } from '../view/current-view.ts';
import type { Gap } from '../view/statistics-gaps.ts';
import { useNotes } from './annotations.tsx';
import { PickButton } from './call-columns.tsx';

/** Failed and aborted calls over time, and the errors by class. */
export function FailuresPanel({
  answer,
  classes,
  gaps,
}: {
  readonly answer: Answered<Summary> | undefined;
  /** Failed calls by class. */
  readonly classes: Answered<Summary | undefined> | undefined;
  readonly gaps: readonly Gap[] | undefined;
}): JSX.Element {
  const notes = useNotes(answer?.period);
  const data = useMemo(() => {
    if (!answer) return undefined;
    const { value, period } = answer;
    return {
      period,
      gaps: gaps ?? [],
      notes,
      format: formatWhole,
      whole: true,
      series: [
        {
          key: 'error',
          name: t('outcome.error'),
          colour: '--failure-error',
          values: bucketValues(value.rows, period, (row) => row.errors),
        },
        {
          key: 'aborted',
          name: t('outcome.aborted'),
          colour: '--failure-aborted',
          values: bucketValues(value.rows, period, (row) => row.aborted),
        },
      ],
    };
  }, [answer, gaps, notes]);
  const total = answer?.value.total;
  const counts = total && [
    `${formatWhole(total.errors)} (${formatPercent(total.error_rate)})`,
    `${formatWhole(total.aborted)} (${formatPercent(total.abort_rate)})`,
  ];
  const rows = classes?.value?.rows ?? [];
  return (
    <Panel id="failures" title={t('failures.title')} width="half">
      {data ? (
        <Chart name={t('failures.title')} shape="bars" data={data} onSelect={zoom} />
      ) : (
        <div class="chart" />
      )}
      <Legend
        items={(data?.series ?? []).map((series, index) => ({
          ...series,
          value: counts?.[index] ?? '',
        }))}
      />
      <p class="classes-title muted">
        {classes && t(rows.length === 0 ? 'failures.none' : 'failures.classes')}
      </p>
      <ul class="classes plain-list">
        {rows.map((row) => (
          <li key={row.is_other ? ' other' : (row.error ?? '')}>
            {row.is_other ? (
              t('usage.other')
            ) : (
              <PickButton dimension="error" value={row.error ?? undefined} onPick={pick} />
            )}{' '}
            <span class="value">{formatWhole(row.calls)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
