import type { JSX } from 'preact';
import type { Row, Summary } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import { Panel } from '../components/controls.tsx';
import {
  ABSENT,
  formatCompact,
  formatCost,
  formatPercent,
  formatShift,
  partialCostText,
} from '../formats.ts';
import { Name, isolated, nameOf } from '../names.tsx';
import { t } from '../texts.ts';
import { pick } from '../view/current-view.ts';
import type { Measure } from '../view/view.ts';
import { formatMeasure } from './measures.ts';

type Listed = 'user' | 'model' | 'conversation';

/** The largest values of one dimension with their share. Clicking one filters by it. */
export function TopList({
  dimension,
  answer,
  more,
  width = 'third',
}: {
  readonly dimension: Listed;
  readonly answer: Answered<Summary> | undefined;
  /** Address of the page with all of them. */
  readonly more?: string;
  readonly width?: 'half' | 'third';
}): JSX.Element {
  const rows = answer?.value.rows ?? [];
  const measure = answer?.view.measure ?? 'total_tokens';
  const longest = Math.max(...rows.map((row) => (row.is_other ? 0 : (row[measure] ?? 0))));
  return (
    <Panel
      id={`top-${dimension}`}
      title={t(`top.${dimension}`)}
      width={width}
      tools={
        more !== undefined && (
          <a class="more" href={more}>
            {t('top.all')}
          </a>
        )
      }
    >
      <ol class="plain-list">
        {rows.map((row) => (
          <li key={row.is_other ? ' other' : (row[dimension] ?? '')}>
            <Bar row={row} dimension={dimension} measure={measure} longest={longest} />
          </li>
        ))}
      </ol>
      {answer && rows.length === 0 && <p class="nothing muted">{t('usage.nothing')}</p>}
    </Panel>
  );
}

function Bar({
  row,
  dimension,
  measure,
  longest,
}: {
  readonly row: Row;
  readonly dimension: Listed;
  readonly measure: Measure;
  readonly longest: number;
}): JSX.Element {
  const key = row[dimension];
  const name = row.is_other ? t('usage.other') : nameOf(dimension, key);
  const notes = [
    row.is_other ? '' : t('usage.filterBy', { name: isolated(name) }),
    partialCostText(row.partial_cost_calls),
  ];
  const width = row.is_other || longest === 0 ? 0 : (row[measure] ?? 0) / longest;
  return (
    <button
      type="button"
      class="bar-row"
      disabled={row.is_other === true}
      title={notes.filter((note) => note !== '').join('\n')}
      onClick={() => pick(dimension, key ?? '')}
    >
      <span class="name">
        <Name>{name}</Name>
      </span>{' '}
      <span class="value">{formatMeasure(row, measure)}</span>{' '}
      <span class="bar" style={{ '--width': `${(width * 100).toFixed(1)}%` }} />{' '}
      <span class="detail">{detailOf(row, measure)}</span>
    </button>
  );
}

function detailOf(row: Row, measure: Measure): string {
  const others = [
    measure === 'calls' ? undefined : t('usage.calls', { count: formatCompact(row.calls) }),
    measure === 'total_tokens'
      ? undefined
      : t('usage.tokens', { count: formatCompact(row.total_tokens) }),
    measure === 'cost_usd' || row.cost_usd === undefined ? undefined : formatCost(row),
  ];
  const change = formatShift(row[measure], row.previous?.[measure]);
  return [
    row.share === undefined ? undefined : formatPercent(row.share),
    change === ABSENT ? undefined : change,
    ...others,
  ]
    .filter((part) => part !== undefined)
    .join(' · ');
}
