import type { Reply } from './reply.ts';

export interface ReadOptions {
  /** Whether usage may be read. */
  readonly usage: boolean;
  /** Whether to keep received text and tool calls, for counting or content capture. */
  readonly output: boolean;
  /**
   * The request, as it was when the call started: a reply names tools as the request does. Absent where only
   * the reply is known, as in results of batches.
   */
  readonly request?: unknown;
  /** The model that was asked for, where the request does not name it. */
  readonly model?: string | undefined;
}

/**
 * Reads one reply. Runs on the caller's path, so methods only collect data; `result` normalises it
 * once. Methods may throw: the call catches the error, and neither the host nor the record is
 * affected.
 */
export interface ReplyReader {
  /** A reply has begun to arrive: what was sent is billed, however little of the reply is read. */
  begun?(): void;
  /** The whole reply of a call that was not streamed. */
  whole(reply: unknown): void;
  /** One event of a stream, in order. */
  event(event: unknown): void;
  /**
   * The stream was read to its end. Proves a complete reply only for formats without a closing
   * event.
   */
  done?(): void;
  result(): Reply;
}
