// @ts-check
import { find } from '../dom.js';
import {
  formatChange,
  formatCompact,
  formatCost,
  formatMoney,
  formatMs,
  formatPercent,
  formatWhole,
  partialCostText,
} from '../formats.js';
import { t } from '../strings.js';
import { bucketValues } from './buckets.js';
import { showSparkline } from './sparkline.js';

/**
 * @typedef {{
 *   valueOf: (total: import('./usage-api.js').Total) => number | undefined,
 *   format: (value: number | undefined) => string,
 *   moreIs?: 'bad',
 * }} Tile
 */

/** Available from sums. @type {Readonly<Record<string, Tile>>} */
const sums = {
  calls: { valueOf: (total) => total.calls, format: formatCompact },
  tokens: { valueOf: (total) => total.total_tokens, format: formatCompact },
  cost: { valueOf: (total) => total.cost_usd, format: formatMoney },
  errors: { valueOf: (total) => total.error_rate, format: formatPercent, moreIs: 'bad' },
};
/** Requires reading every call of the range. @type {Readonly<Record<string, Tile>>} */
const details = {
  p95: { valueOf: (total) => total.duration_p95_ms, format: formatMs, moreIs: 'bad' },
  users: { valueOf: (total) => total.users, format: formatWhole },
  conversations: { valueOf: (total) => total.conversations, format: formatWhole },
};

/** @typedef {import('./usage-api.js').Summary} Summary */

/** The overview, with the change from the equally long period before. @param {Summary} overview */
export function showSums(overview) {
  showTiles(sums, overview);
  const { total } = overview;
  const tile = find('[data-tile=cost]', HTMLElement);
  find('.figure', HTMLElement, tile).textContent = formatCost(total);
  const note = find('.partial', HTMLElement, tile);
  note.textContent = partialCostText(total.partial_cost_calls);
  note.hidden = total.partial_cost_calls === 0;
}

/** @param {Summary} overview with percentiles and numbers of users and conversations */
export function showDetails(overview) {
  showTiles(details, overview);
}

/**
 * @param {Summary} course
 * @param {import('./period.js').Period} period
 */
export function showSumLines(course, period) {
  showSparklines(sums, course, period);
}

/**
 * @param {Summary} course with percentiles
 * @param {import('./period.js').Period} period
 */
export function showDetailLines(course, period) {
  showSparklines(details, course, period);
}

/** @param {Readonly<Record<string, Tile>>} tiles @param {Summary} overview */
function showTiles(tiles, { total, previous }) {
  for (const [name, { valueOf, format, moreIs }] of Object.entries(tiles)) {
    const tile = find(`[data-tile=${name}]`, HTMLElement);
    const now = valueOf(total);
    const { text, direction } = formatChange(now, previous && valueOf(previous));
    find('.figure', HTMLElement, tile).textContent = format(now);
    const change = find('.change', HTMLElement, tile);
    change.textContent = text;
    change.dataset['tone'] = moreIs && direction === 'up' ? 'bad' : '';
  }
}

/**
 * @param {Readonly<Record<string, Tile>>} tiles
 * @param {Summary} course
 * @param {import('./period.js').Period} period
 */
function showSparklines(tiles, { rows }, period) {
  for (const [name, { valueOf }] of Object.entries(tiles)) {
    const svg = document.querySelector(`[data-tile=${name}] svg`);
    if (svg instanceof SVGElement) showSparkline(svg, bucketValues(rows, period, valueOf));
  }
}

/** Records that the exporter lost: must be 0. @param {import('./usage-api.js').Health} health */
export function showDropped({ exporter }) {
  const tile = find('[data-tile=dropped]', HTMLElement);
  const dropped =
    exporter && Object.values(exporter.dropped).reduce((sum, count) => sum + count, 0);
  find('.figure', HTMLElement, tile).textContent = formatWhole(dropped);
  const note = find('.change', HTMLElement, tile);
  note.textContent =
    dropped === undefined ? '' : t(dropped === 0 ? 'tile.noneDropped' : 'tile.someDropped');
  note.dataset['tone'] = dropped ? 'bad' : '';
}
