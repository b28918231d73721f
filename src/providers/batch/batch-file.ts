import { quietly } from '../../host/quietly.ts';
import type { ReplySink } from '../../call/reply-sink.ts';
import { workInSlices } from '../../call/sliced-work.ts';

/** Longest line; a result with images may be long. A file with a longer one holds no results. */
const MAX_LINE = 64 * 1024 * 1024;

/**
 * The lines of a file of results, as its reader gets them: whole or piece by piece. They are read after
 * the reader has them. Files of any other kind are left alone at their first line.
 */
export class BatchFile implements ReplySink {
  readonly #onLine: (line: unknown) => boolean;
  readonly #decoder = new TextDecoder();
  /** Pieces that were not split into lines yet. */
  #pieces: string[] = [];
  #line = '';
  #isWorking = false;
  #hasResults = false;
  ended = false;

  /** `onLine` says whether a line is a result. */
  constructor(onLine: (line: unknown) => boolean) {
    this.#onLine = onLine;
  }

  arrived(): void {}

  reading(): void {}

  failed(): void {
    this.ended = true;
  }

  event(piece: unknown): void {
    if (this.ended) return;
    quietly('reading a batch', () => {
      this.#add(
        typeof piece === 'string'
          ? piece
          : this.#decoder.decode(piece as Uint8Array, { stream: true }),
      );
    });
  }

  /** A line that was cut is no result; the last one may have no line break. */
  streamEnded(done = false): void {
    if (this.ended) return;
    this.ended = true;
    if (done) this.#add('\n');
  }

  /** `response.json()`, which only a file of one line lets through. */
  complete(line: unknown): void {
    if (this.ended) return;
    this.ended = true;
    this.#add(`${JSON.stringify(line)}\n`);
  }

  #add(piece: string): void {
    this.#pieces.push(piece);
    if (this.#isWorking) return;
    this.#isWorking = true;
    workInSlices(this.#steps());
  }

  *#steps(): Generator<void> {
    try {
      for (let piece = this.#pieces.shift(); piece !== undefined; piece = this.#pieces.shift()) {
        let from = 0;
        for (let at = piece.indexOf('\n'); at >= 0; at = piece.indexOf('\n', from)) {
          const line = this.#line + piece.slice(from, at);
          this.#line = '';
          from = at + 1;
          if (this.#isResult(line)) this.#hasResults = true;
          else if (!this.#hasResults && line.trim() !== '') return this.#giveUp();
          yield;
        }
        this.#line += piece.slice(from);
        const isOther = !this.#hasResults && isNoJson(this.#line);
        if (isOther || this.#line.length > MAX_LINE) return this.#giveUp();
        yield;
      }
    } finally {
      this.#isWorking = false;
    }
  }

  /** A line that cannot be read takes no other along. */
  #isResult(line: string): boolean {
    if (line.trim() === '') return false;
    return quietly('reading a batch result', () => this.#onLine(JSON.parse(line))) ?? false;
  }

  #giveUp(): void {
    this.ended = true;
    this.#pieces = [];
    this.#line = '';
  }
}

/** Asked before a line is whole: other files may have none for megabytes. */
function isNoJson(line: string): boolean {
  return /^\s*[^\s{]/.test(line);
}
