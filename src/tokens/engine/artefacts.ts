import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { decodeVocabulary, type VocabularyTable } from './tables.ts';

/**
 * Next to this file in the sources and in the built package. Resolved lazily: a CommonJS bundle has
 * no `import.meta.url` and must still load.
 */
const data = (name: string): URL => new URL(`./data/${name}`, import.meta.url);

/** Vocabularies included in this package. */
export const BUILT_IN: ReadonlySet<string> = new Set([
  'o200k_base',
  'cl100k_base',
  'p50k_base',
  'r50k_base',
]);

/** @throws when the file is missing, as in a bundle without the data files. */
export function readVocabulary(name: string): VocabularyTable {
  return decodeVocabulary(readDeflated(`${name}.deflate`, 1 << 21));
}

/** Unicode 16 classes: 4352 block numbers of two bytes each, then blocks of 256 classes. */
export function readClasses(): Uint8Array {
  return readDeflated('classes.deflate', 1 << 16);
}

export function readEngine(): Uint8Array {
  return readFileSync(data('engine.wasm'));
}

/**
 * Deflate takes a third of brotli's time at start-up, for 3 % more bytes.
 *
 * @param size at least the size of the contents; output in several chunks would take twice the
 * memory
 */
function readDeflated(name: string, size: number): Uint8Array {
  return inflateRawSync(readFileSync(data(name)), { chunkSize: size });
}
