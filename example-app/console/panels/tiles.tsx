import type { JSX } from 'preact';
import { useMemo } from 'preact/hooks';
import type { Forecast, Health, Row, Summary, Total } from '../api/contract.ts';
import type { Answered } from '../api/loader.ts';
import {
  formatChange,
  formatCompact,
  formatCost,
  formatMoney,
  formatMs,
  formatPercent,
  formatWhole,
  partialCostText,
} from '../formats.ts';
import { type StringKey, t } from '../texts.ts';
import { bucketValues } from '../view/buckets.ts';
import { droppedOf } from './health-facts.tsx';
import { Sparkline } from './sparkline.tsx';
import { UnitsTile } from './units.tsx';

interface Tile {
  readonly name: string;
  readonly title: StringKey;
  readonly valueOf: (total: Total | Row) => number | undefined;
  readonly format: (total: Total) => string;
  readonly moreIs?: 'bad';
  /** Requires reading every call of the range. */
  readonly isScan?: boolean;
  readonly isSmall?: boolean;
}

const users = (total: Total | Row): number | undefined =>
  'users' in total ? total.users : undefined;
const conversations = (total: Total | Row): number | undefined =>
  'conversations' in total ? total.conversations : undefined;

const TILES: readonly Tile[] = [
  {
    name: 'calls',
    title: 'tile.calls',
    valueOf: ({ calls }) => calls,
    format: ({ calls }) => formatCompact(calls),
  },
  {
    name: 'tokens',
    title: 'tile.tokens',
    valueOf: (total) => total.total_tokens,
    format: (total) => formatCompact(total.total_tokens),
  },
  {
    name: 'cost',
    title: 'tile.cost',
    valueOf: (total) => total.cost_usd,
    format: formatCost,
  },
  {
    name: 'p95',
    title: 'tile.p95',
    valueOf: (total) => total.duration_p95_ms,
    format: (total) => formatMs(total.duration_p95_ms),
    moreIs: 'bad',
    isScan: true,
  },
  {
    name: 'users',
    title: 'tile.users',
    valueOf: users,
    format: (total) => formatWhole(total.users),
    isScan: true,
    isSmall: true,
  },
  {
    name: 'conversations',
    title: 'tile.conversations',
    valueOf: conversations,
    format: (total) => formatWhole(total.conversations),
    isScan: true,
    isSmall: true,
  },
  {
    name: 'errors',
    title: 'tile.errors',
    valueOf: (total) => total.error_rate,
    format: (total) => formatPercent(total.error_rate),
    moreIs: 'bad',
    isSmall: true,
  },
];

/** Sums of the range, each with its change from the period that it is compared with. */
export function Tiles({
  course,
  scan,
  before,
  health,
  forecast,
  only,
}: {
  /** Sums by the unit of the period. */
  readonly course: Answered<Summary> | undefined;
  /** The same with percentiles and numbers of users and conversations. */
  readonly scan: Answered<Summary> | undefined;
  /** Total of another range to compare with, instead of the period before. */
  readonly before?: Total | undefined;
  /** Shows the records that the exporter lost: must be 0. */
  readonly health?: Health | undefined;
  /** What the present month will cost. */
  readonly forecast?: Forecast | undefined;
  readonly only?: readonly string[];
}): JSX.Element {
  return (
    <ul class="tiles" aria-label={t('tile.label')}>
      {TILES.filter(({ name }) => only?.includes(name) ?? true).map((tile) => (
        <TileOf key={tile.name} tile={tile} answer={tile.isScan ? scan : course} before={before} />
      ))}
      <ForecastTile forecast={forecast} />
      {health && <DroppedTile health={health} />}
      <UnitsTile total={course?.value.total} />
    </ul>
  );
}

function TileOf({
  tile: { name, title, valueOf, format, moreIs, isSmall },
  answer,
  before,
}: {
  readonly tile: Tile;
  readonly answer: Answered<Summary> | undefined;
  readonly before: Total | undefined;
}): JSX.Element {
  const total = answer?.value.total;
  const earlier = before ?? answer?.value.previous;
  const { text, direction } = formatChange(total && valueOf(total), earlier && valueOf(earlier));
  // Every answer renders the page again, and a dozen of them come when it is opened.
  const values = useMemo(
    () => (answer && !isSmall ? bucketValues(answer.value.rows, answer.period, valueOf) : []),
    [answer],
  );
  const partial = name === 'cost' ? partialCostText(total?.partial_cost_calls ?? 0) : '';
  return (
    <li class={isSmall ? 'card tile small' : 'card tile'} data-tile={name}>
      <h2>{t(title)}</h2>
      <p class="figure">{total ? format(total) : '–'}</p>
      <p class="change" data-tone={moreIs && direction === 'up' ? 'bad' : ''}>
        {text}
      </p>
      {partial !== '' && <p class="partial muted">{partial}</p>}
      {!isSmall && <Sparkline values={values} />}
    </li>
  );
}

function ForecastTile({ forecast }: { readonly forecast: Forecast | undefined }): JSX.Element {
  const { used, projected, low, high, days, at_least: atLeast } = forecast?.metrics.cost_usd ?? {};
  const amount = (usd: number | undefined): string =>
    formatCost({ cost_usd: usd, partial_cost_calls: atLeast ? 1 : 0 });
  const note =
    projected === undefined
      ? forecast && t('tile.forecast.short', { days: days ?? 0, required: forecast.required_days })
      : t('tile.forecast.range', { low: formatMoney(low), high: formatMoney(high) });
  return (
    <li class="card tile small" data-tile="forecast">
      <h2>{t('tile.forecast')}</h2>
      <p class="figure">{amount(projected)}</p>
      <p class="change">{note}</p>
      <p class="change">{forecast && t('tile.forecast.used', { cost: amount(used) })}</p>
    </li>
  );
}

function DroppedTile({ health: { exporter } }: { readonly health: Health }): JSX.Element {
  const dropped = droppedOf(exporter);
  const note =
    dropped === undefined ? '' : t(dropped === 0 ? 'tile.noneDropped' : 'tile.someDropped');
  return (
    <li class="card tile small" data-tile="dropped">
      <h2>{t('tile.dropped')}</h2>
      <p class="figure">{formatWhole(dropped)}</p>
      <p class="change" data-tone={dropped ? 'bad' : ''}>
        {note}
      </p>
    </li>
  );
}
