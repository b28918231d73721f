import { isObject, listOf, stringAt, type JsonObject } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { failureOf } from './finish-reason.ts';
import { cohereUsage } from './usage.ts';

/** Reads replies and events of chat, generate and summarize of API v1. */
export class LegacyReader implements ReplyReader {
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
    this.#output.text(response['text'] ?? response['summary']);
    for (const [index, generation] of listOf(response['generations']).entries()) {
      this.#output.text(stringAt(generation, 'text'), index);
    }
    this.#tools(response['toolCalls']);
  }

  event(event: unknown): void {
    if (!isObject(event)) return;
    switch (event['eventType']) {
      case 'text-generation':
        this.#output.text(event['text'], Number(event['index'] ?? 0));
        break;
      case 'tool-calls-generation':
        this.#tools(event['toolCalls']);
        break;
      case 'stream-start':
        this.#id = stringAt(event, 'generationId');
        break;
      case 'stream-error':
        this.#finishReason = stringAt(event, 'finishReason') ?? 'ERROR';
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
      failure: failureOf(this.#finishReason),
      closed: this.#final !== undefined,
      outputs: this.#output.outputs(),
    };
  }

  #finish(response: JsonObject): void {
    this.#final = response;
    this.#id = stringAt(response, 'generationId') ?? stringAt(response, 'id') ?? this.#id;
    this.#finishReason = stringAt(response, 'finishReason');
  }

  #tools(calls: unknown): void {
    for (const [index, call] of listOf(calls).entries()) {
      if (isObject(call)) this.#output.tool(index, call['name'], call['parameters']);
    }
  }
}
