import type { ChatCall } from './chat-call.ts';
import { quietly } from '../host/quietly.ts';
import type { ReplySink } from './reply-sink.ts';

/**
 * Makes events of the bytes of a raw body: one a `data:` line of an event stream, or the whole reply
 * when the last byte of anything else has been read.
 */
export class RawBody implements ReplySink {
  readonly #call: ChatCall;
  readonly #decoder = new TextDecoder();
  /** Of an event stream the unfinished line, else everything so far. */
  #text = '';
  #isEventStream: boolean | undefined;
  /** Read to its end as one reply, which may say that the provider works on. */
  #isWhole = false;

  constructor(call: ChatCall) {
    this.#call = call;
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
      this.#text +=
        typeof piece === 'string'
          ? piece
          : this.#decoder.decode(piece as Uint8Array, { stream: true });
      this.#isEventStream ??= looksLikeEvents(this.#text);
      if (this.#isEventStream) this.#takeLines();
    });
  }

  streamEnded(done = false): void {
    if (this.ended) return;
    quietly('reading a response body', () => {
      if (this.#isEventStream === true) {
        this.#text += '\n';
        this.#takeLines();
      } else if (done) {
        this.#call.complete(parsed(this.#text));
        this.#isWhole = true;
      }
    });
    if (!this.#isWhole) this.#call.streamEnded(done);
  }

  failed(error: unknown): void {
    if (!this.#isWhole) this.#call.failed(error);
  }

  #takeLines(): void {
    const lines = this.#text.split('\n');
    this.#text = lines.pop() ?? '';
    for (const line of lines) {
      if (!line.startsWith('data:')) continue;
      const data = line.slice('data:'.length).trim();
      if (data !== '' && data !== '[DONE]') this.#call.event(JSON.parse(data));
    }
  }
}

/** What is no JSON tells nothing; that it came whole is known all the same. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function looksLikeEvents(text: string): boolean {
  return /^(?:data|event|id|retry)?:/.test(text);
}
