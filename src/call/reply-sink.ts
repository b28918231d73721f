/** What somebody who watches a reply tells about it. None of it throws. A `ChatCall` is one. */
export interface ReplySink {
  readonly ended: boolean;
  /** `handle` is what the reply will be read from. */
  arrived(handle: object): void;
  /** Reading has begun. With `handle` the reader may still drop it half-way. */
  reading(handle?: object): void;
  event(event: unknown): void;
  /** The stream was read to its end (`done`), or its reader left. */
  streamEnded(done?: boolean): void;
  failed(error: unknown): void;
}
