/** What an answer of the server, or its absence, says. */
export interface ServerException {
  /** Code of the exception, https://github.com/ClickHouse/ClickHouse/blob/master/src/Common/ErrorCodes.cpp */
  readonly code: number;
  readonly message: string;
}

const EXCEPTION = /Code: (\d+)\. DB::Exception: ([^]*)/;

/** The exception in the body of an answer. */
export function exceptionIn(body: string, header?: string): ServerException | undefined {
  const [, code, message] = EXCEPTION.exec(body) ?? [];
  if (code !== undefined) return { code: Number(code), message: withoutValues(message ?? '') };
  return header === undefined ? undefined : { code: Number(header), message: withoutValues(body) };
}

/** A quoted text, or all from a quote on that has no end: `n't` is none. */
const QUOTED = /(?:(?<!n(?=.t\b))('|")(?:(?!\1)[^\\]|\\.)*\1)|(?:(?<!n(?=.t\b))['"]|\\)[^]*/gs;

/**
 * Short, on one line, and without what the server quotes of the rows or of the question, which may be a user. Names
 * in backquotes and the kind of the error stay.
 */
export function withoutValues(message: string): string {
  const kind = /\(([A-Z][A-Z0-9_]{3,})\)/.exec(message)?.[1];
  const said = message
    .replace(/: (?:while (?:reading|executing)|In scope|\(at row)[^]*/i, '')
    // A part of the statement follows, which may begin or end within a value.
    .replace(/(failed at position \d+)[^]*/i, '$1')
    .replaceAll(QUOTED, (_, mark?: string) => (mark === undefined ? '…' : `${mark}…${mark}`))
    .replaceAll(/\s+/g, ' ')
    .trim();
  const short = said.length > 200 ? `${said.slice(0, 200)}…` : said;
  return kind === undefined || short.includes(kind) ? short : `${short} (${kind})`;
}

/** There is no such table, database or column. */
export const MISSING_TABLE: ReadonlySet<number> = new Set([16, 60, 81]);

/** A question had more groups than it may. */
export const TOO_MANY_ROWS = 158;
