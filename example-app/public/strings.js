// @ts-check

/** @typedef {import('../strings/catalogue.ts').StringKey} StringKey */

/** Language chosen by the server from Accept-Language. */
export const language = document.documentElement.lang;

/** The same language with the browser's region, for numbers and dates. */
export const locale =
  navigator.languages.find((wished) => wished.startsWith(language.slice(0, 2))) ?? language;

/** @type {{ default: Readonly<Record<StringKey, string>> }} */
const { default: strings } = await import(`/assets/strings.${language}.js`);

/**
 * Text of this key in the page's language. `{name}` is replaced from `values`; of
 * `{name#one|many}` the first form is used if that value is 1.
 *
 * @param {StringKey} key
 * @param {Readonly<Record<string, string | number>>} [values]
 */
export function t(key, values = {}) {
  return strings[key].replaceAll(/\{(\w+)(?:#([^|}]*)\|([^}]*))?\}/g, (_, name, one, many) => {
    const value = String(values[name] ?? '');
    return one === undefined ? value : value === '1' ? one : many;
  });
}

const dateTime = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'medium' });
const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'auto', style: 'short' });
const number = new Intl.NumberFormat(locale);

const list = new Intl.ListFormat(language, { type: 'conjunction', style: 'narrow' });

/** @param {readonly string[]} items */
export function formatList(items) {
  return list.format(items);
}

/** @param {string | number | Date} time */
export function formatTime(time) {
  return dateTime.format(new Date(time));
}

/** @param {number} value */
export function formatNumber(value) {
  return number.format(value);
}

/**
 * "3 min ago".
 *
 * @param {string | number | Date} time
 * @param {number} [now]
 */
export function formatAgo(time, now = Date.now()) {
  const seconds = Math.min(0, (new Date(time).getTime() - now) / 1000);
  if (seconds > -60) return relative.format(Math.round(seconds), 'second');
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86_400) return relative.format(Math.round(seconds / 3600), 'hour');
  return relative.format(Math.round(seconds / 86_400), 'day');
}

/**
 * "2 h 5 min", the two largest units.
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const parts = /** @type {const} */ ([
    ['day', Math.floor(seconds / 86_400)],
    ['hour', Math.floor(seconds / 3600) % 24],
    ['minute', Math.floor(seconds / 60) % 60],
    ['second', Math.floor(seconds) % 60],
  ]);
  const first = parts.findIndex(([, value]) => value > 0);
  return (first < 0 ? parts.slice(-1) : parts.slice(first, first + 2))
    .map(([unit, value]) =>
      new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'narrow' }).format(value),
    )
    .join(' ');
}
