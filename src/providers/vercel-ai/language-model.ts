import { errorType } from '../../host/quietly.ts';
import {
  fields,
  isObject,
  listOf,
  objectAt,
  stringAt,
  type JsonObject,
} from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { reportedCost } from '../openai/usage.ts';
import { gatewayCost } from '../gateway-cost.ts';
import { streamed } from '../streamed.ts';
import { hostedToolUses } from '../openai/hosted-tools.ts';
import { HostedUses } from './hosted-uses.ts';
import { modelCountable, modelFacts } from './prompt.ts';
import { modelUsage } from './usage.ts';
import { VendorReply } from './vendor-reply.ts';

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
  readonly #askedModel: string | undefined;
  readonly #request: JsonObject;
  #finishReason: string | undefined;
  #failure: string | undefined;
  #unified: string | undefined;
  #closed = false;
  #headerCost: number | undefined;
  readonly #hosted: HostedUses;
  /** The vendor's whole reply, or the last chunk of a stream that has a tier, for who asks for raw chunks. */
  #body: JsonObject | undefined;
  /** Calls whose input came in pieces; the whole call follows them. */
  readonly #pieced = new Set<string>();

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
    this.#hosted = new HostedUses(options.request);
    this.#askedModel = options.model;
    this.#request = { providerOptions: fields(options.request)['providerOptions'] };
  }

  whole(result: unknown): void {
    if (!isObject(result)) return;
    this.#metadata(result['response']);
    this.#body = objectAt(result['response'], 'body');
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
        else this.#hosted.part(part);
        break;
      case 'tool-result':
        this.#hosted.part(part);
        break;
      case 'raw':
        this.#raw(part['rawValue']);
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
    // Packages leave out what they do not know, so the vendor's own object comes first.
    const raw = this.#usage && (objectAt(this.#body, 'usage') ?? objectAt(this.#usage, 'raw'));
    const vendor = new VendorReply({
      raw,
      providerMetadata: this.#providerMetadata,
      body: this.#body,
      request: this.#request,
      model: this.#model ?? this.#askedModel,
    });
    return {
      usage: this.#billed(vendor),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#finishReason === undefined ? undefined : [this.#finishReason],
      closed: this.#closed,
      failure: this.#failure,
      outputs: this.#output.outputs(),
      serviceTier: vendor.serviceTier(),
      attributes: vendor.attributes(),
      costUsd: this.#usage
        ? (reportedCost(raw) ?? vendor.costUsd() ?? this.#headerCost)
        : this.#headerCost,
    };
  }

  #billed(vendor: VendorReply): BilledUsage | undefined {
    const usage = modelUsage(this.#usage, this.#providerMetadata);
    if (usage === undefined) return undefined;
    const isResponse = stringAt(this.#body, 'object') === 'response';
    const hosted = isResponse
      ? hostedToolUses(this.#body)
      : this.#hosted.uses(this.#model ?? this.#askedModel);
    const { codeExecutions, ...others } = hosted;
    const code = vendor.isGemini() ? undefined : codeExecutions;
    return {
      ...others,
      ...(code !== undefined && { codeExecutions: code }),
      ...vendor.extras(),
      ...usage,
    };
  }

  /** Chunks of chat completions name the tier, events of responses in the response. */
  #raw(chunk: unknown): void {
    const { response } = fields(chunk);
    const body = isObject(response) ? response : chunk;
    if (isObject(body) && typeof body['service_tier'] === 'string') {
      this.#body = { service_tier: body['service_tier'] };
    }
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
      this.#hosted.part(part);
      this.#output.tool(String(part['toolCallId']), part['toolName'], part['input']);
    } else this.#hosted.part(part);
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
