import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { extname } from 'node:path';
import { StringDecoder } from 'node:string_decoder';
import type { CliIo } from './io.ts';
import { Progress } from './progress.ts';

export type InputFormat = 'text' | 'json' | 'jsonl';

export interface CountInput {
  readonly format: InputFormat;
  readonly pieces: AsyncIterable<string>;
}

/**
 * Opens a file, or stdin for `-`, as chunks of text. The format is taken from the name or the first
 * character.
 */
export async function openInput(
  path: string,
  format: InputFormat | undefined,
  io: CliIo,
): Promise<CountInput> {
  const total = path === '-' ? undefined : (await stat(path)).size;
  const bytes: AsyncIterable<Buffer> =
    path === '-' ? io.stdin : createReadStream(path, { highWaterMark: 1 << 18 });
  const pieces = decode(bytes, new Progress(io.stderr, total));
  const known = format ?? byName(path);
  if (known !== undefined) return { format: known, pieces };
  const first = await pieces.next();
  const start = first.done === true ? '' : first.value;
  return { format: bySign(start), pieces: prepend(start, pieces) };
}

async function* decode(bytes: AsyncIterable<Buffer>, progress: Progress): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  let first = true;
  try {
    for await (const chunk of bytes) {
      progress.add(chunk.length);
      const text = decoder.write(chunk);
      // Skip a byte order mark.
      yield first && text.startsWith('\uFEFF') ? text.slice(1) : text;
      first = false;
    }
    yield decoder.end();
  } finally {
    progress.end();
  }
}

async function* prepend(start: string, rest: AsyncIterable<string>): AsyncGenerator<string> {
  yield start;
  yield* rest;
}

function byName(path: string): InputFormat | undefined {
  switch (extname(path).toLowerCase()) {
    case '.json':
      return 'json';
    case '.jsonl':
    case '.ndjson':
      return 'jsonl';
    case '':
      return undefined;
    default:
      return 'text';
  }
}

/** Requires the shape of a chat, because plain text may start with a brace as well. */
function bySign(start: string): InputFormat {
  const firstLine = start.trimStart().split('\n', 1)[0] ?? '';
  if (isChatLine(firstLine)) return /\n\s*[[{]/.test(start.trimStart()) ? 'jsonl' : 'json';
  return /^\s*(?:\{\s*"|\[\s*\{)/.test(start) && /"(?:messages|role|input)"\s*:/.test(start)
    ? 'json'
    : 'text';
}

function isChatLine(line: string): boolean {
  try {
    const value: unknown = JSON.parse(line);
    return (
      Array.isArray(value) ||
      (typeof value === 'object' && value !== null && ('messages' in value || 'input' in value))
    );
  } catch {
    return false;
  }
}

/** Splits chunks into lines. Scans each chunk once, even when a line spans many of them. */
export async function* linesOf(pieces: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const piece of pieces) {
    let start = 0;
    for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
      yield rest + piece.slice(start, end);
      rest = '';
      start = end + 1;
    }
    rest += piece.slice(start);
  }
  if (rest !== '') yield rest;
}
