import type { StepKind, TextCounter } from '../../text-counter.ts';
import { forEachPair, type Splitter, type VocabularyTable } from '../tables.ts';
import { CharacterClasses } from './classes.ts';
import { mergedCount } from './merge.ts';
import { Merges } from './merges.ts';
import { PieceCounts } from './piece-counts.ts';
import { createSplitter, type NextPiece } from './split.ts';

/** Characters per step. */
const STEP = 4096;
/** Longer pieces are counted in segments, as in the compiled engine. */
const MAX_PIECE_BYTES = 2 << 20;

const encoder = new TextEncoder();

/**
 * The engine in plain TypeScript, for hosts without WebAssembly and as the reference in tests of
 * the compiled engine. It has no optimisations: no table of token bytes and no cutting of pieces.
 */
export class PlainEngine implements TextCounter {
  readonly #nextPiece: NextPiece;
  readonly #merges: Merges;
  readonly #pieces: PieceCounts = new PieceCounts();
  readonly #short: Uint8Array = new Uint8Array(256);
  /** Tokens that merging does not produce, as latin1. As a whole piece each is one token. */
  readonly #unreached: ReadonlySet<string>;

  constructor(classes: Uint8Array, splitter: Splitter, table: VocabularyTable) {
    this.#nextPiece = createSplitter(new CharacterClasses(classes), splitter);
    this.#merges = new Merges(table);
    this.#unreached = table.wholePieces === true ? unreachedOf(table, this.#merges) : new Set();
  }

  count(text: string): number {
    let tokens = 0;
    for (let p = 0; p < text.length;) {
      const end = this.#nextPiece(text, p);
      tokens += this.#countPiece(text.slice(p, end));
      p = end;
    }
    return tokens;
  }

  *countInSteps(text: string): Generator<StepKind, number> {
    let tokens = 0;
    let pause = STEP;
    for (let p = 0; p < text.length;) {
      const end = this.#nextPiece(text, p);
      if (end - p > STEP) yield 'long';
      tokens += this.#countPiece(text.slice(p, end));
      p = end;
      if (p > pause) {
        yield 'step';
        pause = p + STEP;
      }
    }
    return tokens;
  }

  #countPiece(piece: string): number {
    if (piece.length * 3 > this.#short.length) return this.#countLong(encoder.encode(piece));
    const { written } = encoder.encodeInto(piece, this.#short);
    if (written === 1) return 1;
    return this.#pieces.of(this.#short.subarray(0, written), this.#merge);
  }

  readonly #merge = (bytes: Uint8Array): number => {
    if (this.#unreached.size > 0 && this.#unreached.has(latin1(bytes))) return 1;
    return mergedCount(bytes, this.#merges);
  };

  #countLong(bytes: Uint8Array): number {
    let tokens = 0;
    for (let at = 0; at < bytes.length; at += MAX_PIECE_BYTES) {
      tokens += this.#merge(bytes.subarray(at, at + MAX_PIECE_BYTES));
    }
    return tokens;
  }
}

/** Tokens that merging their own bytes does not produce. */
export function unreachedOf(table: VocabularyTable, merges: Merges): Set<string> {
  const tokens = Array.from(table.singleBytes, (byte) => Buffer.of(byte));
  const unreached = new Set<string>();
  forEachPair(table, (a, b, id) => {
    const token = Buffer.concat([tokens[a] ?? Buffer.alloc(0), tokens[b] ?? Buffer.alloc(0)]);
    tokens[id] = token;
    if (mergedCount(token, merges) !== 1) unreached.add(latin1(token));
  });
  return unreached;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
