import { chatCompletions } from '../providers/openai/chat-completions.ts';
import type { CallShape } from '../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../domain/reply-reader.ts';
import type { Reply } from '../domain/reply.ts';
import { countableMessages } from './given-messages.ts';
import { givenUsage } from './given-usage.ts';

/** How the reply of a wrapped function is read. */
export interface ReplySources {
  readonly text: (result: unknown) => unknown;
  readonly usage: (result: unknown) => unknown;
}

const chat = chatCompletions();

/** One kind of call for all wrapped functions: text, an object that holds it, or a stream of either. */
export function wrappedShape(sources: ReplySources): CallShape {
  return {
    operation: 'chat',
    request: () => ({}),
    reader: (options) => new WrappedReader(options, sources),
    countable: countableMessages,
  };
}

/** A reply that has the form of chat completions is read as such; the named places win over it. */
class WrappedReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #sources: ReplySources;
  readonly #chat: ReplyReader;
  #text: string | undefined;
  #usage: unknown;
  #closed = false;

  constructor(options: ReadOptions, sources: ReplySources) {
    this.#options = options;
    this.#sources = sources;
    this.#chat = chat.reader(options);
  }

  whole(reply: unknown): void {
    this.#closed = true;
    this.#take(reply);
    this.#chat.whole(reply);
  }

  event(event: unknown): void {
    this.#take(event);
    this.#chat.event(event);
  }

  done(): void {
    this.#closed = true;
  }

  result(): Reply {
    const reply = this.#chat.result();
    return {
      ...reply,
      usage: this.#options.usage ? (givenUsage(this.#usage) ?? reply.usage) : undefined,
      closed: this.#closed || reply.closed,
      outputs: this.#text === undefined ? reply.outputs : [{ text: this.#text }],
    };
  }

  #take(part: unknown): void {
    if (this.#options.usage) this.#usage = this.#sources.usage(part) ?? this.#usage;
    if (!this.#options.output) return;
    const piece = typeof part === 'string' ? part : this.#sources.text(part);
    if (typeof piece === 'string') this.#text = (this.#text ?? '') + piece;
  }
}
