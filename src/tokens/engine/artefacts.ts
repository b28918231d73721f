import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';
import { decodeVocabulary, type VocabularyTable } from './tables.ts';

/**
 * Beside this file in the sources and in the built package alike. Asked for only when needed: a bundle
 * for CommonJS has no `import.meta.url`, and must still load.
 */
const data = (name: string): URL => new URL(`./data/${name}`, import.meta.url);

/** The vocabularies this package brings. */
export const BUILT_IN: ReadonlySet<string> = new Set([
  'o200k_base',
  'cl100k_base',
  'p50k_base',
  'r50k_base',
]);

/** @throws when the file is not there: a bundle that left the data behind. */
export function readVocabulary(name: string): VocabularyTable {
  return decodeVocabulary(readDeflated(`${name}.deflate`, 1 << 21));
}

/** Unicode 16 classes: 4352 block numbers of two bytes, then blocks of 256 classes. */
export function readClasses(): Uint8Array {
  return readDeflated('classes.deflate', 1 << 16);
}

export function readEngine(): Uint8Array {
  return readFileSync(data('engine.wasm'));
}

/**
 * Deflate is a third of brotli's time at the start for 3 % more bytes.
 *
 * @param size at least that of the contents: in pieces they would take twice the memory
 */
function readDeflated(name: string, size: number): Uint8Array {
  return inflateRawSync(readFileSync(data(name)), { chunkSize: size });
}
