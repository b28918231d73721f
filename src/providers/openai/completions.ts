import type { CompletionOutput } from '../../tokens/index.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { fields, listOf, text } from '../../tokens/json.ts';
import { failureIn } from '../reply-failure.ts';
import { textsCountable } from './countable.ts';
import { openaiRequest } from './request.ts';
import { chatUsage } from './usage.ts';

/** The old `/completions`: bare text in and out. */
export const completions: CallShape = {
  operation: 'text_completion',
  request: openaiRequest,
  reader: (options) => new CompletionsReader(options),
  countable: (request) => textsCountable(fields(request)['prompt']),
};

/** `/embeddings`: input tokens only. */
export const embeddings: CallShape = {
  operation: 'embeddings',
  inputOnly: true,
  request: openaiRequest,
  reader: (options) => new CompletionsReader(options),
  countable: (request) => textsCountable(fields(request)['input']),
};

class CompletionsReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #texts = new Map<unknown, string>();
  readonly #finishReasons = new Map<unknown, string | undefined>();
  #usage: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #systemFingerprint: string | undefined;
  #whole = false;
  #failure: string | undefined;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  whole(reply: unknown): void {
    this.#whole = true;
    this.event(reply);
  }

  event(event: unknown): void {
    const body = fields(event);
    this.#failure ??= failureIn(body);
    this.#id ??= text(body['id']);
    this.#model = text(body['model']) ?? this.#model;
    this.#systemFingerprint ??= text(body['system_fingerprint']);
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
      systemFingerprint: this.#systemFingerprint,
      finishReasons: reasons,
      failure: this.#failure,
      closed:
        this.#whole || (reasons.length > 0 && reasons.every((reason) => reason !== undefined)),
      outputs: [...this.#texts.values()].map((piece): CompletionOutput => ({ text: piece })),
    };
  }
}
