import { readFile } from 'node:fs/promises';
import { TokenMeterError } from '../errors.ts';
import { replaceFile } from '../host/atomic-file.ts';
import { isObject } from '../tokens/json.ts';
import type { ListProvider } from './list-library.ts';

/** A price list that was downloaded, with its date. */
export interface ListFile {
  /** When it was downloaded, RFC 3339: the list itself has no date. */
  readonly retrieved: string;
  readonly url: string;
  /** Version of the installed package at that time: a newer package has a newer list. */
  readonly package?: string;
  readonly providers: readonly ListProvider[];
}

/** `undefined` if there is none. Rejects with `INVALID_PRICES` for a file that is no list. */
export async function readListFile(path: string): Promise<ListFile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, error);
  }
  try {
    const content: unknown = JSON.parse(text);
    if (isListFile(content)) return content;
  } catch (error) {
    throw unusable(path, error);
  }
  throw unusable(path);
}

export async function writeListFile(path: string, list: ListFile): Promise<void> {
  await replaceFile(path, `${JSON.stringify(list)}\n`);
}

function isListFile(content: unknown): content is ListFile {
  return (
    isObject(content) &&
    typeof content['retrieved'] === 'string' &&
    !Number.isNaN(Date.parse(content['retrieved'])) &&
    typeof content['url'] === 'string' &&
    Array.isArray(content['providers']) &&
    content['providers'].length > 0
  );
}

function unusable(path: string, cause?: unknown): TokenMeterError {
  return new TokenMeterError('INVALID_PRICES', `price list: ${path} is not usable`, {
    value: path,
    allowed: 'a file written by otel-token-meter prices update',
    cause,
  });
}
