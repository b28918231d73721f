import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';
import { decodeVocabulary, type VocabularyTable } from './tables.ts';

/** Beside this file in the sources and in the built package alike. */
const DATA = new URL('./data/', import.meta.url);

/** The vocabularies this package brings. */
export const BUILT_IN: ReadonlySet<string> = new Set([
  'o200k_base',
  'cl100k_base',
  'p50k_base',
  'r50k_base',
]);

/** @throws when the file is not there: a bundle that left the data behind. */
export function readVocabulary(name: string): VocabularyTable {
  return decodeVocabulary(readBrotli(`${name}.br`));
}

/** Unicode 16 classes: 4352 block numbers of two bytes, then blocks of 256 classes. */
export function readClasses(): Uint8Array {
  return readBrotli('classes.br');
}

export function readEngine(): Uint8Array {
  return readFileSync(new URL('engine.wasm', DATA));
}

function readBrotli(name: string): Uint8Array {
  return brotliDecompressSync(readFileSync(new URL(name, DATA)));
}
