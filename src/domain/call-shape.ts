import type { ReadOptions, ReplyReader } from './reply-reader.ts';
import type { RequestFacts } from './request-facts.ts';

/** What is counted when the provider reports no input tokens. */
export type CountableInput =
  /** An OpenAI chat-completions or responses shaped request. */
  | ({ readonly kind: 'chat'; readonly request: unknown } & MaybePartial)
  /** Bare texts without framing, and tokens that came as numbers. */
  | ({
      readonly kind: 'texts';
      readonly texts: readonly string[];
      readonly tokens: number;
    } & MaybePartial)
  /** The request does not say what was sent, or has no tokens: the count stays absent. */
  | { readonly kind: 'unknown' };

interface MaybePartial {
  /** The provider adds input that the request only names: the count is an estimate. */
  readonly partial?: boolean;
}

/** One kind of call (chat completions, messages, embeddings …): how it is read. Stateless. */
export interface CallShape {
  /** `gen_ai.operation.name`. */
  readonly operation: string;
  /** Operations without output tokens (embeddings): nothing to count there. */
  readonly inputOnly?: boolean;
  request(request: unknown): RequestFacts;
  reader(options: ReadOptions): ReplyReader;
  /**
   * Runs after the reply, off the caller's path. `request` is a snapshot made at the start.
   */
  countable(request: unknown): CountableInput;
}
