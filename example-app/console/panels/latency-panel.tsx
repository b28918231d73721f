import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Row, Summary, Total } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Chart, Legend } from '../components/chart/chart.tsx';
import { Panel, Segments } from '../components/controls.tsx';
import { formatMs } from '../formats.ts';
import { t } from '../texts.ts';
import { bucketValues } from '../view/buckets.ts';
import { change, view, zoom } from '../view/current-view.ts';
import type { Gap } from '../view/statistics-gaps.ts';
import { useNotes } from './annotations.tsx';
import { type Latency, latencies } from '../view/view.ts';

type ValueOf = (row: Row | Total) => number | undefined;

const PERCENTILES: readonly (readonly [
  name: string,
  colour: string,
  dash: readonly number[],
  valueOf: Readonly<Record<Latency, ValueOf>>,
])[] = [
  [
    'p50',
    '--p50',
    [],
    { duration: (row) => row.duration_p50_ms, first: (row) => row.time_to_first_chunk_p50_ms },
  ],
  [
    'p95',
    '--p95',
    [],
    { duration: (row) => row.duration_p95_ms, first: (row) => row.time_to_first_chunk_p95_ms },
  ],
  [
    'p99',
    '--p99',
    [3, 3],
    { duration: (row) => row.duration_p99_ms, first: (row) => row.time_to_first_chunk_p99_ms },
  ],
];

/** Duration of calls: 50th, 95th and 99th percentile. */
export function LatencyPanel({
  answer,
  gaps,
}: {
  /** With percentiles. */
  readonly answer: Answered<Summary> | undefined;
  readonly gaps: readonly Gap[] | undefined;
}): JSX.Element {
  const { latency } = view.value;
  const notes = useNotes(answer?.period);
  const data = useMemo(
    () =>
      answer && {
        period: answer.period,
        gaps: gaps ?? [],
        notes,
        format: formatMs,
        series: PERCENTILES.map(([name, colour, dash, valueOf]) => ({
          key: name,
          name,
          colour,
          ...(dash.length > 0 && { dash }),
          values: bucketValues(answer.value.rows, answer.period, valueOf[latency]),
        })),
      },
    [answer, gaps, notes, latency],
  );
  return (
    <Panel
      id="latency"
      title={t('latency.title')}
      width="half"
      tools={
        <Segments<Latency>
          id="latency-of"
          label={t('latency.label')}
          choices={latencies.map((each) => [each, t(`latency.${each}`)])}
          chosen={latency}
          onChoose={(next) => change({ latency: next })}
        />
      }
    >
      {data ? (
        <Chart name={t('latency.title')} shape="lines" data={data} onSelect={zoom} />
      ) : (
        <div class="chart" />
      )}
      <Legend
        items={PERCENTILES.map(([name, colour, dash, valueOf]) => ({
          key: name,
          name,
          colour,
          dashed: dash.length > 0,
          value: formatMs(answer && valueOf[latency](answer.value.total)),
        }))}
      />
    </Panel>
  );
}
