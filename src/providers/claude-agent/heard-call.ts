import type { Context } from '@opentelemetry/api';
import type { Audience, FinishedCall } from '../../call/call-start.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import { addUsage } from '../../domain/token-counts.ts';
import { ATTR } from '../../otel/semconv.ts';
import { listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { messages } from '../anthropic/messages.ts';
import { mergeAnthropicUsage } from '../anthropic/usage.ts';

const PARTIAL = { [ATTR.reportedOutput]: 'partial' };

/** When a call began. */
export interface CallTime {
  /** Milliseconds since 1970. */
  readonly wallMs: number;
  /** By `nowMs()` of the meter. */
  readonly monotonicMs: number;
}

/** A model call of the agent's process, by its messages: one for each block of the reply. */
export class HeardCall {
  readonly id: string;
  readonly model: string;
  /** In which its record is made. */
  readonly context: Context;
  readonly #audience: Audience;
  readonly #begun: CallTime;
  #ended: CallTime;
  #usage: JsonObject = {};
  #stopReason: string | undefined;
  /** Whether the output is all that there is. */
  #hasOutput = false;
  #isCut = false;
  readonly #blocks: unknown[] = [];

  constructor(message: JsonObject, context: Context, audience: Audience, begun: CallTime) {
    this.id = stringAt(message, 'id') ?? '';
    this.model = stringAt(message, 'model') ?? 'unknown';
    this.context = context;
    this.#audience = audience;
    this.#begun = begun;
    this.#ended = begun;
  }

  /** One message of the SDK, `aborted` where the reply was cut. */
  message(message: JsonObject, isCut: boolean, now: CallTime): void {
    this.#ended = now;
    this.#isCut ||= isCut;
    this.#blocks.push(...listOf(message['content']).filter((block) => this.#isKept(block)));
    const stopReason = stringAt(message, 'stop_reason');
    if (stopReason !== undefined) this.#complete(stopReason);
    if (!this.#hasOutput || stopReason !== undefined) this.#take(objectAt(message, 'usage'));
  }

  /** An event of the API's stream, where the application asks for partial messages. */
  event(event: JsonObject, now: CallTime): void {
    this.#ended = now;
    if (event['type'] !== 'message_delta') return;
    this.#complete(stringAt(objectAt(event, 'delta'), 'stop_reason'));
    this.#take(objectAt(event, 'usage'));
  }

  /**
   * Its end, with all that is known.
   *
   * @param isWhole nothing more of the reply will come
   */
  finished(isWhole: boolean): FinishedCall {
    const { tokenStatistics, keepContent } = this.#audience;
    const { id, model } = this;
    const reader = messages.reader({
      usage: tokenStatistics,
      output: keepContent,
      request: undefined,
      model,
    });
    const [content, usage] = [this.#blocks, this.#usage];
    reader.whole({ id, model, content, usage, stop_reason: this.#stopReason });
    const reply = reader.result();
    const isCut = this.#isCut || (!isWhole && !this.#hasOutput);
    const isPartial = !this.#hasOutput && reply.usage !== undefined;
    return {
      reply: {
        ...reply,
        closed: !isCut,
        attributes: { ...reply.attributes, ...(isPartial && PARTIAL) },
      },
      durationMs: this.#ended.monotonicMs - this.#begun.monotonicMs,
      endedAtMs: this.#ended.wallMs,
      outcome: isCut ? 'aborted' : 'ok',
      errorType: undefined,
      sinceMs: this.#begun.monotonicMs,
    };
  }

  /** The same with the output that was missing. */
  completed(end: FinishedCall, rest: BilledUsage): FinishedCall {
    const { [ATTR.reportedOutput]: _isPartial, ...attributes } = end.reply.attributes ?? {};
    return { ...end, reply: { ...end.reply, attributes, usage: addUsage(end.reply.usage, rest) } };
  }

  #complete(stopReason: string | undefined): void {
    this.#hasOutput = true;
    this.#stopReason = stopReason ?? this.#stopReason;
  }

  #take(usage: JsonObject | undefined): void {
    this.#usage = mergeAnthropicUsage(this.#usage, usage);
  }

  /** Content only where it is wanted; uses of hosted tools are billed. */
  #isKept(block: unknown): boolean {
    return this.#audience.keepContent || stringAt(block, 'type') === 'server_tool_use';
  }
}
