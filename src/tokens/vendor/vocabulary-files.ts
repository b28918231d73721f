import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEngine } from '../engine/load.ts';
import { packageFile } from '../package-file.ts';
import type { StepKind, TextCounter } from '../text-counter.ts';
import { readTokenizerFile } from './tokenizer-file.ts';
import { VENDOR_VOCABULARIES } from './vocabularies.ts';

const paths = new Map<string, string | undefined>();
const broken = new Set<string>();

/** Whether a vocabulary is a file: a vendor's, by its name, or any, by its path. */
export function isFileVocabulary(name: string): boolean {
  return name.endsWith('.json') || Object.hasOwn(VENDOR_VOCABULARIES, name);
}

/** Whether it is there to be loaded, as far as is known without loading it. */
export function isAvailable(name: string): boolean {
  return !broken.has(name) && pathOf(name) !== undefined;
}

/**
 * A counter for the vocabulary in a file. Reading ten megabytes of JSON takes half a second.
 *
 * @throws when it is not there or cannot be read right; from then on it is not available.
 */
export function loadFileVocabulary(name: string): TextCounter {
  try {
    const path = pathOf(name);
    if (path === undefined) throw new Error(`there is no ${name}`);
    const { splitter, table, nfc } = readTokenizerFile(readFileSync(path, 'utf8'));
    const engine = loadEngine(splitter, table);
    return nfc ? new NormalizingCounter(engine) : engine;
  } catch (error) {
    broken.add(name);
    throw error;
  }
}

function pathOf(name: string): string | undefined {
  if (!paths.has(name)) paths.set(name, findFile(name));
  return paths.get(name);
}

function findFile(name: string): string | undefined {
  if (name.endsWith('.json')) return existsSync(name) ? resolve(name) : undefined;
  const vocabulary = VENDOR_VOCABULARIES[name];
  if (vocabulary === undefined) return undefined;
  return packageFile(vocabulary.package, vocabulary.file);
}

/** Brings a text into normal form C first. */
class NormalizingCounter implements TextCounter {
  readonly #inner: TextCounter;

  constructor(inner: TextCounter) {
    this.#inner = inner;
  }

  count(text: string): number {
    return this.#inner.count(text.normalize('NFC'));
  }

  *countInSteps(text: string): Generator<StepKind, number> {
    return yield* this.#inner.countInSteps(text.normalize('NFC'));
  }
}
