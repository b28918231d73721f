import { readVocabulary } from '../../src/tokens/engine/artefacts.ts';
import { forEachPair } from '../../src/tokens/engine/tables.ts';
import { BYTE_OF_CHARACTER } from '../../src/tokens/vendor/byte-alphabet.ts';

export const LLAMA_PATTERN = String.raw`(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

export const OSS_PATTERN = String.raw`[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+`;

export interface TokenizerFile {
  normalizer: unknown;
  pre_tokenizer: { type: string; pretokenizers: unknown[] };
  model: Record<string, unknown>;
}

const mergesByEncoding = new Map<string, readonly string[]>();

function mergesOf(encoding: string): readonly string[] {
  const known = mergesByEncoding.get(encoding);
  if (known !== undefined) return known;
  const characters = new Map([...BYTE_OF_CHARACTER].map(([character, byte]) => [byte, character]));
  const table = readVocabulary(encoding);
  const tokens = Array.from(table.singleBytes, (byte) => characters.get(byte) ?? '');
  const merges: string[] = [];
  forEachPair(table, (a, b, id) => {
    tokens[id] = `${tokens[a]}${tokens[b]}`;
    merges.push(`${tokens[a]} ${tokens[b]}`);
  });
  mergesByEncoding.set(encoding, merges);
  return merges;
}

/** A built-in vocabulary in Hugging Face format, so that tiktoken can serve as the oracle. */
export function tokenizerFile(encoding: string, pattern: string): TokenizerFile {
  return {
    normalizer: null,
    pre_tokenizer: {
      type: 'Sequence',
      pretokenizers: [
        { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
        { type: 'ByteLevel', add_prefix_space: false, use_regex: false },
      ],
    },
    model: { type: 'BPE', ignore_merges: true, merges: mergesOf(encoding) },
  };
}

/** The same in Mistral's format. */
export function tekkenFile(encoding: string, pattern: string): object {
  const table = readVocabulary(encoding);
  const tokens: Buffer[] = Array.from(table.singleBytes, (byte) => Buffer.of(byte));
  forEachPair(table, (a, b, id) => {
    tokens[id] = Buffer.concat([tokens[a] ?? Buffer.alloc(0), tokens[b] ?? Buffer.alloc(0)]);
  });
  const vocab = tokens.map((token, rank) => ({ rank, token_bytes: token.toString('base64') }));
  // Ranks beyond the size are not used by the model.
  vocab.push({
    rank: vocab.length,
    token_bytes: Buffer.from('unused and long').toString('base64'),
  });
  return {
    config: {
      pattern,
      default_vocab_size: tokens.length + 1000,
      default_num_special_tokens: 1000,
    },
    vocab,
  };
}
