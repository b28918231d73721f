import type * as TiktokenLite from 'tiktoken/lite';
import { nodeRequires } from './package-file.ts';
import type { TextCounter } from './text-counter.ts';

interface Registry {
  readonly pat_str: string;
  readonly special_tokens: Record<string, number>;
  readonly bpe_ranks: string;
}

/**
 * Counts with tiktoken. `encode_ordinary` treats `<|endoftext|>` as plain text; `encode` would
 * throw on it. An encoding takes 22 MB that WebAssembly never releases, so callers reuse it.
 *
 * @throws when tiktoken has no encoding of that name.
 */
export function loadTiktokenCounter(encoding: string): TextCounter {
  const require = nodeRequires().at(-1) as NodeJS.Require;
  const { Tiktoken } = require('tiktoken/lite') as typeof TiktokenLite;
  const data = require(`tiktoken/encoders/${encoding}.json`) as Registry;
  const tiktoken = new Tiktoken(data.bpe_ranks, data.special_tokens, data.pat_str);
  const count = (text: string) => tiktoken.encode_ordinary(text).length;
  return {
    count,
    // tiktoken cannot be interrupted.
    *countInSteps(text) {
      yield 'long';
      return count(text);
    },
  };
}
