import { EventStream, isEventStream } from './event-stream.ts';
import { quietly } from '../host/quietly.ts';
import type { ReplySink } from './reply-sink.ts';

/** Takes a reply in pieces, or whole. A `ChatCall` is one. */
export interface WholeSink extends ReplySink {
  complete(reply: unknown): void;
}

/**
 * Makes events of the bytes of a raw body, or one reply of all of it when it is no event stream. Of a body
 * that is no text, such as audio, nothing is kept.
 */
export class RawBody implements ReplySink {
  readonly #call: WholeSink;
  readonly #decoder = new TextDecoder();
  readonly #events: EventStream;
  /** Everything so far, until it is known to be an event stream. */
  #text = '';
  #isEventStream: boolean | undefined;
  /** Known from its first bytes. */
  #isOpaque: boolean | undefined;
  /** Read to its end as one reply, which may say that the provider works on. */
  #isWhole = false;

  constructor(call: WholeSink) {
    this.#call = call;
    this.#events = new EventStream((data) => call.event(data));
  }

  get ended(): boolean {
    return this.#isWhole || this.#call.ended;
  }

  arrived(handle: object): void {
    this.#call.arrived(handle);
  }

  reading(handle?: object): void {
    this.#call.reading(handle);
  }

  event(piece: unknown): void {
    if (this.#call.ended) return;
    quietly('reading a response body', () => {
      this.#isOpaque ??= isOpaque(piece);
      if (this.#isOpaque) this.#call.event(undefined);
      else {
        this.#add(
          typeof piece === 'string'
            ? piece
            : this.#decoder.decode(piece as Uint8Array, { stream: true }),
        );
      }
    });
  }

  streamEnded(done = false): void {
    if (this.ended) return;
    quietly('reading a response body', () => {
      if (this.#isEventStream === true) this.#events.end();
      else if (done) {
        this.#call.complete(parsed(this.#text));
        this.#isWhole = true;
      }
    });
    if (!this.#isWhole) this.#call.streamEnded(done);
  }

  failed(error: unknown): void {
    if (!this.#isWhole) this.#call.failed(error);
  }

  #add(text: string): void {
    if (this.#isEventStream === true) {
      this.#events.add(text);
      return;
    }
    this.#text += text;
    this.#isEventStream ??= isEventStream(this.#text);
    if (this.#isEventStream !== true) return;
    this.#events.add(this.#text);
    this.#text = '';
  }
}

/** Bytes that are looked at. */
const START_BYTES = 32;

/** Undefined for a piece without any bytes. */
function isOpaque(piece: unknown): boolean | undefined {
  if (typeof piece === 'string') return piece === '' ? undefined : false;
  const bytes = ArrayBuffer.isView(piece)
    ? new Uint8Array(piece.buffer, piece.byteOffset, piece.byteLength)
    : new Uint8Array(piece as ArrayBuffer);
  if (bytes.length === 0) return undefined;
  // Neither a control character but white space nor what is no UTF-8 begins a JSON or an event.
  const start = new TextDecoder().decode(bytes.subarray(0, START_BYTES));
  // oxlint-disable-next-line no-control-regex -- control characters are what it is about
  return !/^[\s\u{FEFF}]*(?:[{["\w:-]|$)/u.test(start) || /[\0-\x08\x0E-\x1F]/.test(start);
}

/** What is no JSON gives nothing; that it came whole is known all the same. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
