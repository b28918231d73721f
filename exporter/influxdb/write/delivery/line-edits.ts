import type { LineChunk } from '../../../spool/line-queue.ts';
import { singleLines } from '../../../delivery/split-lines.ts';

/** Types of the line protocol, as servers name them. */
function typeOf(value: string): string {
  if (value.startsWith('"')) return 'string';
  if (value.endsWith('i')) return 'integer';
  if (value.endsWith('u')) return 'unsigned';
  return /^[tTfF]/.test(value) ? 'boolean' : 'float';
}

/**
 * A single line without one of its fields; undefined when it does not have it, has it with the type `stored`, or
 * has nothing else. `name` as the server says it, plain.
 */
function withoutField(chunk: LineChunk, name: string, stored?: string): LineChunk | undefined {
  const line = chunk.body.toString();
  const head = /^(?:[^ \\]|\\[^])+ /.exec(line)?.[0] ?? '';
  const field = /((?:[^,= \\]|\\[^])+)=("(?:[^"\\]|\\[^])*"|[^, "]+)(,?)/y;
  field.lastIndex = head.length;
  const kept: string[] = [];
  let found = false;
  let end = head.length;
  for (let match = field.exec(line); match !== null; match = field.exec(line)) {
    const [all, key = '', value = '', comma] = match;
    end += all.length;
    if (key.replaceAll(/\\([,= ])/g, '$1') === name && typeOf(value) !== stored) found = true;
    else kept.push(`${key}=${value}`);
    if (comma === '') break;
  }
  if (!found || kept.length === 0) return undefined;
  return { ...single(head + kept.join(',') + line.slice(end)), multiline: chunk.multiline };
}

/** A batch without a field in those lines where its type is wrong; undefined when there is none. */
export function withoutFieldInAll(
  chunks: readonly LineChunk[],
  name: string,
  stored: string | undefined,
): { readonly chunks: readonly LineChunk[]; readonly changed: number } | undefined {
  let changed = 0;
  const edited = singleLines(chunks).map((line) => {
    const shorter = withoutField(line, name, stored);
    if (shorter !== undefined) changed++;
    return shorter ?? line;
  });
  return changed === 0 ? undefined : { chunks: edited, changed };
}

/** A single line with another value of a tag; undefined when it has none that differs. Values are escaped. */
export function withTag(
  chunk: LineChunk,
  tag: string,
  otherOf: (value: string) => string | undefined,
): LineChunk | undefined {
  const line = chunk.body.toString();
  const head = /^(?:[^ \\]|\\[^])+/.exec(line)?.[0] ?? '';
  let found = false;
  const tags = /(,(?:[^,=\\]|\\[^])+=)((?:[^,\\]|\\[^])+)/g;
  const edited = head.replaceAll(tags, (all: string, key: string, value: string) => {
    const other = key === `,${tag}=` ? otherOf(value) : undefined;
    if (other === undefined || other === value) return all;
    found = true;
    return key + other;
  });
  return found
    ? { ...single(edited + line.slice(head.length)), multiline: chunk.multiline }
    : undefined;
}

/** Nanoseconds; undefined for a line without a time. */
export function timeOf({ body }: LineChunk): bigint | undefined {
  const digits = / (-?\d+)\n$/.exec(body.toString('latin1', Math.max(0, body.length - 24)))?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/** The `count` oldest lines; undefined when not every line says when it was. */
export function oldestLines(
  chunks: readonly LineChunk[],
  count: number,
): readonly LineChunk[] | undefined {
  const lines = singleLines(chunks).map((line) => ({ line, time: timeOf(line) }));
  if (lines.length < count || lines.some(({ time }) => time === undefined)) return undefined;
  return lines
    .toSorted(({ time: a = 0n }, { time: b = 0n }) => (a < b ? -1 : a > b ? 1 : 0))
    .slice(0, count)
    .map(({ line }) => line);
}

function single(text: string): LineChunk {
  return { body: Buffer.from(text), lines: 1, multiline: false };
}
