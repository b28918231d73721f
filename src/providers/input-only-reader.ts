import type { ReportedUsage } from '../domain/reported-usage.ts';
import type { ReplyReader, ReadOptions } from '../domain/reply-reader.ts';
import type { Reply } from '../domain/reply.ts';

/** What an embedding reply tells beside its vectors. */
export interface InputOnlyFacts {
  readonly usage?: ReportedUsage | undefined;
  readonly responseId?: string | undefined;
  readonly responseModel?: string | undefined;
}

/** Reads replies that come whole and hold no text. */
export class InputOnlyReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #factsOf: (reply: unknown) => InputOnlyFacts;
  #reply: { readonly value: unknown } | undefined;

  constructor(options: ReadOptions, factsOf: (reply: unknown) => InputOnlyFacts) {
    this.#options = options;
    this.#factsOf = factsOf;
  }

  whole(reply: unknown): void {
    this.#reply = { value: reply };
  }

  event(): void {}

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
