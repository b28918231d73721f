import { isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { gatherContent } from './completion-reader.ts';
import { mistralUsage } from './usage.ts';

/** Reads replies and events of the Conversations API. */
export class ConversationReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: unknown;
  #conversationId: string | undefined;
  #model: string | undefined;
  #failure: string | undefined;
  #closed = false;
  #tools = 0;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    if (!isObject(response)) return;
    this.#conversationId = stringAt(response, 'conversationId');
    if (this.#readUsage) this.#usage = response['usage'];
    for (const entry of listOf(response['outputs'])) this.#entry(entry);
    this.#closed = true;
  }

  event(event: unknown): void {
    const data = objectAt(event, 'data');
    switch (data?.['type']) {
      case 'conversation.response.started':
        this.#conversationId = stringAt(data, 'conversationId');
        break;
      case 'message.output.delta':
      case 'function.call.delta':
        this.#entry(data);
        break;
      case 'conversation.response.done':
        if (this.#readUsage) this.#usage = data?.['usage'];
        this.#closed = true;
        break;
      case 'conversation.response.error':
        this.#failure = 'conversation.response.error';
        break;
    }
  }

  result(): Reply {
    return {
      usage: mistralUsage(this.#usage),
      responseModel: this.#model,
      conversationId: this.#conversationId,
      closed: this.#closed,
      failure: this.#failure,
      outputs: this.#output.outputs(),
    };
  }

  #entry(entry: unknown): void {
    if (!isObject(entry)) return;
    this.#model = stringAt(entry, 'model') ?? this.#model;
    gatherContent(this.#output, entry['content']);
    if (!('arguments' in entry)) return;
    const id = stringAt(entry, 'toolCallId') ?? this.#tools++;
    this.#output.tool(id, entry['name'], entry['arguments']);
  }
}
