import { ChoiceOutput } from '../choice-output.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { fields, listOf, present, text, type JsonObject } from '../../tokens/json.ts';
import { failureIn } from '../reply-failure.ts';
import { responsesCountable } from './countable.ts';
import { openaiRequest } from './request.ts';
import { hostedToolUses, imageToolUse } from './hosted-tools.ts';
import { reportedCost, responsesUsage } from './usage.ts';

/** The Responses API. */
export const responses: CallShape = {
  operation: 'chat',
  openaiApi: 'responses',
  request: (request) => ({
    ...openaiRequest(request),
    background: fields(request)['background'] === true,
  }),
  reader: (options) => new ResponsesReader(options),
  countable: responsesCountable,
};

/** Statuses of a reply in the background. */
const PENDING = new Set(['queued', 'in_progress']);
/** Events that end a response. */
export const CLOSING: ReadonlySet<string> = new Set([
  'response.completed',
  'response.incomplete',
  'response.failed',
  'response.cancelled',
]);
/** It is not known whether expired replies are reported by a status; a 404 reports them too. */
const CANCELLED = new Set(['cancelled', 'expired']);

class ResponsesReader implements ReplyReader {
  readonly #options: ReadOptions;
  #output: ChoiceOutput | undefined;
  #usage: unknown;
  #response: JsonObject = {};
  readonly #requestTools: unknown;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#requestTools = fields(options.request)['tools'];
  }

  whole(reply: unknown): void {
    this.#closed = true;
    this.#take(fields(reply));
  }

  event(event: unknown): void {
    const body = fields(event);
    const { type } = body;
    if (typeof type !== 'string') return;
    if (type.endsWith('.delta')) {
      if (this.#options.output) this.#append(type, body);
      return;
    }
    if (type === 'response.output_item.added' && this.#options.output) {
      const item = fields(body['item']);
      if (isCall(item)) this.#outputNow().addToolCall(keyOf(body), item['name'], undefined);
      return;
    }
    if (body['response'] !== undefined) {
      // The stream of a reply in the background may be read again from its beginning.
      if (type === 'response.created') this.#output = undefined;
      if (CLOSING.has(type)) this.#closed = true;
      this.#take(fields(body['response']));
    }
  }

  result(): Reply {
    const response = this.#response;
    const status = text(response['status']);
    const { conversation } = response;
    const pending = this.#closed && PENDING.has(status ?? '');
    return {
      usage: this.#options.usage ? this.#billed() : undefined,
      responseId: text(response['id']),
      responseModel: text(response['model']),
      finishReasons: this.#finishReasons(status),
      closed: this.#closed && !pending,
      pending,
      cancelled: CANCELLED.has(status ?? ''),
      failure: failureIn(response) ?? (this.#closed && status === 'failed' ? 'failed' : undefined),
      outputs: this.#output === undefined ? [] : [this.#output.result()],
      conversationId: text(fields(conversation)['id']),
      serviceTier: text(response['service_tier']),
      isCompacted: listOf(response['output']).some(isCompaction),
      others: this.#options.usage ? this.#others() : undefined,
      costUsd: this.#options.usage ? reportedCost(this.#usage) : undefined,
    };
  }

  #others(): Reply['others'] {
    const images = this.#closed ? imageToolUse(this.#repeating()) : undefined;
    return images && [images];
  }

  /** A response repeats the tools of its request; what imitates it may not. */
  #repeating(): JsonObject {
    return { tools: this.#requestTools, ...present(this.#response) };
  }

  /** A stream says `in_progress` until its end; what is in the background has not begun to end. */
  #finishReasons(status: string | undefined): Reply['finishReasons'] {
    if (status === undefined) return undefined;
    if (PENDING.has(status)) return this.#closed ? undefined : [undefined];
    return [text(fields(this.#response['incomplete_details'])['reason']) ?? status];
  }

  #billed(): BilledUsage | undefined {
    const usage = responsesUsage(this.#usage);
    const tools = hostedToolUses(this.#repeating());
    return usage === undefined ? undefined : { ...usage, ...tools };
  }

  /** `response` stands in the opening event too, then without usage and output. */
  #take(response: JsonObject): void {
    this.#response = response;
    this.#usage = response['usage'] ?? this.#usage;
    const items = listOf(response['output']);
    if (!this.#options.output || items.length === 0) return;
    this.#output = new ChoiceOutput();
    for (const [index, given] of items.entries()) appendItem(this.#output, index, fields(given));
  }

  #append(type: string, body: JsonObject): void {
    const output = this.#outputNow();
    const { delta } = body;
    if (type === 'response.output_text.delta') output.addText(delta);
    else if (type === 'response.refusal.delta') output.addRefusal(delta);
    else if (type.startsWith('response.reasoning')) output.addReasoning(delta);
    else if (type === 'response.function_call_arguments.delta' || type.includes('tool_call')) {
      output.addToolCall(keyOf(body), undefined, delta);
    }
  }

  #outputNow(): ChoiceOutput {
    return (this.#output ??= new ChoiceOutput());
  }
}

function keyOf(body: JsonObject): number | string {
  const index = body['output_index'];
  return typeof index === 'number' ? index : (text(body['item_id']) ?? 0);
}

function isCompaction(item: unknown): boolean {
  return fields(item)['type'] === 'compaction';
}

function isCall(item: JsonObject): boolean {
  const { type } = item;
  return type === 'function_call' || type === 'custom_tool_call';
}

function appendItem(output: ChoiceOutput, index: number, item: JsonObject): void {
  if (isCall(item)) {
    output.addToolCall(index, item['name'], item['arguments'] ?? item['input']);
    return;
  }
  if (item['type'] === 'reasoning') {
    for (const part of [...listOf(item['content']), ...listOf(item['summary'])]) {
      output.addReasoning(fields(part)['text']);
    }
    return;
  }
  for (const part of listOf(item['content'])) {
    output.addText(fields(part)['text']);
    output.addRefusal(fields(part)['refusal']);
  }
}
