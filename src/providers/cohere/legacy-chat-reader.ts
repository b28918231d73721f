import { isObject, listOf, stringAt, type JsonObject } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { cohereUsage } from './usage.ts';

/** Reads chat replies and events of API v1. */
export class LegacyChatReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #final: JsonObject | undefined;
  #finishReason: string | undefined;
  #id: string | undefined;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    if (!isObject(response)) return;
    this.#finish(response);
    this.#output.text(response['text']);
    this.#tools(response['toolCalls']);
  }

  event(event: unknown): void {
    if (!isObject(event)) return;
    switch (event['eventType']) {
      case 'text-generation':
        this.#output.text(event['text']);
        break;
      case 'tool-calls-generation':
        this.#tools(event['toolCalls']);
        break;
      case 'stream-start':
        this.#id = stringAt(event, 'generationId');
        break;
      case 'stream-end':
        this.#finish(isObject(event['response']) ? event['response'] : {});
        this.#finishReason ??= stringAt(event, 'finishReason');
        break;
    }
  }

  result(): Reply {
    return {
      usage: this.#readUsage ? cohereUsage(this.#final?.['meta']) : undefined,
      responseId: this.#id,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      closed: this.#final !== undefined,
      outputs: this.#output.outputs(),
    };
  }

  #finish(response: JsonObject): void {
    this.#final = response;
    this.#id = stringAt(response, 'generationId') ?? this.#id;
    this.#finishReason = stringAt(response, 'finishReason');
  }

  #tools(calls: unknown): void {
    for (const [index, call] of listOf(calls).entries()) {
      if (isObject(call)) this.#output.tool(index, call['name'], call['parameters']);
    }
  }
}
