import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { FinishReasons } from '../finish-reasons.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { mistralUsage } from './usage.ts';

/** Reads chat, agents and fill-in-the-middle completions; a stream wraps each chunk in `data`. */
export class MistralCompletionReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  readonly #finishReasons = new FinishReasons();
  #usage: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    this.#chunk(response, 'message');
    this.#closed = true;
  }

  event(event: unknown): void {
    this.#chunk(objectAt(event, 'data'), 'delta');
  }

  result(): Reply {
    const finishReasons = this.#finishReasons.list();
    return {
      usage: mistralUsage(this.#usage),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons,
      failure: finishReasons?.includes('error') ? 'error' : undefined,
      closed: this.#closed,
      outputs: this.#output.outputs(),
    };
  }

  #chunk(chunk: unknown, part: 'message' | 'delta'): void {
    if (!isObject(chunk)) return;
    this.#id = stringAt(chunk, 'id') ?? this.#id;
    this.#model = stringAt(chunk, 'model') ?? this.#model;
    if (this.#readUsage) this.#usage = chunk['usage'] ?? this.#usage;
    for (const choice of listOf(chunk['choices'])) {
      if (isObject(choice)) this.#choice(choice, part);
    }
  }

  #choice(choice: JsonObject, part: 'message' | 'delta'): void {
    const index = typeof choice['index'] === 'number' ? choice['index'] : 0;
    this.#finishReasons.begun(index);
    const said = objectAt(choice, part);
    gatherContent(this.#output, said?.['content'], index);
    for (const [position, call] of listOf(said?.['toolCalls']).entries()) {
      const called = objectAt(call, 'function');
      const key = isObject(call) && typeof call['index'] === 'number' ? call['index'] : position;
      this.#output.tool(key, called?.['name'], called?.['arguments'], index);
    }
    const reason = stringAt(choice, 'finishReason');
    if (reason !== undefined) {
      this.#finishReasons.ended(index, reason);
      this.#closed = true;
    }
  }
}

/** Text, or a list of chunks of text and thinking. */
export function gatherContent(output: GatheredOutput, content: unknown, choice = 0): void {
  if (typeof content === 'string') output.text(content, choice);
  for (const chunk of Array.isArray(content) ? listOf(content) : [content]) {
    if (!isObject(chunk)) continue;
    if (chunk['type'] === 'thinking') {
      for (const thought of listOf(chunk['thinking'])) {
        output.reasoning(stringAt(thought, 'text'), choice);
      }
    } else output.text(chunk['text'], choice);
  }
}
