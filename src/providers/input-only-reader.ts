import type { ReportedUsage } from '../domain/reported-usage.ts';
import type { ReplyReader, ReadOptions } from '../domain/reply-reader.ts';
import type { Reply } from '../domain/reply.ts';

/** What such a reply reports beside its vectors, images or scores. */
export interface InputOnlyFacts {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
  readonly serviceTier?: string | undefined;
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}

/** Reads replies that hold no text: whole ones, and streams whose closing event tells all. */
export class InputOnlyReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #factsOf: (reply: unknown) => InputOnlyFacts;
  readonly #isClosing: (event: unknown) => boolean;
  #reply: { readonly value: unknown } | undefined;

  constructor(
    options: ReadOptions,
    factsOf: (reply: unknown) => InputOnlyFacts,
    isClosing: (event: unknown) => boolean = () => false,
  ) {
    this.#isClosing = isClosing;
    this.#options = options;
    this.#factsOf = factsOf;
  }

  whole(reply: unknown): void {
    this.#reply = { value: reply };
  }

  event(event: unknown): void {
    if (this.#isClosing(event)) this.#reply = { value: event };
  }

  result(): Reply {
    const facts = this.#reply === undefined ? {} : this.#factsOf(this.#reply.value);
    return {
      ...facts,
      usage: this.#options.usage ? facts.usage : undefined,
      closed: this.#reply !== undefined,
      outputs: [],
    };
  }
}
