import { errorType } from '../../host/quietly.ts';
import { isObject, listOf, objectAt, stringAt } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { reportedCost } from '../openai/usage.ts';
import { gatewayCost } from '../gateway-cost.ts';
import { streamed } from '../streamed.ts';
import { hostedUses } from './hosted-uses.ts';
import { modelCountable, modelFacts } from './prompt.ts';
import { extrasOfRaw } from './raw-usage.ts';
import { modelUsage } from './usage.ts';

/** `doGenerate` of a language model, specification v2 to v4. */
export const generate: CallShape = {
  operation: 'chat',
  request: modelFacts,
  reader: (options) => new ModelReader(options),
  countable: modelCountable,
};

/** `doStream`. */
export const stream: CallShape = streamed(generate);

/** Finish reasons that provider packages make up when the vendor's stream ends without one. */
const NO_END = new Set(['unknown', 'interrupted', 'error']);

class ModelReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: unknown;
  #providerMetadata: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #finishReason: string | undefined;
  #failure: string | undefined;
  #unified: string | undefined;
  #closed = false;
  #headerCost: number | undefined;
  /** Uses of tools that the provider runs, by their names. */
  readonly #hosted: string[] = [];
  /** Calls whose input came in pieces; the whole call follows them. */
  readonly #pieced = new Set<string>();

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(result: unknown): void {
    if (!isObject(result)) return;
    this.#metadata(result['response']);
    this.#headerCost = gatewayCost(
      objectAt(objectAt(result, 'response'), 'headers')?.['x-litellm-response-cost'],
    );
    for (const part of listOf(result['content'])) this.#content(part);
    this.#finish(result);
    this.#closed = true;
    if (this.#finishReason === 'error' || this.#unified === 'error') this.#failure = 'error';
  }

  event(part: unknown): void {
    if (!isObject(part)) return;
    switch (part['type']) {
      case 'text-delta':
        this.#output.text(part['delta']);
        break;
      case 'reasoning-delta':
        this.#output.reasoning(part['delta']);
        break;
      case 'tool-input-start':
        this.#pieced.add(String(part['id']));
        this.#output.tool(String(part['id']), part['toolName'], undefined);
        break;
      case 'tool-call':
        if (!this.#pieced.has(String(part['toolCallId']))) this.#content(part);
        else this.#host(part);
        break;
      case 'tool-input-delta':
        this.#output.tool(String(part['id']), undefined, part['delta']);
        break;
      case 'response-metadata':
        this.#metadata(part);
        break;
      case 'error':
        this.#failure = errorType(part['error']);
        break;
      case 'finish':
        this.#finish(part);
        break;
    }
  }

  result(): Reply {
    return {
      usage: this.#billed(),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      closed: this.#closed,
      failure: this.#failure,
      outputs: this.#output.outputs(),
      serviceTier: this.#serviceTier(),
      costUsd: reportedCost(objectAt(this.#usage, 'raw')) ?? this.#headerCost,
    };
  }

  #billed(): BilledUsage | undefined {
    const usage = modelUsage(this.#usage, this.#providerMetadata);
    return (
      usage && {
        ...hostedUses(this.#hosted),
        ...extrasOfRaw(objectAt(this.#usage, 'raw')),
        ...usage,
      }
    );
  }

  /** OpenAI's package passes it on as metadata, Anthropic's in the raw usage. */
  #serviceTier(): string | undefined {
    return (
      stringAt(objectAt(this.#providerMetadata, 'openai'), 'serviceTier') ??
      stringAt(objectAt(this.#usage, 'raw'), 'service_tier')
    );
  }

  #metadata(response: unknown): void {
    this.#id = stringAt(response, 'id') ?? this.#id;
    this.#model = stringAt(response, 'modelId') ?? this.#model;
  }

  #content(part: unknown): void {
    if (!isObject(part)) return;
    if (part['type'] === 'text') this.#output.text(part['text']);
    else if (part['type'] === 'reasoning') this.#output.reasoning(part['text']);
    else if (part['type'] === 'tool-call') {
      this.#host(part);
      this.#output.tool(String(part['toolCallId']), part['toolName'], part['input']);
    }
  }

  #host(part: Readonly<Record<string, unknown>>): void {
    if (part['providerExecuted'] === true) this.#hosted.push(String(part['toolName']));
  }

  /** v2 has the reason as a word, later ones the vendor's own beside it: `{ unified, raw }`. */
  #finish(part: Readonly<Record<string, unknown>>): void {
    const reason = part['finishReason'];
    const unified = stringAt(reason, 'unified');
    this.#unified = unified;
    this.#finishReason = typeof reason === 'string' ? reason : (stringAt(reason, 'raw') ?? unified);
    const madeUp = unified === 'other' && objectAt(part, 'finishReason')?.['raw'] === undefined;
    this.#closed = !madeUp && !NO_END.has(unified ?? this.#finishReason ?? 'unknown');
    if (!this.#readUsage) return;
    this.#usage = part['usage'];
    this.#providerMetadata = part['providerMetadata'];
  }
}
