import type { CompletionOutput } from '../../tokens/index.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { fields, listOf, text } from '../../tokens/json.ts';
import { openaiRequest } from './request.ts';
import { chatUsage } from './usage.ts';

/** The old `/completions`: bare text in and out. */
export const completions: CallShape = {
  operation: 'text_completion',
  request: openaiRequest,
  reader: (options) => new CompletionsReader(options),
  countable: (request) => countableTexts(fields(request)['prompt']),
};

/** `/embeddings`: input tokens only. */
export const embeddings: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: openaiRequest,
  reader: (options) => new CompletionsReader(options),
  countable: (request) => countableTexts(fields(request)['input']),
};

/** A string, a list of strings, a list of token numbers, or a list of such lists. */
function countableTexts(input: unknown): CountableInput {
  const texts: string[] = [];
  let tokens = 0;
  const add = (item: unknown): void => {
    if (typeof item === 'string') texts.push(item);
    else if (typeof item === 'number') tokens += 1;
    else for (const part of listOf(item)) add(part);
  };
  add(input);
  return { kind: 'texts', texts, tokens };
}

class CompletionsReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #texts = new Map<unknown, string>();
  readonly #finishReasons = new Map<unknown, string | undefined>();
  #usage: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #whole = false;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  whole(reply: unknown): void {
    this.#whole = true;
    this.event(reply);
  }

  event(event: unknown): void {
    const body = fields(event);
    this.#id ??= text(body['id']);
    this.#model = text(body['model']) ?? this.#model;
    if (this.#options.usage) this.#usage = body['usage'] ?? this.#usage;
    for (const given of listOf(body['choices'])) {
      const choice = fields(given);
      const index = choice['index'];
      const finishReason = text(choice['finish_reason']);
      this.#finishReasons.set(index, finishReason ?? this.#finishReasons.get(index));
      const piece = choice['text'];
      if (this.#options.output && typeof piece === 'string') {
        this.#texts.set(index, (this.#texts.get(index) ?? '') + piece);
      }
    }
  }

  result(): Reply {
    const reasons = [...this.#finishReasons.values()];
    return {
      usage: this.#options.usage ? chatUsage(this.#usage) : undefined,
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: reasons.flatMap((reason) => reason ?? []),
      closed:
        this.#whole || (reasons.length > 0 && reasons.every((reason) => reason !== undefined)),
      outputs: [...this.#texts.values()].map((piece): CompletionOutput => ({ text: piece })),
    };
  }
}
