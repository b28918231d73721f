import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { RecordsPage, Summary } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Chart, Legend } from '../components/chart/chart.tsx';
import { Panel } from '../components/controls.tsx';
import { formatPercent, formatWhole } from '../formats.ts';
import { t } from '../texts.ts';
import { bucketValues } from '../view/buckets.ts';
import { zoom } from '../view/current-view.ts';
import type { Gap } from '../view/statistics-gaps.ts';

/** Maximum number of error classes with a separate line. */
const MAX_CLASSES = 6;

/** Failed and aborted calls over time, and the latest errors by class. */
export function FailuresPanel({
  answer,
  newest,
  gaps,
}: {
  readonly answer: Answered<Summary> | undefined;
  /** Failed calls. */
  readonly newest: Answered<RecordsPage> | undefined;
  readonly gaps: readonly Gap[] | undefined;
}): JSX.Element {
  const data = useMemo(() => {
    if (!answer) return undefined;
    const { value, period } = answer;
    return {
      period,
      gaps: gaps ?? [],
      notes: [],
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
  }, [answer, gaps]);
  const total = answer?.value.total;
  const counts = total && [
    `${formatWhole(total.errors)} (${formatPercent(total.error_rate)})`,
    `${formatWhole(total.aborted)} (${formatPercent(total.abort_rate)})`,
  ];
  const records = newest?.value.records ?? [];
  const classes = [
    ...Map.groupBy(records, ({ error_type: type }) => type ?? t('failures.unknown')),
  ].toSorted(([, a], [, b]) => b.length - a.length);
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
        {newest &&
          (records.length === 0
            ? t('failures.none')
            : t('failures.classes', { count: records.length }))}
      </p>
      <ul class="classes plain-list">
        {classes.slice(0, MAX_CLASSES).map(([name, { length }]) => (
          <li key={name}>
            <code>{name}</code> <span class="value">{formatWhole(length)}</span>
          </li>
        ))}
      </ul>
    </Panel>
  );
}
