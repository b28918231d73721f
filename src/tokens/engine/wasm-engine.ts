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

/** UTF-16 units per step: less than a millisecond of work for ordinary text. */
const CHUNK = 8192;
/**
 * A single piece (a run of letters, spaces …) longer than this is counted in segments to bound
 * memory. Each boundary may add a token or two.
 */
const MAX_PIECE_BYTES = 2 << 20;
/** The same when memory is short. */
const SMALL_PIECE_BYTES = 64 << 10;
/** Memory beyond the tables that is kept for the next large text. */
const KEPT_BYTES = 4 << 20;

/** The WebAssembly engine with the tables of one vocabulary. */
export class WasmEngine implements TextCounter {
  readonly #parts: EngineParts;
  readonly #sizes: TableSizes;
  readonly #baseBytes: number;
  #engine: EngineExports;
  /** Input buffer of the engine: UTF-16, which V8 copies without conversion. */
  #units = Buffer.alloc(0);

  constructor(parts: EngineParts, table: VocabularyTable) {
    this.#parts = parts;
    this.#sizes = sizesOf(table);
    this.#engine = buildInstance(parts, table);
    this.#baseBytes = this.#engine.memory.buffer.byteLength;
  }

  count(text: string): number {
    try {
      return this.#countAll(text, MAX_PIECE_BYTES);
    } catch {
      // The host refused to allocate memory for a long piece.
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
      this.#write(text);
      this.#engine.count(text.length, 1, maxPiece);
      return this.#engine.takeTotal();
    }
    const scan = new TextScan(text);
    while (!scan.done) this.#advance(scan, maxPiece);
    this.#giveBack();
    return scan.tokens;
  }

  *#steps(text: string, maxPiece: number): Generator<StepKind, number> {
    const scan = new TextScan(text);
    while (!scan.done) {
      this.#advance(scan, maxPiece);
      if (!scan.done) yield scan.carried > CHUNK ? 'long' : 'step';
    }
    this.#giveBack();
    return scan.tokens;
  }

  /** Counts the next chunk, up to the last piece that more text could still change. */
  #advance(scan: TextScan, maxPiece: number): void {
    const chunk = scan.nextChunk();
    this.#write(chunk);
    const counted = this.#engine.count(chunk.length, Number(scan.isLast(chunk)), maxPiece);
    scan.take(chunk, counted, this.#engine.takeTotal());
  }

  /** Growing the memory detaches the old view. */
  #write(text: string): void {
    if (this.#units.length < 2 * text.length || this.#units.length === 0) {
      const capacity = Math.max(text.length, CHUNK + 1);
      const at = this.#engine.openText(capacity);
      this.#units = Buffer.from(this.#engine.memory.buffer, at, 2 * capacity);
    }
    this.#units.write(text, 0, 'utf16le');
  }

  #giveBack(): void {
    if (this.#engine.memory.buffer.byteLength > this.#baseBytes + KEPT_BYTES) this.#renew();
  }

  #renew(): void {
    this.#engine = renewInstance(this.#parts, this.#sizes, this.#engine);
    this.#units = Buffer.alloc(0);
  }
}

/** Position up to which a long text has been counted. */
class TextScan {
  readonly #text: string;
  #at = 0;
  tokens = 0;
  /** Units of the last chunk that are not counted yet. */
  carried = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get done(): boolean {
    return this.#at === this.#text.length;
  }

  isLast(chunk: string): boolean {
    return this.#at + chunk.length === this.#text.length;
  }

  /**
   * Never splits a surrogate pair. Grows with a long piece, so that each unit is scanned O(1)
   * times.
   */
  nextChunk(): string {
    let end = Math.min(this.#at + this.carried + Math.max(CHUNK, this.carried), this.#text.length);
    if (isSurrogatePair(this.#text, end - 1)) end++;
    return this.#text.slice(this.#at, end);
  }

  take(chunk: string, counted: number, tokens: number): void {
    this.#at += counted;
    this.carried = chunk.length - counted;
    this.tokens += tokens;
  }
}

/** A high surrogate may also be lone, even before a pair. */
function isSurrogatePair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff;
}
