// @ts-check
import { language, locale, t } from './strings.js';

/** Number formats in the language of the page. An absent value is a dash: unknown is not 0. */
const ABSENT = '–';

// By language, not region: British English writes a million as `1m`, which looks like a minute here.
const compact = new Intl.NumberFormat(language, {
  notation: 'compact',
  maximumSignificantDigits: 3,
});
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

/** @param {string} currency @param {Intl.NumberFormatOptions} options */
function money(currency, options) {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    // The short sign of other dollars is that of the US dollar.
    currencyDisplay: currency === 'USD' ? 'narrowSymbol' : 'symbol',
    ...options,
  });
}

/** @param {string} currency */
function moneyFormats(currency) {
  return {
    cents: money(currency, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    whole: money(currency, { maximumFractionDigits: 0 }),
    exact: money(currency, { minimumFractionDigits: 5, maximumFractionDigits: 5 }),
    fractions: money(currency, { maximumSignificantDigits: 3, minimumSignificantDigits: 2 }),
  };
}

let shown = { code: 'USD', usdPerUnit: 1, formats: moneyFormats('USD') };

/**
 * Currency of amounts from now on.
 *
 * @param {{ code: string, usd_per_unit: number } | undefined} currency US dollars by default
 */
export function displayIn(currency) {
  const { code, usd_per_unit: usdPerUnit } = currency ?? { code: 'USD', usd_per_unit: 1 };
  const formats = code === shown.code ? shown.formats : moneyFormats(code);
  shown = { code, usdPerUnit, formats };
}

/** @param {'millisecond' | 'second' | 'minute' | 'hour'} unit @param {number} digits */
function timeUnit(unit, digits) {
  return new Intl.NumberFormat(locale, {
    style: 'unit',
    unit,
    unitDisplay: 'narrow',
    maximumFractionDigits: digits,
  });
}
const milliseconds = timeUnit('millisecond', 0);
const seconds = timeUnit('second', 1);
const minutes = timeUnit('minute', 1);
const hours = timeUnit('hour', 1);

/** @param {number | undefined} value "1.2M" */
export function formatCompact(value) {
  if (value === undefined) return ABSENT;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

/** @param {number | undefined} value "1,234,567" */
export function formatWhole(value) {
  return value === undefined ? ABSENT : whole.format(value);
}

/** @param {number | undefined} usd "$12.34", small amounts with more digits */
export function formatMoney(usd) {
  if (usd === undefined) return ABSENT;
  const { formats, usdPerUnit } = shown;
  const value = usd / usdPerUnit;
  if (value !== 0 && Math.abs(value) < 0.1) return formats.fractions.format(value);
  return (Math.abs(value) < 10_000 ? formats.cents : formats.whole).format(value);
}

/**
 * Sum of costs, "at least" when calls have parts without a price.
 *
 * @param {{ cost_usd?: number | undefined, partial_cost_calls?: number }} sums
 */
export function formatCost({ cost_usd: usd, partial_cost_calls: partial = 0 }) {
  const value = formatMoney(usd);
  return partial === 0 || usd === undefined ? value : t('cost.atLeast', { value });
}

/** Why a sum of costs is a lower bound, or nothing. @param {number} calls that are partial */
export function partialCostText(calls) {
  return calls === 0 ? '' : t('cost.partial', { count: formatWhole(calls) });
}

/**
 * Cost of one call.
 *
 * @param {{ cost_usd?: number | undefined, cost_missing?: readonly string[] | undefined }} call
 */
export function formatCallCost({ cost_usd: usd, cost_missing: missing }) {
  const value = formatExactMoney(usd);
  return missing === undefined || usd === undefined ? value : t('cost.atLeast', { value });
}

/** @param {number | undefined} usd "$0.01234": so that columns align */
function formatExactMoney(usd) {
  if (usd === undefined) return ABSENT;
  const { exact } = shown.formats;
  const value = usd / shown.usdPerUnit;
  return value > 0 && value < 0.000_01 ? `< ${exact.format(0.000_01)}` : exact.format(value);
}

/** @param {number | undefined} ms "850ms", "2.1s" */
export function formatMs(ms) {
  if (ms === undefined) return ABSENT;
  if (ms > 0 && ms < 1000) return milliseconds.format(ms);
  if (ms < 60_000) return seconds.format(ms / 1000);
  return ms < 3_600_000 ? minutes.format(ms / 60_000) : hours.format(ms / 3_600_000);
}

/** @param {number | undefined} share 0 to 1 */
export function formatPercent(share) {
  return share === undefined ? ABSENT : percent.format(share);
}

/**
 * Change from the previous period, as text and direction.
 *
 * @param {number | undefined} now
 * @param {number | undefined} before
 * @returns {{ text: string, direction: 'up' | 'down' | 'same' | 'none' }} no text if the previous value is missing or 0
 */
export function formatChange(now, before) {
  if (now === undefined || before === undefined || before === 0) {
    return { text: '', direction: 'none' };
  }
  const change = now / before - 1;
  const rounded = percent.format(Math.abs(change));
  if (rounded === percent.format(0)) return { text: t('usage.same'), direction: 'same' };
  if (change > 9.995) {
    const factor = formatCompact(Math.round(now / before));
    return { text: t('usage.times', { factor }), direction: 'up' };
  }
  return change > 0
    ? { text: t('usage.more', { change: rounded }), direction: 'up' }
    : { text: t('usage.less', { change: rounded }), direction: 'down' };
}
