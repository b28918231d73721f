/** Human-readable numbers. Unknown values are a dash, never 0. */

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en-US', { notation: 'compact', maximumSignificantDigits: 3 });

export function shownCount(value: number | undefined): string {
  return value === undefined ? '-' : whole.format(value);
}

/** `1.23M`. */
export function shownShort(value: number | undefined): string {
  return value === undefined ? '-' : short.format(value);
}

/** Currency of amounts on display, unless it is the US dollar. */
export interface ShownCurrency {
  readonly code: string;
  readonly usdPerUnit: number;
}

/** An amount in US dollars, converted if a currency is given. */
export function shownCost(usd: number | undefined, currency?: ShownCurrency): string {
  if (usd === undefined) return '-';
  const value = usd / (currency?.usdPerUnit ?? 1);
  const digits = value < 1 ? 6 : 2;
  if (currency === undefined) return `$${value.toFixed(digits)}`;
  return new Intl.NumberFormat('en-US', {
    style: 'currency',
    currency: currency.code,
    currencyDisplay: 'symbol',
    useGrouping: false,
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** A sum of costs; with parts that have no price it is a lower bound. */
export function shownSum(
  {
    costUsd,
    partialCostCalls = 0,
  }: { readonly costUsd?: number; readonly partialCostCalls?: number },
  currency?: ShownCurrency,
): string {
  const isPartial = partialCostCalls > 0 && costUsd !== undefined;
  const shown = shownCost(costUsd, currency);
  return isPartial ? `≥ ${shown}` : shown;
}

/** Why a sum is a lower bound. */
export function shownPartial(calls: number): string {
  return `${shownCount(calls)} ${calls === 1 ? 'call has' : 'calls have'} parts without a price`;
}

export function shownShare(value: number | undefined): string {
  return value === undefined ? '-' : `${(value * 100).toFixed(1)} %`;
}

export function shownDuration(ms: number | undefined): string {
  if (ms === undefined) return '-';
  return ms < 1000 ? `${ms.toFixed(0)} ms` : `${(ms / 1000).toFixed(1)} s`;
}

// oxlint-disable-next-line no-control-regex -- matches control characters on purpose
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text from elsewhere must not move the cursor or change the text direction. */
export function withoutControls(text: string): string {
  return text.replaceAll(CONTROL, '\uFFFD');
}

/** Hebrew, Arabic and the other scripts that are written from right to left. */
const RIGHT_TO_LEFT =
  /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc\u{10800}-\u{10fff}\u{1e800}-\u{1efff}]/u;

/**
 * A name that comes from a caller. One that is written from right to left is isolated (U+2068,
 * U+2069), or a terminal would move the numbers beside it.
 */
export function shownName(name: string | null | undefined, none = '(none)'): string {
  if (name === null || name === undefined) return none;
  const shown = withoutControls(name);
  return RIGHT_TO_LEFT.test(shown) ? `\u2068${shown}\u2069` : shown;
}
