/** To the worker: a part of a text. */
export interface CountRequest {
  readonly id: number;
  readonly encoding: string;
  readonly part: string;
  /** Whether this is the last part. */
  readonly last: boolean;
}

/** From the worker: the result. */
export interface CountReply {
  readonly id: number;
  readonly tokens?: number;
  readonly error?: string;
}
