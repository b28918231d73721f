import { createRequire } from 'node:module';
import { encodeVocabulary, PLANES, setPair, SINGLE_BYTES } from '../../src/tokens/engine/tables.ts';

const require = createRequire(import.meta.url);

/** The vocabulary of tiktoken's package as canonical pairs. Byte strings are kept as latin1. */
export function buildVocabulary(encoding: string): Uint8Array {
  const tokens = readRanks(encoding);
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merged = tokens.slice(SINGLE_BYTES);
  const planes = new Uint8Array(PLANES * merged.length);
  merged.forEach((token, index) => {
    const [a, b] = canonicalPair(token, ids);
    setPair(planes, index, a, b);
  });
  return encodeVocabulary({
    tokens: tokens.length,
    byteCount: tokens.reduce((sum, token) => sum + token.length, 0),
    singleBytes: Buffer.from(tokens.slice(0, SINGLE_BYTES).join(''), 'latin1'),
    planes,
  });
}

/** In the order of their ranks; holes (special tokens) are closed, only the order matters. */
function readRanks(encoding: string): string[] {
  const { bpe_ranks: ranks } = require(`tiktoken/encoders/${encoding}.json`) as {
    bpe_ranks: string;
  };
  const byRank: string[] = [];
  for (const line of ranks.split('\n')) {
    const [, first, ...tokens] = line.split(' ');
    tokens.forEach((token, i) => {
      byRank[Number(first) + i] = Buffer.from(token, 'base64').toString('latin1');
    });
  }
  return byRank.filter((token) => token !== undefined);
}

/** The two parts left when the token's bytes are merged by lower ranks alone. */
function canonicalPair(token: string, ids: ReadonlyMap<string, number>): [number, number] {
  const rank = ids.get(token) ?? 0;
  const parts = token.split('');
  while (parts.length > 2) {
    let best = rank;
    let where = -1;
    for (let i = 0; i + 1 < parts.length; i++) {
      const id = ids.get(`${parts[i]}${parts[i + 1]}`);
      if (id !== undefined && id < best) {
        best = id;
        where = i;
      }
    }
    if (where < 0) throw new Error(`Token ${rank} has no canonical pair`);
    parts.splice(where, 2, `${parts[where]}${parts[where + 1]}`);
  }
  return [ids.get(parts[0] ?? '') ?? 0, ids.get(parts[1] ?? '') ?? 0];
}
