/**
 * Line protocol, as InfluxDB 1.x, 2.x and 3.x, VictoriaMetrics, QuestDB and Telegraf all read it.
 * What one of them cannot represent, or reads differently from the others, is cleaned away in names
 * and tags; string fields keep every character.
 */

/** Longest tag value in bytes; what is longer is cut at a character. */
const MAX_TAG_BYTES = 256;
/** Longest string field in bytes. */
const MAX_STRING_BYTES = 65_535;

const PLAIN_NAME = /^[A-Za-z0-9_.:/@+-]+$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const CONTROL = /[\u0000-\u001f\u007f\u0085\u2028\u2029]/g;
const SPECIAL = /[,= ]/g;
/** Backslashes before a delimiter, a quote or the end: servers disagree on whether they escape. */
const AMBIGUOUS_BACKSLASHES = /\\+(?=[,= "]|$)/g;
/** ASCII without quote, backslash and control characters: nothing to escape, nothing malformed. */
const PLAIN_STRING = /^[ !#-[\]-~]*$/;

/** A tag or field key or a tag value, escaped; '' when nothing is left of it. */
export function escapeName(value: string): string {
  if (value.length <= 64 && PLAIN_NAME.test(value)) return value;
  return cleanTag(value).replace(SPECIAL, '\\$&');
}

/** Whether the server gives a tag value back as it is. */
export function isPlainTag(value: string): boolean {
  return (value.length <= 64 && PLAIN_NAME.test(value)) || cleanTag(value) === value;
}

/** A tag value as the server will give it back. */
export function cleanTag(value: string): string {
  const clean = value.toWellFormed().replace(CONTROL, ' ').replace(AMBIGUOUS_BACKSLASHES, '');
  if (clean.length * 3 <= MAX_TAG_BYTES || Buffer.byteLength(clean) <= MAX_TAG_BYTES) return clean;
  let end = MAX_TAG_BYTES;
  const bytes = Buffer.from(clean);
  // 10xxxxxx is the inside of a character
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end--;
  return bytes.toString('utf8', 0, end).replace(AMBIGUOUS_BACKSLASHES, '');
}

/** A measurement: only comma and space are special, an equals sign is not. `#` begins a comment. */
export function escapeMeasurement(name: string): string {
  if (PLAIN_NAME.test(name)) return name;
  return cleanTag(name).replace(/^#/, '_').replace(/[, ]/g, '\\$&');
}

/** A quoted string field; undefined when it is too long to be stored. */
export function quoteString(value: string): string | undefined {
  if (value.length <= MAX_STRING_BYTES && PLAIN_STRING.test(value)) return `"${value}"`;
  if (value.length * 3 > MAX_STRING_BYTES && Buffer.byteLength(value) > MAX_STRING_BYTES) {
    return undefined;
  }
  return `"${value.toWellFormed().replace(/["\\]/g, '\\$&')}"`;
}
