/** A piece of a text to count, to the worker. */
export interface CountRequest {
  readonly id: number;
  readonly encoding: string;
  readonly part: string;
  /** Whether the text ends here. */
  readonly last: boolean;
}

/** What came of it, from the worker. */
export interface CountReply {
  readonly id: number;
  readonly tokens?: number;
  readonly error?: string;
}
