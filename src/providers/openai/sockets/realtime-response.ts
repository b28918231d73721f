import type { CallShape } from '../../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../../domain/reply-reader.ts';
import type { Reply } from '../../../domain/reply.ts';
import type { ReportedUsage } from '../../../domain/reported-usage.ts';
import { tokenCount } from '../../../domain/token-counts.ts';
import { fields, present, stringAt, text, type JsonObject } from '../../../tokens/json.ts';
import { failureIn } from '../../reply-failure.ts';
import { streamed } from '../../streamed.ts';
import { openaiRequest } from '../request.ts';

/**
 * One response of a realtime session. Its input is the conversation that the server has, most of it audio: where
 * its tokens are not reported they are unknown.
 */
export const realtimeResponse: CallShape = streamed({
  operation: 'chat',
  request: openaiRequest,
  reader: (options) => new RealtimeReader(options),
  countable: () => ({ kind: 'unknown' }),
});

class RealtimeReader implements ReplyReader {
  readonly #options: ReadOptions;
  #response: JsonObject = {};
  #isDone = false;

  constructor(options: ReadOptions) {
    this.#options = options;
  }

  whole(reply: unknown): void {
    this.#response = fields(reply);
    this.#isDone = true;
  }

  event(event: unknown): void {
    const { type, response } = fields(event);
    if (response === undefined) return;
    if (type === 'response.done') this.whole(response);
    else this.#response = fields(response);
  }

  result(): Reply {
    const { id, conversation_id: conversationId, usage } = this.#response;
    const status = text(this.#response['status']);
    const details = this.#response['status_details'];
    return {
      usage: this.#options.usage ? realtimeUsage(usage) : undefined,
      responseId: text(id),
      conversationId: text(conversationId),
      finishReasons: this.#isDone ? [stringAt(details, 'reason') ?? status] : undefined,
      closed: this.#isDone,
      cancelled: status === 'cancelled',
      failure: status === 'failed' ? (failureIn(details) ?? 'failed') : undefined,
      outputs: [],
    };
  }
}

/** Cached tokens are a part of the input, each modality of both. */
function realtimeUsage(reported: unknown): ReportedUsage | undefined {
  if (typeof reported !== 'object' || reported === null) return undefined;
  const usage = fields(reported);
  const input = fields(usage['input_token_details']);
  const cached = fields(input['cached_tokens_details']);
  const output = fields(usage['output_token_details']);
  return present({
    inputTokens: tokenCount(usage['input_tokens']),
    outputTokens: tokenCount(usage['output_tokens']),
    cacheReadTokens: tokenCount(input['cached_tokens']),
    audioInputTokens: tokenCount(input['audio_tokens']),
    imageInputTokens: tokenCount(input['image_tokens']),
    audioCacheReadTokens: tokenCount(cached['audio_tokens']),
    imageCacheReadTokens: tokenCount(cached['image_tokens']),
    audioOutputTokens: tokenCount(output['audio_tokens']),
    reasoningTokens: tokenCount(output['reasoning_tokens']),
  });
}
