import { NONE, type Merges } from './merges.ts';
import { MinHeap } from './min-heap.ts';

/** Up to this number of parts a linear scan is faster than a heap. */
const ARRAY_UP_TO = 32;
/** A heap entry is rank × POSITIONS + position, exact in a double. */
const POSITIONS = 2 ** 32;

/** Number of tokens after merging `bytes`: lowest rank first, equal ranks from left to right. */
export function mergedCount(bytes: Uint8Array, merges: Merges): number {
  if (bytes.length === 0) return 0;
  return bytes.length <= ARRAY_UP_TO ? mergeArray(bytes, merges) : mergeHeap(bytes, merges);
}

const ids = new Uint32Array(ARRAY_UP_TO);
const ranks = new Uint32Array(ARRAY_UP_TO);

function mergeArray(bytes: Uint8Array, merges: Merges): number {
  let last = bytes.length - 1;
  for (let i = 0; i <= last; i++) ids[i] = merges.byteIds[bytes[i] ?? 0] ?? 0;
  for (let i = 0; i < last; i++) ranks[i] = merges.of(ids[i] ?? 0, ids[i + 1] ?? 0);
  while (last > 0) {
    let best = NONE;
    let where = 0;
    for (let i = 0; i < last; i++) {
      const rank = ranks[i] ?? NONE;
      if (rank < best) {
        best = rank;
        where = i;
      }
    }
    if (best === NONE) break;
    ids.copyWithin(where + 1, where + 2, last + 1);
    ranks.copyWithin(where + 1, where + 2, last);
    ids[where] = best;
    last--;
    if (where < last) ranks[where] = merges.of(best, ids[where + 1] ?? 0);
    if (where > 0) ranks[where - 1] = merges.of(ids[where - 1] ?? 0, best);
  }
  return last + 1;
}

/** O(n log n). A heap entry is stale when its rank is no longer the rank of its position. */
function mergeHeap(bytes: Uint8Array, merges: Merges): number {
  const n = bytes.length;
  const id = Uint32Array.from(bytes, (byte) => merges.byteIds[byte] ?? 0);
  const rank = new Uint32Array(n).fill(NONE);
  const next = Int32Array.from(id, (_, i) => (i + 1 < n ? i + 1 : -1));
  const previous = Int32Array.from(id, (_, i) => i - 1);
  const heap = new MinHeap(2 * n);

  const look = (at: number) => {
    const following = next[at] ?? -1;
    const found = following < 0 ? NONE : merges.of(id[at] ?? 0, id[following] ?? 0);
    rank[at] = found;
    if (found !== NONE) heap.push(found * POSITIONS + at);
  };

  for (let i = 0; i < n; i++) look(i);
  let left = n;
  while (heap.size > 0) {
    const entry = heap.pop();
    const at = entry % POSITIONS;
    const merged = Math.floor(entry / POSITIONS);
    if (rank[at] !== merged) continue;
    const gone = next[at] ?? -1;
    const following = next[gone] ?? -1;
    left--;
    rank[gone] = NONE;
    id[at] = merged;
    next[at] = following;
    if (following >= 0) previous[following] = at;
    look(at);
    const preceding = previous[at] ?? -1;
    if (preceding >= 0) look(preceding);
  }
  return left;
}
