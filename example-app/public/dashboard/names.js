// @ts-check
import { formatCompact, formatCost, formatMoney } from '../formats.js';
import { t } from '../strings.js';

/**
 * Display names of values. Users and conversations may be missing, and everything
 * beyond the limit is one row.
 *
 * @param {import('./view.js').Dimension} dimension
 * @param {string | null | undefined} value
 */
export function nameOf(dimension, value) {
  if (value) {
    if (dimension !== 'outcome') return value;
    return value === 'error' || value === 'aborted' || value === 'ok'
      ? t(`outcome.${value}`)
      : value;
  }
  return dimension === 'conversation' ? t('usage.noConversation') : t('usage.noUser');
}

/** @type {Readonly<Record<import('./view.js').Measure, (value: number | undefined) => string>>} */
export const measureFormats = {
  total_tokens: formatCompact,
  cost_usd: formatMoney,
  calls: formatCompact,
};

/**
 * A row's value of the measure; a cost may be a lower bound.
 *
 * @param {import('./usage-api.js').Row} row
 * @param {import('./view.js').Measure} measure
 */
export function formatMeasure(row, measure) {
  return measure === 'cost_usd' ? formatCost(row) : measureFormats[measure](row[measure]);
}
