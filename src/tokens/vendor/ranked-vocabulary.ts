import { measured, PLANES, setPair, SINGLE_BYTES, type VocabularyTable } from '../engine/tables.ts';

/**
 * Builds a table from byte strings in rank order, given as latin1. The first 256 are the single
 * bytes.
 *
 * @throws when a token cannot be reached by merging lower ranks.
 */
export function tableOfRanks(tokens: readonly string[]): VocabularyTable {
  const ids = new Map(tokens.map((token, id) => [token, id]));
  const merged = tokens.slice(SINGLE_BYTES);
  const planes = new Uint8Array(PLANES * merged.length);
  merged.forEach((token, index) => {
    const [a, b] = canonicalPair(token, ids);
    setPair(planes, index, a, b);
  });
  return measured({
    tokens: tokens.length,
    singleBytes: Buffer.from(tokens.slice(0, SINGLE_BYTES).join(''), 'latin1'),
    planes,
  });
}

/** tiktoken's compact format: each line has a marker, the first rank, then tokens in base64. */
export function readRankLines(ranks: string): string[] {
  const byRank: string[] = [];
  for (const line of ranks.split('\n')) {
    const [, first, ...tokens] = line.split(' ');
    tokens.forEach((token, i) => {
      byRank[Number(first) + i] = Buffer.from(token, 'base64').toString('latin1');
    });
  }
  // Gaps (special tokens) are removed: only the order matters.
  return byRank.filter((token) => token !== undefined);
}

/** The two parts that remain when the token's bytes are merged with lower ranks only. */
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
