import { isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { ollamaUsage } from './usage.ts';

/** Reads replies and lines of `chat` and `generate`. */
export class OllamaReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #closing: unknown;
  #model: string | undefined;
  #doneReason: string | undefined;
  #failure: string | undefined;
  #closed = false;
  #tools = 0;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(reply: unknown): void {
    this.event(reply);
    this.#closing = reply;
    this.#closed = true;
  }

  event(line: unknown): void {
    if (!isObject(line)) return;
    if ('error' in line) this.#failure = 'error';
    this.#model = stringAt(line, 'model') ?? this.#model;
    const message = objectAt(line, 'message') ?? line;
    this.#output.text(message['content'] ?? message['response']);
    this.#output.reasoning(message['thinking']);
    for (const call of listOf(message['tool_calls'])) {
      const called = objectAt(call, 'function');
      this.#output.tool(this.#tools++, called?.['name'], called?.['arguments']);
    }
    if (line['done'] === true) {
      this.#closing = line;
      this.#doneReason = stringAt(line, 'done_reason');
      this.#closed = true;
    }
  }

  result(): Reply {
    return {
      usage: this.#readUsage ? ollamaUsage(this.#closing) : undefined,
      responseModel: this.#model,
      finishReasons: this.#doneReason === undefined ? undefined : [this.#doneReason],
      failure: this.#failure,
      closed: this.#closed,
      outputs: this.#output.outputs(),
    };
  }
}
