import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { FinishReasons } from '../finish-reasons.ts';
import { GatheredOutput } from '../gathered-output.ts';
import { namedIdentity } from '../named-identity.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { anthropicAttributes, anthropicTier } from '../anthropic/usage.ts';
import { reportedCost } from '../openai/usage.ts';
import { streamed } from '../streamed.ts';
import { addUsage } from '../../domain/token-counts.ts';
import { ChatModelEventReader } from './event-reader.ts';
import { chatModelCountable } from './messages.ts';
import { extrasOf, messageUsage, outputUsage } from './usage.ts';

/** What the patch makes of a call's arguments. */
export interface ChatModelRequest {
  readonly messages: unknown;
  readonly tools: unknown;
  /** The runnable's configuration. */
  readonly config: unknown;
}

/** A call of a chat model; its whole reply is `{ generations, llmOutput }` of one prompt. */
export const chatModel: CallShape = {
  operation: 'chat',
  request: (request) => {
    const config = objectAt(request, 'config');
    return namedIdentity(config?.['metadata'], config?.['configurable']);
  },
  reader: (options) => new ChatModelReader(options),
  countable: chatModelCountable,
};

export const chatModelStream: CallShape = streamed(chatModel);

export const chatModelEvents: CallShape = {
  ...chatModelStream,
  reader: (options) => new ChatModelEventReader(options),
};

/** Metadata under which packages tell why the model stopped. */
const FINISH_REASONS = [
  'finish_reason',
  'stop_reason',
  'finishReason',
  'stopReason',
  'done_reason',
];

class ChatModelReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  readonly #finishReasons = new FinishReasons();
  #usage: TokenUsage | undefined;
  #id: string | undefined;
  #model: string | undefined;
  #serviceTier: string | undefined;
  #attributes: Readonly<Record<string, string>> | undefined;
  /** What usage metadata leave out of the vendor's own usage. */
  #extras: BilledUsage = {};
  #costUsd: number | undefined;
  #closed = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(reply: unknown): void {
    for (const [index, generation] of listOf(
      isObject(reply) ? reply['generations'] : undefined,
    ).entries()) {
      this.#message(objectAt(generation, 'message'), index);
    }
    if (this.#readUsage) this.#usage ??= outputUsage(objectAt(reply, 'llmOutput'));
    this.#closed = true;
  }

  /** A message chunk. LangChain's own rule is that the usage of chunks adds up. */
  event(chunk: unknown): void {
    this.#message(chunk, 0);
  }

  /** A stream that LangChain lets end without an error is whole. */
  done(): void {
    this.#closed = true;
  }

  result(): Reply {
    return {
      usage: this.#usage && { ...this.#usage, ...this.#extras },
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#finishReasons.list(),
      closed: this.#closed,
      outputs: this.#output.outputs(),
      serviceTier: this.#serviceTier,
      attributes: this.#attributes,
      costUsd: this.#readUsage ? this.#costUsd : undefined,
    };
  }

  #message(message: unknown, choice: number): void {
    if (!isObject(message)) return;
    this.#finishReasons.begun(choice);
    if (this.#readUsage) {
      this.#usage = addUsage(this.#usage, messageUsage(message['usage_metadata']));
    }
    const id = stringAt(message, 'id');
    // LangChain makes up ids of this kind.
    if (id !== undefined && !id.startsWith('run-')) this.#id = id;
    this.#metadata(objectAt(message, 'response_metadata'), choice);
    this.#content(message['content'], choice);
    this.#output.reasoning(objectAt(message, 'additional_kwargs')?.['reasoning_content'], choice);
    const pieces = listOf(message['tool_call_chunks']);
    for (const call of pieces.length > 0 ? pieces : listOf(message['tool_calls'])) {
      if (!isObject(call)) continue;
      const key = call['index'] ?? call['id'] ?? call['name'];
      this.#output.tool(String(key), call['name'], call['args'], choice);
    }
  }

  #metadata(metadata: JsonObject | undefined, choice: number): void {
    this.#model = stringAt(metadata, 'model_name') ?? stringAt(metadata, 'model') ?? this.#model;
    const vendor = metadata?.['usage'];
    this.#serviceTier =
      stringAt(metadata, 'service_tier') ?? anthropicTier(vendor) ?? this.#serviceTier;
    this.#attributes = anthropicAttributes(vendor) ?? this.#attributes;
    if (this.#readUsage) this.#extras = { ...this.#extras, ...extrasOf(vendor) };
    this.#costUsd = reportedCost(vendor) ?? this.#costUsd;
    for (const name of FINISH_REASONS) {
      const reason = stringAt(metadata, name);
      if (reason !== undefined) this.#finishReasons.ended(choice, reason);
    }
  }

  #content(content: unknown, choice: number): void {
    if (typeof content === 'string') this.#output.text(content, choice);
    for (const block of listOf(content)) {
      if (!isObject(block)) continue;
      this.#output.text(stringAt(block, 'text'), choice);
      this.#output.reasoning(stringAt(block, 'reasoning') ?? stringAt(block, 'thinking'), choice);
    }
  }
}
