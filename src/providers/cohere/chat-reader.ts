import { isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { failureOf } from './finish-reason.ts';
import { cohereUsage } from './usage.ts';

/** Reads chat replies and events of API v2, as the SDK parses them. */
export class ChatReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: unknown;
  #id: string | undefined;
  #finishReason: string | undefined;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    if (!isObject(response)) return;
    this.#id = stringAt(response, 'id');
    const message = objectAt(response, 'message');
    this.#output.reasoning(message?.['toolPlan']);
    for (const part of listOf(message?.['content'])) this.#content(part);
    for (const [index, call] of listOf(message?.['toolCalls']).entries()) this.#tool(index, call);
    this.#finish(stringAt(response, 'finishReason'), response['usage']);
  }

  event(event: unknown): void {
    if (!isObject(event)) return;
    const delta = objectAt(event, 'delta');
    const message = objectAt(delta, 'message');
    switch (event['type']) {
      case 'content-start':
      case 'content-delta':
        this.#content(message?.['content']);
        break;
      case 'tool-plan-delta':
        this.#output.reasoning(message?.['toolPlan']);
        break;
      case 'tool-call-start':
      case 'tool-call-delta':
        this.#tool(Number(event['index'] ?? 0), message?.['toolCalls']);
        break;
      case 'message-start':
        this.#id = stringAt(event, 'id');
        break;
      case 'message-end':
        this.#finish(stringAt(delta, 'finishReason'), delta?.['usage']);
        break;
    }
  }

  result(): Reply {
    return {
      usage: cohereUsage(this.#usage),
      responseId: this.#id,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      failure: failureOf(this.#finishReason),
      closed: this.#closed,
      outputs: this.#output.outputs(),
    };
  }

  #finish(reason: string | undefined, usage: unknown): void {
    this.#finishReason = reason;
    if (this.#readUsage) this.#usage = usage;
    this.#closed = true;
  }

  #content(part: unknown): void {
    this.#output.text(stringAt(part, 'text'));
    this.#output.reasoning(stringAt(part, 'thinking'));
  }

  #tool(index: number, call: unknown): void {
    const called = objectAt(call, 'function');
    this.#output.tool(index, called?.['name'], called?.['arguments']);
  }
}
