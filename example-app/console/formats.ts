import { language, locale, t } from './texts.ts';

/** Formats in the language of the page. An absent value is a dash: unknown is not 0. */
export const ABSENT = '–';

// By language, not region: British English writes a million as `1m`, which looks like a minute here.
const compact = new Intl.NumberFormat(language, {
  notation: 'compact',
  maximumSignificantDigits: 3,
});
const percent = new Intl.NumberFormat(locale, { style: 'percent', maximumFractionDigits: 1 });
const wholePercent = new Intl.NumberFormat(locale, { style: 'percent', notation: 'compact' });
const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });

function money(currency: string, options: Intl.NumberFormatOptions): Intl.NumberFormat {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency,
    // The short sign of other dollars is that of the US dollar.
    currencyDisplay: currency === 'USD' ? 'narrowSymbol' : 'symbol',
    ...options,
  });
}

function moneyFormats(currency: string) {
  return {
    cents: money(currency, { minimumFractionDigits: 2, maximumFractionDigits: 2 }),
    whole: money(currency, { maximumFractionDigits: 0 }),
    exact: money(currency, { minimumFractionDigits: 5, maximumFractionDigits: 5 }),
    fractions: money(currency, { maximumSignificantDigits: 3, minimumSignificantDigits: 2 }),
  };
}

let shown = { code: 'USD', usdPerUnit: 1, formats: moneyFormats('USD') };

/** Currency of amounts from now on; US dollars by default. */
export function displayIn(
  currency: { readonly code: string; readonly usd_per_unit: number } | undefined,
): void {
  const { code, usd_per_unit: usdPerUnit } = currency ?? { code: 'USD', usd_per_unit: 1 };
  const formats = code === shown.code ? shown.formats : moneyFormats(code);
  shown = { code, usdPerUnit, formats };
}

function timeUnit(
  unit: 'millisecond' | 'second' | 'minute' | 'hour',
  digits: number,
): Intl.NumberFormat {
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

/** "1.2M" */
export function formatCompact(value: number | undefined): string {
  if (value === undefined) return ABSENT;
  return Math.abs(value) < 10_000 ? whole.format(value) : compact.format(value);
}

/** "1,234,567" */
export function formatWhole(value: number | undefined): string {
  return value === undefined ? ABSENT : whole.format(value);
}

/** "$12.34", small amounts with more digits. Takes US dollars. */
export function formatMoney(usd: number | undefined): string {
  if (usd === undefined) return ABSENT;
  const { formats, usdPerUnit } = shown;
  const value = usd / usdPerUnit;
  if (value !== 0 && Math.abs(value) < 0.1) return formats.fractions.format(value);
  return (Math.abs(value) < 10_000 ? formats.cents : formats.whole).format(value);
}

/** Sum of costs, "at least" when calls have parts without a price. */
export function formatCost({
  cost_usd: usd,
  partial_cost_calls: partial = 0,
}: {
  readonly cost_usd?: number | undefined;
  readonly partial_cost_calls?: number | undefined;
}): string {
  const value = formatMoney(usd);
  return partial === 0 || usd === undefined ? value : t('cost.atLeast', { value });
}

/** Why a sum of costs is a lower bound, or nothing. `calls` are partial. */
export function partialCostText(calls: number): string {
  return calls === 0 ? '' : t('cost.partial', { count: formatWhole(calls) });
}

/** Cost of one call. */
export function formatCallCost({
  cost_usd: usd,
  cost_missing: missing,
}: {
  readonly cost_usd?: number | undefined;
  readonly cost_missing?: readonly string[] | undefined;
}): string {
  const value = formatExactMoney(usd);
  return missing === undefined || usd === undefined ? value : t('cost.atLeast', { value });
}

/** "$0.01234": so that columns align */
function formatExactMoney(usd: number | undefined): string {
  if (usd === undefined) return ABSENT;
  const { exact } = shown.formats;
  const value = usd / shown.usdPerUnit;
  return value > 0 && value < 0.000_01 ? `< ${exact.format(0.000_01)}` : exact.format(value);
}

/** "850ms", "2.1s" */
export function formatMs(ms: number | undefined): string {
  if (ms === undefined) return ABSENT;
  if (ms > 0 && ms < 1000) return milliseconds.format(ms);
  if (ms < 60_000) return seconds.format(ms / 1000);
  return ms < 3_600_000 ? minutes.format(ms / 60_000) : hours.format(ms / 3_600_000);
}

/** Takes a share from 0 to 1. */
export function formatPercent(share: number | undefined): string {
  return share === undefined ? ABSENT : percent.format(share);
}

export interface Change {
  /** Empty if the value before is missing or 0. */
  readonly text: string;
  readonly direction: 'up' | 'down' | 'same' | 'none';
}

/** Change from the previous period. */
export function formatChange(now: number | undefined, before: number | undefined): Change {
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

/** "▲ 12%", for columns. */
export function formatShift(now: number | undefined, before: number | undefined): string {
  const { direction } = formatChange(now, before);
  if (direction === 'none') return ABSENT;
  const change = Math.abs((now ?? 0) / (before ?? 1) - 1);
  const arrow = { up: '▲ ', down: '▼ ', same: '' }[direction];
  return arrow + wholePercent.format(change);
}

const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'medium' });
const range = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
const list = new Intl.ListFormat(language, { type: 'conjunction', style: 'narrow' });

type Time = string | number | Date;

export function formatTime(time: Time): string {
  return dateTime.format(new Date(time));
}

export function formatClock(time: Time): string {
  return clock.format(new Date(time));
}

export function formatRange(from: Date, to: Date): string {
  return range.formatRange(from, to);
}

export function formatList(items: readonly string[]): string {
  return list.format(items);
}

/** "3 min ago" */
export function formatAgo(time: Time, now: number = Date.now()): string {
  const past = Math.min(0, (new Date(time).getTime() - now) / 1000);
  if (past > -60) return relative.format(Math.round(past), 'second');
  if (past > -3600) return relative.format(Math.round(past / 60), 'minute');
  if (past > -86_400) return relative.format(Math.round(past / 3600), 'hour');
  return relative.format(Math.round(past / 86_400), 'day');
}

/** "2h 5m", the two largest units. Takes seconds. */
export function formatDuration(span: number): string {
  const parts = [
    ['day', Math.floor(span / 86_400)],
    ['hour', Math.floor(span / 3600) % 24],
    ['minute', Math.floor(span / 60) % 60],
    ['second', Math.floor(span) % 60],
  ] as const;
  const first = parts.findIndex(([, value]) => value > 0);
  return (first < 0 ? parts.slice(-1) : parts.slice(first, first + 2))
    .map(([unit, value]) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(value),
    )
    .join(' ');
}
