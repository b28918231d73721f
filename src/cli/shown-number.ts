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

export function shownCost(value: number | undefined): string {
  if (value === undefined) return '-';
  return `$${value.toFixed(value < 1 ? 6 : 2)}`;
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

/** Names come from callers and must not move the cursor or change the text direction. */
export function shownName(name: string | null | undefined, none = '(none)'): string {
  return name === null || name === undefined ? none : name.replaceAll(CONTROL, '\uFFFD');
}
