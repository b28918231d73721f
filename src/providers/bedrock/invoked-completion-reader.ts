import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { tokenCount, usageOf } from '../../domain/token-counts.ts';

/**
 * Reads the plain completion formats of InvokeModel: Titan (text and embeddings), Llama, Mistral,
 * Cohere. Whole replies and chunks have the same keys.
 */
export class InvokedCompletionReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #inputTokens: number | undefined;
  #outputTokens: number | undefined;
  #finishReason: string | undefined;
  #whole = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(body: unknown): void {
    this.#whole = true;
    this.event(body);
  }

  event(body: unknown): void {
    if (!isObject(body)) return;
    this.#piece(body);
    const parts = [
      ...listOf(body['results']),
      ...listOf(body['outputs']),
      ...listOf(body['generations']),
      ...listOf(body['choices']),
    ];
    for (const part of parts) if (isObject(part)) this.#piece(part);
    const usage = objectAt(body, 'usage');
    this.#inputTokens =
      tokenCount(
        body['inputTextTokenCount'] ??
          body['prompt_token_count'] ??
          usage?.['prompt_tokens'] ??
          usage?.['input_tokens'],
      ) ?? this.#inputTokens;
    this.#outputTokens =
      tokenCount(usage?.['completion_tokens'] ?? usage?.['output_tokens']) ?? this.#outputTokens;
  }

  result(): Reply {
    return {
      usage: this.#readUsage
        ? usageOf({
            inputTokens: this.#inputTokens,
            outputTokens: this.#outputTokens,
            cacheReadTokens: undefined,
            cacheWriteTokens: undefined,
            reasoningTokens: undefined,
          })
        : undefined,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      closed: this.#whole || this.#finishReason !== undefined,
      outputs: this.#output.outputs(),
    };
  }

  #piece(piece: JsonObject): void {
    this.#output.text(
      stringAt(piece, 'outputText') ??
        stringAt(piece, 'generation') ??
        stringAt(piece, 'completion') ??
        stringAt(piece, 'text'),
    );
    this.#outputTokens =
      tokenCount(
        piece['generation_token_count'] ??
          piece['tokenCount'] ??
          piece['totalOutputTextTokenCount'],
      ) ?? this.#outputTokens;
    this.#finishReason =
      stringAt(piece, 'completionReason') ??
      stringAt(piece, 'stop_reason') ??
      stringAt(piece, 'finish_reason') ??
      this.#finishReason;
  }
}
