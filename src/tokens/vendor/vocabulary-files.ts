import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { loadEngine } from '../engine/load.ts';
import { packageFile } from '../package-file.ts';
import type { StepKind, TextCounter } from '../text-counter.ts';
import { readTokenizerFile } from './tokenizer-file.ts';
import { VENDOR_VOCABULARIES, type VendorVocabularyName } from './vocabularies.ts';

const paths = new Map<string, string | undefined>();
const broken = new Set<string>();

/** Whether a vocabulary is loaded from a file: a vendor's by name, or any by path. */
export function isFileVocabulary(name: string): boolean {
  return name.endsWith('.json') || isVendorVocabulary(name);
}

function isVendorVocabulary(name: string): name is VendorVocabularyName {
  return Object.hasOwn(VENDOR_VOCABULARIES, name);
}

/** Whether the file exists and has not failed to load. */
export function isAvailable(name: string): boolean {
  return !broken.has(name) && pathOf(name) !== undefined;
}

/**
 * Creates a counter from a vocabulary file. Parsing ten megabytes of JSON takes half a second.
 *
 * @throws when the file is missing or not supported; from then on it counts as unavailable.
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
  if (!isVendorVocabulary(name)) return undefined;
  const vocabulary = VENDOR_VOCABULARIES[name];
  return packageFile(vocabulary.package, vocabulary.file);
}

/** Normalises text to NFC before counting. */
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
