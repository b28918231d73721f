import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Row, Summary } from '../api/contract.ts';
import { ownDimensions } from '../api/live.ts';
import type { Answered } from '../api/loader.ts';
import { Chart, Legend } from '../components/chart/chart.tsx';
import type { Note, Series } from '../components/chart/chart-data.ts';
import { OTHER_COLOUR, SLOTS, coloursOf } from '../components/chart/colours.ts';
import { Panel, Segments } from '../components/controls.tsx';
import { formatCost, partialCostText } from '../formats.ts';
import { dimensionName, isolated, nameOf } from '../names.tsx';
import { isAdmin } from '../session.ts';
import { type StringKey, t } from '../texts.ts';
import { bucketValues, sumOf } from '../view/buckets.ts';
import { change, pick, view, zoom } from '../view/current-view.ts';
import type { Period } from '../view/period.ts';
import { type Gap, gapText } from '../view/statistics-gaps.ts';
import { type Measure, type Stack, stacks } from '../view/view.ts';
import { AnnotationsEditor, useNotes } from './annotations.tsx';
import { measureFormats } from './measures.ts';

/** Number of gaps described as text; charts mark all of them. */
const MAX_GAPS = 5;
const OTHER = ' other';

/** Series of one bar. */
interface Stacked extends Series {
  /** The value to filter by. */
  readonly pick?: string;
  /** Calls whose cost is a lower bound. */
  readonly partial: number;
}

/** Disjoint kinds of tokens, as providers bill them. */
const KINDS: readonly (readonly [
  name: StringKey,
  colour: string,
  valueOf: (row: Row) => number | undefined,
])[] = [
  [
    'kind.input',
    '--kind-input',
    (row) => less(row.input_tokens, row.cache_read_tokens, row.cache_write_tokens),
  ],
  ['kind.cacheRead', '--kind-cache-read', (row) => row.cache_read_tokens],
  ['kind.cacheWrite', '--kind-cache-write', (row) => row.cache_write_tokens],
  ['kind.output', '--kind-output', (row) => less(row.output_tokens, row.reasoning_tokens)],
  ['kind.reasoning', '--kind-reasoning', (row) => row.reasoning_tokens],
];

/** Tokens, cost or calls over time, stacked. */
export function CoursePanel({
  answer,
  gaps,
}: {
  /** By the period's unit, and by the stack unless it is `kind`. */
  readonly answer: Answered<Summary> | undefined;
  readonly gaps: readonly Gap[] | undefined;
}): JSX.Element {
  const { measure, stack } = view.value;
  const notes = useNotes(answer?.period);
  const shown = useMemo(() => answer && shownOf(answer, gaps ?? [], notes), [answer, gaps, notes]);
  const asked = answer?.view ?? view.value;
  const isCost = asked.measure === 'cost_usd';
  const partial = isCost && answer ? partialOf(answer.value.rows) : 0;
  return (
    <Panel
      id="course"
      title={t(`course.${measure}`)}
      tools={
        <div class="row">
          {isAdmin() && <AnnotationsEditor />}
          <Segments<Stack>
            id="stack"
            label={t('stack.label')}
            choices={[
              ...stacks.map((each) => [each, t(`stack.${each}`)] as const),
              ...ownDimensions().map((each) => [each, dimensionName(each)] as const),
            ]}
            chosen={stack}
            onChoose={(next) => change({ stack: next })}
          />
        </div>
      }
    >
      {shown ? (
        <Chart name={t('course.title')} shape="bars" isTall data={shown.data} onSelect={zoom} />
      ) : (
        <div class="chart tall-chart" />
      )}
      <Legend
        items={(shown?.series ?? []).map((series) => ({
          key: series.key,
          name: series.name,
          colour: series.colour,
          value: totalOf(series, asked.measure),
          ...(series.pick !== undefined && {
            title: t('usage.filterBy', { name: isolated(series.name) }),
            onPick: () => asked.stack !== 'kind' && pick(asked.stack, series.pick!),
          }),
        }))}
      />
      {partial > 0 && <p class="partial muted">{partialCostText(partial)}</p>}
      {gaps && gaps.length > 0 && (
        <div id="gaps">
          <h3>
            <span class="hatch" aria-hidden="true" /> {t('gap.title')}
          </h3>
          <ul>
            {gaps
              .toReversed()
              .slice(0, MAX_GAPS)
              .map((gap) => (
                <li key={gap.from}>{gapText(gap)}</li>
              ))}
          </ul>
        </div>
      )}
    </Panel>
  );
}

function shownOf(
  { value: { rows }, view: { measure, stack }, period }: Answered<Summary>,
  gaps: readonly Gap[],
  notes: readonly Note[],
) {
  const series =
    stack === 'kind' ? byKind(rows, period, measure) : byKey(rows, period, measure, stack);
  const format = measureFormats[measure];
  return { series, data: { period, series, gaps, notes, format, whole: measure !== 'cost_usd' } };
}

function byKind(rows: readonly Row[], period: Period, measure: Measure): readonly Stacked[] {
  const parts: typeof KINDS =
    measure === 'total_tokens'
      ? KINDS
      : [[`measure.${measure}`, '--series-1', (row) => row[measure]]];
  return parts
    .map(([key, colour, valueOf]) => ({
      key,
      name: t(key),
      colour,
      values: bucketValues(rows, period, valueOf),
      partial: partialOf(rows),
    }))
    .filter(({ values }) => values.some((value) => value));
}

function byKey(
  rows: readonly Row[],
  period: Period,
  measure: Measure,
  dimension: Exclude<Stack, 'kind'>,
): readonly Stacked[] {
  const byName = Map.groupBy(rows, (row) => (row.is_other ? OTHER : (row[dimension] ?? '')));
  const series = [...byName].map(([key, group]) => ({
    key,
    group,
    values: bucketValues(group, period, (row) => row[measure]),
  }));
  const total = ({ values }: (typeof series)[number]): number => sumOf(values) ?? 0;
  const named = series.filter(({ key }) => key !== OTHER).toSorted((a, b) => total(b) - total(a));
  const colours = coloursOf(named.slice(0, SLOTS).map(({ key }) => key));
  return [...named, ...series.filter(({ key }) => key === OTHER)].map(({ key, group, values }) => ({
    key,
    values,
    partial: partialOf(group),
    colour: colours.get(key) ?? OTHER_COLOUR,
    name: key === OTHER ? t('usage.other') : nameOf(dimension, key),
    ...(key !== OTHER && { pick: key }),
  }));
}

function totalOf({ values, partial }: Stacked, measure: Measure): string {
  const sum = sumOf(values);
  return measure === 'cost_usd'
    ? formatCost({ cost_usd: sum, partial_cost_calls: partial })
    : measureFormats[measure](sum);
}

function partialOf(rows: readonly Row[]): number {
  return rows.reduce((sum, row) => sum + row.partial_cost_calls, 0);
}

function less(
  whole: number | undefined,
  ...parts: readonly (number | undefined)[]
): number | undefined {
  return whole === undefined
    ? undefined
    : parts.reduce<number>((rest, part) => rest - (part ?? 0), whole);
}
