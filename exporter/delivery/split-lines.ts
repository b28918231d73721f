import { type LineChunk, sumOfLines } from '../spool/line-queue.ts';

const LINE_FEED = 10;
const SPACE = 32;
const QUOTE = 34;
const COMMA = 44;
const EQUALS = 61;
const BACKSLASH = 92;

/** Where line number `line` starts (0 is the first), quotes honoured where they matter. */
function startOfLine({ body, multiline }: LineChunk, line: number): number {
  let at = 0;
  for (let i = 0; i < line; i++) {
    at = (multiline ? endOfQuotedLine(body, at) : body.indexOf(LINE_FEED, at)) + 1;
  }
  return at;
}

/** A line break inside a string field belongs to the string; a quote elsewhere is no quote. */
function endOfQuotedLine(body: Buffer, start: number): number {
  let inFields = false;
  let inValue = false;
  let quoted = false;
  for (let at = start; at < body.length; at++) {
    const byte = body[at];
    if (byte === BACKSLASH) at++;
    else if (quoted) quoted = byte !== QUOTE;
    else if (byte === LINE_FEED) return at;
    else if (byte === SPACE) inFields = true;
    else if (byte === COMMA) inValue = false;
    else if (byte === EQUALS) inValue = inFields;
    else if (byte === QUOTE) quoted = inValue;
  }
  return body.length - 1;
}

/** Two halves of at least two lines. */
export function halve(chunks: readonly LineChunk[]): [LineChunk[], LineChunk[]] {
  const first: LineChunk[] = [];
  const second: LineChunk[] = [];
  let left = sumOfLines(chunks) >> 1;
  for (const chunk of chunks) {
    const { body, lines, multiline } = chunk;
    if (lines <= left) first.push(chunk);
    else if (left === 0) second.push(chunk);
    else {
      const cut = startOfLine(chunk, left);
      first.push({ body: body.subarray(0, cut), lines: left, multiline });
      second.push({ body: body.subarray(cut), lines: lines - left, multiline });
    }
    left -= Math.min(left, lines);
  }
  return [first, second];
}

/** The same lines with a space for each line break inside a string, for servers that cannot read them. */
export function withoutInnerBreaks(chunk: LineChunk): LineChunk {
  if (!chunk.multiline) return chunk;
  const body = Buffer.from(chunk.body);
  let start = 0;
  for (let line = 0; line < chunk.lines; line++) {
    const end = endOfQuotedLine(body, start);
    for (let at = start; at < end; at++) if (body[at] === LINE_FEED) body[at] = SPACE;
    start = end + 1;
  }
  return { ...chunk, body, multiline: false };
}

/** Each line as a chunk of its own. */
export function singleLines(chunks: readonly LineChunk[]): readonly LineChunk[] {
  return chunks.flatMap(({ body, lines, multiline }) => {
    const singles: LineChunk[] = [];
    for (let start = 0, line = 0; line < lines; line++) {
      const end = (multiline ? endOfQuotedLine(body, start) : body.indexOf(LINE_FEED, start)) + 1;
      singles.push({ body: body.subarray(start, end), lines: 1, multiline });
      start = end;
    }
    return singles;
  });
}
