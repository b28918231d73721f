import { existsSync, readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { ownFile } from '../package-file.ts';
import { decodeVocabulary, type VocabularyTable } from './tables.ts';

/**
 * Next to this file in the sources and in the built package. Every URL is spelled out because webpack
 * and Turbopack include files named in this form, and resolved lazily because a CommonJS bundle has no
 * `import.meta.url` and must still load.
 */
const FILES = {
  'engine.wasm': () => new URL('./data/engine.wasm', import.meta.url),
  'classes.deflate': () => new URL('./data/classes.deflate', import.meta.url),
  'o200k_base.deflate': () => new URL('./data/o200k_base.deflate', import.meta.url),
  'cl100k_base.deflate': () => new URL('./data/cl100k_base.deflate', import.meta.url),
  'p50k_base.deflate': () => new URL('./data/p50k_base.deflate', import.meta.url),
  'r50k_base.deflate': () => new URL('./data/r50k_base.deflate', import.meta.url),
} as const;

type FileName = keyof typeof FILES;

/** Vocabularies included in this package. */
export const BUILT_IN: ReadonlySet<string> = new Set(
  Object.keys(FILES).flatMap((file) => /^(.*_base)\.deflate$/.exec(file)?.[1] ?? []),
);

/** @throws when the file is missing, as in a bundle without the data files. */
export function readVocabulary(name: string): VocabularyTable {
  return decodeVocabulary(readDeflated(`${name}.deflate` as FileName, 1 << 21));
}

/** Unicode 16 classes: 4352 block numbers of two bytes each, then blocks of 256 classes. */
export function readClasses(): Uint8Array {
  return readDeflated('classes.deflate', 1 << 16);
}

export function readEngine(): Uint8Array {
  return read('engine.wasm');
}

/**
 * Deflate takes a third of brotli's time at start-up, for 3 % more bytes.
 *
 * @param size at least the size of the contents; output in several chunks would take twice the
 * memory
 */
function readDeflated(name: FileName, size: number): Uint8Array {
  return inflateRawSync(read(name), { chunkSize: size });
}

function read(name: FileName): Uint8Array {
  const file = locate(name);
  if (file === undefined) throw new Error(`${name} not found next to the code or in node_modules`);
  return readFileSync(file);
}

function locate(name: FileName): URL | undefined {
  let beside: URL | undefined;
  try {
    beside = FILES[name]();
    if (existsSync(beside)) return beside;
  } catch {
    // No import.meta.url.
  }
  return ownFile(`dist/data/${name}`);
}
