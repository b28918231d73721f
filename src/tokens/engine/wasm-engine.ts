import type { StepKind, TextCounter } from '../text-counter.ts';
import type { VocabularyTable } from './tables.ts';
import type { EngineExports } from './wasm-exports.ts';
import {
  buildInstance,
  renewInstance,
  sizesOf,
  type EngineParts,
  type TableSizes,
} from './wasm-instance.ts';

/** Characters a step takes: under a millisecond of work for any ordinary text. */
const CHUNK = 8192;
const MAX_UTF8 = 3;
/**
 * A single piece (a run of letters, spaces …) of more bytes than this is counted in segments, to
 * bound the memory; each seam may cost a token or two.
 */
const MAX_PIECE_BYTES = 2 << 20;
/** The same where memory is short. */
const SMALL_PIECE_BYTES = 64 << 10;
/** Memory above that of the tables that is kept for the next large text. */
const KEPT_BYTES = 4 << 20;

const encoder = new TextEncoder();

/** The compiled engine with the tables of one vocabulary. */
export class WasmEngine implements TextCounter {
  readonly #parts: EngineParts;
  readonly #sizes: TableSizes;
  readonly #baseBytes: number;
  #engine: EngineExports;
  #view = new Uint8Array(0);
  #input = 0;

  constructor(parts: EngineParts, table: VocabularyTable) {
    this.#parts = parts;
    this.#sizes = sizesOf(table);
    this.#engine = buildInstance(parts, this.#sizes, table);
    this.#baseBytes = this.#engine.memory.buffer.byteLength;
  }

  count(text: string): number {
    try {
      return this.#countAll(text, MAX_PIECE_BYTES);
    } catch {
      // The host refused the memory for a long piece.
      this.#renew();
      return this.#countAll(text, SMALL_PIECE_BYTES);
    }
  }

  *countInSteps(text: string): Generator<StepKind, number> {
    try {
      return yield* this.#steps(text, MAX_PIECE_BYTES);
    } catch {
      this.#renew();
      return yield* this.#steps(text, SMALL_PIECE_BYTES);
    }
  }

  #countAll(text: string, maxPiece: number): number {
    if (text.length <= CHUNK) {
      this.#openView(text.length * MAX_UTF8);
      const { written } = encoder.encodeInto(text, this.#view);
      this.#engine.count(this.#input, this.#input + written, 1);
      return this.#engine.takeTotal();
    }
    const scan = new TextScan(text, maxPiece);
    while (!scan.done) this.#advance(scan);
    this.#giveBack();
    return scan.tokens;
  }

  *#steps(text: string, maxPiece: number): Generator<StepKind, number> {
    const scan = new TextScan(text, maxPiece);
    while (!scan.done) {
      this.#advance(scan);
      if (scan.done) break;
      // Whoever counts between two steps uses the same memory.
      const carried = this.#view.slice(0, scan.carry);
      yield scan.carry > CHUNK ? 'long' : 'step';
      this.#openView(scan.carry);
      this.#view.set(carried);
    }
    this.#giveBack();
    return scan.tokens;
  }

  /** Counts the next chunk up to the last piece that more text could still change. */
  #advance(scan: TextScan): void {
    const chunk = scan.nextChunk();
    this.#openView(scan.carry + chunk.length * MAX_UTF8);
    const { written } = encoder.encodeInto(chunk, this.#view.subarray(scan.carry));
    const end = scan.carry + written;
    const final = scan.done || end > scan.maxPiece;
    const stopped = this.#engine.count(this.#input, this.#input + end, Number(final)) - this.#input;
    scan.tokens += this.#engine.takeTotal();
    scan.carry = end - stopped;
    this.#openView(end);
    if (scan.carry > 0) this.#view.copyWithin(0, stopped, end);
  }

  /** A view of at least `bytes` bytes on the text area; a grown memory invalidates the old one. */
  #openView(bytes: number): void {
    if (this.#view.length >= bytes && this.#view.length > 0) return;
    const wanted = Math.max(bytes, CHUNK * MAX_UTF8);
    this.#input = this.#engine.openInput(wanted);
    this.#view = new Uint8Array(this.#engine.memory.buffer, this.#input, wanted);
  }

  #giveBack(): void {
    if (this.#engine.memory.buffer.byteLength > this.#baseBytes + KEPT_BYTES) this.#renew();
  }

  #renew(): void {
    this.#engine = renewInstance(this.#parts, this.#sizes, this.#engine);
    this.#view = new Uint8Array(0);
  }
}

/** How far a long text has been counted. */
class TextScan {
  readonly #text: string;
  readonly maxPiece: number;
  #at = 0;
  tokens = 0;
  /** Bytes at the start of the text area that wait for more text. */
  carry = 0;

  constructor(text: string, maxPiece: number) {
    this.#text = text;
    this.maxPiece = maxPiece;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  /** Never parts a surrogate pair; grows with a long piece, so that its bytes are seen O(1) times. */
  nextChunk(): string {
    let end = Math.min(this.#at + Math.max(CHUNK, this.carry), this.#text.length);
    if (isSurrogatePair(this.#text, end - 1)) end++;
    const chunk = this.#text.slice(this.#at, end);
    this.#at = end;
    return chunk;
  }
}

/** A high surrogate may also stand alone, even before a pair. */
function isSurrogatePair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
