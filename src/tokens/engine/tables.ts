/** Ids 0 to 255 are the single bytes in every vocabulary. */
export const SINGLE_BYTES = 256;
/** Six 32-bit numbers: tokens, their bytes, tokens of each length class, bytes of the long ones. */
const HEADER_BYTES = 24;
export const PLANES = 6;

/** Number of tokens of up to 7, 8 to 15, and more bytes. */
export type TokensByLength = readonly [short: number, medium: number, long: number];

/** A vocabulary as canonical pairs: each token above 255 consists of two tokens of lower rank. */
export interface VocabularyTable extends VocabularyParts {
  /** Total bytes of all tokens. */
  readonly byteCount: number;
  readonly byLength: TokensByLength;
  /** Total bytes of the tokens of 16 bytes and more. */
  readonly longBytes: number;
}

export interface VocabularyParts {
  readonly tokens: number;
  /** Byte of each id from 0 to 255. */
  readonly singleBytes: Uint8Array;
  /**
   * Six planes of `tokens - 256` bytes: low, middle and high bytes of the ids of the first parts,
   * then of the second parts. Planes compress better than interleaved numbers.
   */
  readonly planes: Uint8Array;
  /** Further merges as triples: first part, second part, result. */
  readonly extraPairs?: Uint32Array;
  /** A piece that equals a token is one token even if merging does not produce it. */
  readonly wholePieces?: boolean;
}

/** Pre-tokenizer, numbered as in `assembly/split.ts`. */
export interface Splitter {
  readonly kind: 'cased' | 'plain' | 'gpt2' | 'deepseek';
  readonly maxDigits: 1 | 3;
  readonly contractions: boolean;
  readonly slashTail: boolean;
}

/** @throws {RangeError} when the length does not fit the header. */
export function decodeVocabulary(blob: Uint8Array): VocabularyTable {
  const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
  const tokens = view.getUint32(0, true);
  const expected = HEADER_BYTES + SINGLE_BYTES + PLANES * (tokens - SINGLE_BYTES);
  if (blob.byteLength !== expected) {
    throw new RangeError(`Expected a vocabulary of ${expected} bytes, got ${blob.byteLength}`);
  }
  const header = (word: number) => view.getUint32(4 * word, true);
  return {
    tokens,
    byteCount: header(1),
    byLength: [header(2), header(3), header(4)],
    longBytes: header(5),
    singleBytes: blob.subarray(HEADER_BYTES, HEADER_BYTES + SINGLE_BYTES),
    planes: blob.subarray(HEADER_BYTES + SINGLE_BYTES),
  };
}

export function encodeVocabulary(table: VocabularyTable): Uint8Array {
  const { tokens, byteCount, byLength, longBytes, planes } = table;
  const blob = new Uint8Array(HEADER_BYTES + SINGLE_BYTES + planes.length);
  new Uint32Array(blob.buffer).set([tokens, byteCount, ...byLength, longBytes]);
  blob.set(table.singleBytes, HEADER_BYTES);
  blob.set(planes, HEADER_BYTES + SINGLE_BYTES);
  return blob;
}

/** Precomputes values that take too long to derive from the pairs at start-up. */
export function measured(parts: VocabularyParts): VocabularyTable {
  const byLength: [number, number, number] = [0, 0, 0];
  let byteCount = 0;
  let longBytes = 0;
  for (const length of tokenLengths(parts)) {
    byLength[length < 8 ? 0 : length < 16 ? 1 : 2]++;
    byteCount += length;
    if (length > 15) longBytes += length;
  }
  return { ...parts, byteCount, byLength, longBytes };
}

/** Writes the pair of the `index`-th merged token to the planes. */
export function setPair(planes: Uint8Array, index: number, a: number, b: number): void {
  const length = planes.length / PLANES;
  for (let plane = 0; plane < 3; plane++) {
    planes[plane * length + index] = (a >>> (8 * plane)) & 255;
    planes[(plane + 3) * length + index] = (b >>> (8 * plane)) & 255;
  }
}

/** Each merged token with its two parts, in id order. */
export function forEachPair(
  { planes }: VocabularyParts,
  visit: (a: number, b: number, id: number) => void,
): void {
  const length = planes.length / PLANES;
  const plane = (number: number, index: number) => planes[number * length + index] ?? 0;
  for (let i = 0; i < length; i++) {
    const a = plane(0, i) | (plane(1, i) << 8) | (plane(2, i) << 16);
    const b = plane(3, i) | (plane(4, i) << 8) | (plane(5, i) << 16);
    visit(a, b, SINGLE_BYTES + i);
  }
}

/** Bytes of each token, by id: the concatenation of its parts. */
function tokenLengths(table: VocabularyParts): Uint16Array {
  const lengths = new Uint16Array(table.tokens).fill(1, 0, SINGLE_BYTES);
  forEachPair(table, (a, b, id) => {
    lengths[id] = (lengths[a] ?? 0) + (lengths[b] ?? 0);
  });
  return lengths;
}
