import { createRequire } from 'node:module';
import { encodeVocabulary } from '../../src/tokens/engine/tables.ts';
import { readRankLines, tableOfRanks } from '../../src/tokens/vendor/ranked-vocabulary.ts';

const require = createRequire(import.meta.url);

/** Converts a vocabulary of the tiktoken package to canonical pairs. */
export function buildVocabulary(encoding: string): Uint8Array {
  const { bpe_ranks: ranks } = require(`tiktoken/encoders/${encoding}.json`) as {
    bpe_ranks: string;
  };
  return encodeVocabulary(tableOfRanks(readRankLines(ranks)));
}
