// @ts-check

/**
 * State of the dashboard. It is part of the URL, so that links work and the
 * back button works.
 *
 * @typedef {'today' | '24h' | '7d' | '30d' | '90d'} Preset
 * @typedef {'user' | 'model' | 'conversation' | 'provider' | 'outcome' | 'service'} Dimension
 * @typedef {'kind' | 'model' | 'user'} Stack
 * @typedef {'total_tokens' | 'cost_usd' | 'calls'} Measure
 * @typedef {'duration' | 'first'} Latency Of the whole call, or to its first chunk.
 * @typedef {{
 *   range: Preset | { from: string, to: string },
 *   filters: Readonly<Partial<Record<Dimension, readonly string[]>>>,
 *   stack: Stack,
 *   measure: Measure,
 *   latency: Latency,
 * }} View Times are RFC 3339; an empty filter value stands for calls that have none.
 * @typedef {{ view: View, period: import('./period.js').Period }} Context What panels show.
 * @typedef {readonly import('./statistics-gaps.js').Gap[]} Gaps Oldest first.
 */

/** @type {readonly Preset[]} */
export const presets = ['today', '24h', '7d', '30d', '90d'];
/** @type {readonly Dimension[]} */
export const dimensions = ['user', 'model', 'conversation', 'provider', 'outcome', 'service'];
/** @type {readonly Stack[]} */
export const stacks = ['kind', 'model', 'user'];
/** @type {readonly Measure[]} */
export const measures = ['total_tokens', 'cost_usd', 'calls'];
/** @type {readonly Latency[]} */
export const latencies = ['duration', 'first'];

/** View of a URL without parameters. */
const DEFAULTS = /** @type {const} */ ({
  range: '7d',
  stack: 'model',
  measure: 'total_tokens',
  latency: 'duration',
});

/**
 * @param {string} search
 * @returns {View}
 */
export function viewOf(search) {
  const parameters = new URLSearchParams(search);
  /** @type {Partial<Record<Dimension, readonly string[]>>} */
  const filters = {};
  for (const dimension of dimensions) {
    const values = parameters.getAll(dimension);
    if (values.length > 0) filters[dimension] = [...new Set(values)].slice(0, 50);
  }
  return {
    range: rangeOf(parameters),
    filters,
    stack: oneOf(parameters.get('by'), stacks, DEFAULTS.stack),
    measure: oneOf(parameters.get('measure'), measures, DEFAULTS.measure),
    latency: oneOf(parameters.get('latency'), latencies, DEFAULTS.latency),
  };
}

/**
 * @param {View} view
 * @returns {string} with its `?`, or nothing
 */
export function searchOf({ range, filters, stack, measure, latency }) {
  const parameters = new URLSearchParams();
  if (typeof range !== 'string') {
    parameters.set('from', range.from);
    parameters.set('to', range.to);
  } else if (range !== DEFAULTS.range) parameters.set('range', range);
  if (stack !== DEFAULTS.stack) parameters.set('by', stack);
  if (measure !== DEFAULTS.measure) parameters.set('measure', measure);
  if (latency !== DEFAULTS.latency) parameters.set('latency', latency);
  for (const [dimension, values] of Object.entries(filters)) {
    for (const value of values) parameters.append(dimension, value);
  }
  const search = parameters.toString();
  return search === '' ? '' : `?${search}`;
}

/**
 * @param {View} view
 * @param {Dimension} dimension
 * @param {readonly string[]} values none: no filter
 * @returns {View}
 */
export function withFilter(view, dimension, values) {
  const { [dimension]: _, ...filters } = view.filters;
  return { ...view, filters: values.length > 0 ? { ...filters, [dimension]: values } : filters };
}

/** @param {URLSearchParams} parameters @returns {View['range']} */
function rangeOf(parameters) {
  const from = Date.parse(parameters.get('from') ?? '');
  const to = Date.parse(parameters.get('to') ?? '');
  if (to > from) return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
  return oneOf(parameters.get('range'), presets, DEFAULTS.range);
}

/**
 * @template {string} T
 * @param {string | null} value
 * @param {readonly T[]} allowed
 * @param {T} otherwise
 * @returns {T}
 */
function oneOf(value, allowed, otherwise) {
  return allowed.find((one) => one === value) ?? otherwise;
}
