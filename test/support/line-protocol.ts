/** A parsed line. The parser is strict and accepts only what all versions accept. */
export interface ParsedLine {
  /** Measurement and tags as written: the series. */
  readonly series: string;
  readonly measurement: string;
  readonly tags: Readonly<Record<string, string>>;
  /** `i` integer, `f` float, `s` string, `b` boolean. */
  readonly fields: Readonly<
    Record<
      string,
      { readonly type: 'i' | 'f' | 's' | 'b'; readonly value: string | number | boolean }
    >
  >;
  readonly time: string;
}

/**
 * Lines of a body, without comments. Follows InfluxDB's scanLine: quotes are significant only after
 * the first unescaped space and an equals sign; a line break between quotes does not end the line.
 */
export function splitBody(body: string): string[] {
  const lines: string[] = [];
  let start = 0;
  let [isInFields, isQuoted, equals, commas] = [false, false, 0, 0];
  for (let at = 0; at < body.length; at++) {
    const character = body[at];
    if (character === '\\') at++;
    else if (character === ' ') isInFields = true;
    else if (isInFields && character === '"' && equals > commas) isQuoted = !isQuoted;
    else if (isInFields && !isQuoted && character === '=') equals++;
    else if (isInFields && !isQuoted && character === ',') commas++;
    else if (character === '\n' && !isQuoted) {
      lines.push(body.slice(start, at));
      start = at + 1;
      [isInFields, equals, commas] = [false, 0, 0];
    }
  }
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}

const KEY = String.raw`(?:[^,= \\\n]|\\[^\n])+`;
const SERIES = new RegExp(String.raw`((?:[^, \\\n]|\\[^\n])+)((?:,${KEY}=${KEY})*) `, 'y');
const FIELD = new RegExp(
  String.raw`(${KEY})=("(?:[^"\\]|\\[^])*"|-?\d+i|-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|true|false)(,| )`,
  'y',
);

/** Throws with the error message of InfluxDB 1.x and 2.x. */
export function parseLine(line: string): ParsedLine {
  SERIES.lastIndex = 0;
  const head = SERIES.exec(line);
  if (head === null) throw new Error('missing tag value');
  const [start, measurement = '', tagText = ''] = head;
  const tags: Record<string, string> = {};
  for (const [, key = '', value = ''] of tagText.matchAll(new RegExp(`,(${KEY})=(${KEY})`, 'g'))) {
    if (plain(key) in tags) throw new Error('duplicate tags');
    tags[plain(key)] = plain(value);
  }
  const fields: Record<string, ParsedLine['fields'][string]> = {};
  let at = start.length;
  for (;;) {
    FIELD.lastIndex = at;
    const field = FIELD.exec(line);
    if (field === null) throw new Error('invalid field format');
    const [all, key = '', text = '', end] = field;
    fields[plain(key)] = fieldValue(text);
    at += all.length;
    if (end === ' ') break;
  }
  const time = line.slice(at);
  if (!/^-?\d+$/.test(time)) throw new Error('bad timestamp');
  return { series: start.trim(), measurement: plain(measurement), tags, fields, time };
}

function plain(escaped: string): string {
  return escaped.replaceAll(/\\([,= ])/g, '$1');
}

function fieldValue(text: string): ParsedLine['fields'][string] {
  if (text.startsWith('"')) {
    return { type: 's', value: text.slice(1, -1).replaceAll(/\\(["\\])/g, '$1') };
  }
  if (text === 'true' || text === 'false') return { type: 'b', value: text === 'true' };
  return text.endsWith('i')
    ? { type: 'i', value: Number(text.slice(0, -1)) }
    : { type: 'f', value: Number(text) };
}
