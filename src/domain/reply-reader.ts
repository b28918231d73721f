import type { Reply } from './reply.ts';

export interface ReadOptions {
  /** False: no usage may be read. */
  readonly usage: boolean;
  /** True: keep the text and tool calls received, for counting or content capture. */
  readonly output: boolean;
}

/**
 * Reads one reply. Called on the caller's path, so both methods only pick and append; normalising
 * happens in `result`, once. They may throw: the call keeps that from the host and from the record.
 */
export interface ReplyReader {
  /** The whole reply of a call that was not streamed. */
  whole(reply: unknown): void;
  /** One event of a stream, in order. */
  event(event: unknown): void;
  /** The stream was read to its end: proof of a whole reply only where there is no closing event. */
  done?(): void;
  result(): Reply;
}
