import type { ReadOptions, ReplyReader } from './reply-reader.ts';
import type { RequestFacts } from './request-facts.ts';

/** Input to be counted when the provider reports no input tokens. */
export type CountableInput =
  /** A request in the shape of OpenAI's Chat Completions or Responses. */
  | ({ readonly kind: 'chat'; readonly request: unknown } & MaybePartial)
  /** Texts without framing, and input that was given as token ids. */
  | ({
      readonly kind: 'texts';
      readonly texts: readonly string[];
      readonly tokens: number;
    } & MaybePartial)
  /** The request does not contain the input, or has no tokens: the count stays absent. */
  | { readonly kind: 'unknown' };

interface MaybePartial {
  /** The provider adds input that the request only references: the count is an estimate. */
  readonly partial?: boolean;
}

/** Reads one kind of call (chat completions, messages, embeddings …). Stateless. */
export interface CallShape {
  /** `gen_ai.operation.name`. */
  readonly operation: string;
  /** `openai.api.type`, of calls that have one. */
  readonly openaiApi?: 'chat_completions' | 'responses';
  /** For operations without output tokens (embeddings). */
  readonly inputOnly?: boolean;
  request(request: unknown): RequestFacts;
  reader(options: ReadOptions): ReplyReader;
  /**
   * Called after the reply, off the caller's path, with a snapshot of the request.
   */
  countable(request: unknown): CountableInput;
}
