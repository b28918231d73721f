import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { ReportedUsage } from '../../domain/reported-usage.ts';
import type { Reply } from '../../domain/reply.ts';
import { fields, present, stringAt } from '../../tokens/json.ts';
import { failureIn } from '../reply-failure.ts';
import { openaiRequest } from './request.ts';
import { responsesUsage } from './usage.ts';

/** `/audio/speech`: a body of audio, or events that end with the tokens. */
export const speech: CallShape = {
  operation: 'speech',
  inputOnly: true,
  request: (request) => ({
    ...openaiRequest(request),
    stream: fields(request)['stream'] === true || fields(request)['stream_format'] === 'sse',
  }),
  reader: (options) => new SpeechReader(options),
  // Billed by the character, or by tokens of audio that cannot be counted.
  countable: () => ({ kind: 'unknown' }),
};

class SpeechReader implements ReplyReader {
  readonly #options: ReadOptions;
  #hasBegun = false;
  #isClosed = false;
  #usage: unknown;
  #failure: string | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  begun(): void {
    this.#hasBegun = true;
  }

  /** Audio has nothing to read in it. */
  whole(reply: unknown): void {
    this.event(reply);
    this.#isClosed = true;
  }

  /** An event, or a piece of a body of audio. */
  event(event: unknown): void {
    this.#failure ??= failureIn(event);
    this.#usage = fields(event)['usage'] ?? this.#usage;
    if (stringAt(event, 'type') === 'speech.audio.done') this.#isClosed = true;
  }

  done(): void {
    this.#isClosed = true;
  }

  result(): Reply {
    return {
      usage: this.#options.usage && this.#hasBegun ? this.#billed() : undefined,
      failure: this.#failure,
      closed: this.#isClosed,
      outputs: [],
    };
  }

  /** Where no tokens are reported, the whole text was sent and is billed, however much was spoken. */
  #billed(): ReportedUsage | undefined {
    const tokens = responsesUsage(this.#usage);
    if (tokens?.outputTokens !== undefined) {
      return present({ ...tokens, audioOutputTokens: tokens.outputTokens });
    }
    const { input } = fields(this.#options.request);
    const inputCharacters = typeof input === 'string' ? charactersOf(input) : 0;
    return inputCharacters === 0 ? tokens : { ...tokens, inputCharacters };
  }
}

/** As providers count: a surrogate pair is one. */
export function charactersOf(text: string): number {
  let characters = 0;
  for (const _character of text) characters += 1;
  return characters;
}
