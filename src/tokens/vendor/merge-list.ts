import { measured, PLANES, setPair, SINGLE_BYTES, type VocabularyTable } from '../engine/tables.ts';
import { BYTE_OF_CHARACTER } from './byte-alphabet.ts';

/** Two parts, as a pair or as one string with a space between them. */
export type Merge = string | readonly [string, string];

/**
 * Builds a table from a list of merges in rank order. Ids differ from the vendor's: the single
 * bytes come first, then each merged token in the order of its first merge.
 *
 * @throws when the list is not byte-level, or when two merges into the same token are not adjacent
 * in rank: the engine supports one rank per token.
 */
export function tableOfMerges(merges: readonly Merge[]): VocabularyTable {
  const pairs = merges.map(partsOf);
  const ids = new Map<string, number>();
  for (const [character, byte] of BYTE_OF_CHARACTER) ids.set(character, byte);
  let last = -1;
  for (const [a, b] of pairs) {
    const known = ids.get(a + b);
    if (known === undefined) ids.set(a + b, (last = ids.size));
    else if (known !== last) throw new Error('its merges are not in the order of their tokens');
  }
  const merged = ids.size - SINGLE_BYTES;
  const planes = new Uint8Array(PLANES * merged);
  const placed = new Uint8Array(merged);
  const extra: number[] = [];
  for (const [a, b] of pairs) {
    const [first, second, id] = [idOf(ids, a), idOf(ids, b), idOf(ids, a + b)];
    // A token's bytes are concatenated from parts that are already placed.
    if (placed[id - SINGLE_BYTES] === 0 && first < id && second < id) {
      placed[id - SINGLE_BYTES] = 1;
      setPair(planes, id - SINGLE_BYTES, first, second);
    } else {
      extra.push(first, second, id);
    }
  }
  if (placed.includes(0)) throw new Error('a token of it is merged from later ones only');
  return measured({
    tokens: ids.size,
    singleBytes: Uint8Array.from({ length: SINGLE_BYTES }, (_, byte) => byte),
    planes,
    extraPairs: Uint32Array.from(extra),
  });
}

function partsOf(merge: Merge): readonly [string, string] {
  if (typeof merge !== 'string') return merge;
  const space = merge.indexOf(' ');
  return [merge.slice(0, space), merge.slice(space + 1)];
}

function idOf(ids: ReadonlyMap<string, number>, token: string): number {
  const id = ids.get(token);
  if (id === undefined) throw new Error('it is not a byte-level vocabulary');
  return id;
}
