import { isObject, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { messageUsage } from './usage.ts';

/** Reads the events of `streamEvents` (protocol 3), of one model call. Their usage is the one so far. */
export class ChatModelEventReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: TokenUsage | undefined;
  #id: string | undefined;
  #finishReason: string | undefined;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(): void {}

  event(event: unknown): void {
    if (!isObject(event)) return;
    if (this.#readUsage) this.#usage = messageUsage(event['usage']) ?? this.#usage;
    const content = objectAt(event, 'content');
    const delta = objectAt(event, 'delta');
    const index = Number(event['index'] ?? 0);
    switch (event['event']) {
      case 'message-start':
        this.#id = stringAt(event, 'id');
        break;
      case 'content-block-start':
        if (content !== undefined) this.#start(content, index);
        break;
      case 'content-block-delta':
        this.#output.text(delta?.['text']);
        this.#output.reasoning(delta?.['reasoning']);
        if (delta?.['type'] === 'tool-call-delta') {
          this.#output.tool(index, undefined, delta['args']);
        }
        break;
      case 'message-finish':
        this.#finishReason = stringAt(event, 'reason');
        this.#closed = true;
        break;
    }
  }

  result(): Reply {
    return {
      usage: this.#usage,
      responseId: this.#id?.startsWith('run-') === true ? undefined : this.#id,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      closed: this.#closed,
      outputs: this.#output.outputs(),
    };
  }

  #start(content: JsonObject, index: number): void {
    this.#output.text(stringAt(content, 'text'));
    this.#output.reasoning(stringAt(content, 'reasoning'));
    const name = stringAt(content, 'name');
    if (name !== undefined) this.#output.tool(index, name, stringAt(content, 'args'));
  }
}
