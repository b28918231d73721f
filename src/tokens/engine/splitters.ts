import type { Splitter } from './tables.ts';

/** Pre-tokenizer of each built-in vocabulary, a hand-written equivalent of tiktoken's `pat_str`. */
export const SPLITTERS: Readonly<Record<string, Splitter>> = {
  o200k_base: { kind: 'cased', maxDigits: 3, contractions: true, slashTail: true },
  cl100k_base: { kind: 'plain', maxDigits: 3, contractions: true, slashTail: false },
  p50k_base: { kind: 'gpt2', maxDigits: 3, contractions: true, slashTail: false },
  r50k_base: { kind: 'gpt2', maxDigits: 3, contractions: true, slashTail: false },
};
