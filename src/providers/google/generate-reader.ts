import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { FinishReasons } from '../finish-reasons.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { BilledUsage } from '../../domain/billed-usage.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { gatewayCost } from '../gateway-cost.ts';
import { Grounding } from './grounding.ts';
import { googleTier, googleUsage } from './usage.ts';

/** Reads `GenerateContentResponse`: a stream sends the same shape, piece by piece. */
export class GenerateContentReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  readonly #finishReasons = new FinishReasons();
  #usageMetadata: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #closed = false;
  #isWhole = false;
  #tools = 0;
  readonly #grounding = new Grounding();
  #headers: JsonObject | undefined;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    this.event(response);
    this.#closed = true;
    this.#isWhole = true;
  }

  event(response: unknown): void {
    if (!isObject(response)) return;
    this.#headers ??= objectAt(objectAt(response, 'sdkHttpResponse'), 'headers');
    // Totals so far: the last one stands.
    if (this.#readUsage) this.#usageMetadata = response['usageMetadata'] ?? this.#usageMetadata;
    this.#id = stringAt(response, 'responseId') ?? this.#id;
    this.#model = stringAt(response, 'modelVersion') ?? this.#model;
    for (const [position, candidate] of listOf(response['candidates']).entries()) {
      if (isObject(candidate)) this.#candidate(candidate, position);
    }
    const blocked = stringAt(objectAt(response, 'promptFeedback'), 'blockReason');
    if (blocked !== undefined) this.#finish(0, blocked);
  }

  result(): Reply {
    return {
      usage: this.#billed(),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#finishReasons.list(),
      closed: this.#closed,
      outputs: this.#output.outputs(),
      serviceTier: googleTier(
        this.#usageMetadata,
        stringAt(this.#headers, 'x-gemini-service-tier'),
      ),
      costUsd: this.#isWhole ? gatewayCost(this.#headers?.['x-litellm-response-cost']) : undefined,
    };
  }

  #billed(): BilledUsage | undefined {
    const tokens = googleUsage(this.#usageMetadata);
    return tokens && { ...tokens, ...this.#grounding.uses(this.#model) };
  }

  #candidate(candidate: JsonObject, position: number): void {
    const given = candidate['index'];
    const index = typeof given === 'number' ? given : position;
    this.#finishReasons.begun(index);
    for (const part of listOf(objectAt(candidate, 'content')?.['parts'])) {
      this.#part(part, index);
    }
    this.#grounding.add(candidate['groundingMetadata']);
    const reason = stringAt(candidate, 'finishReason');
    if (reason !== undefined) this.#finish(index, reason);
  }

  #part(part: unknown, index: number): void {
    if (!isObject(part)) return;
    if (part['thought'] === true) this.#output.reasoning(part['text'], index);
    else this.#output.text(part['text'], index);
    const call = objectAt(part, 'functionCall');
    if (call !== undefined) {
      this.#output.tool(this.#tools, call['name'], call['args'] ?? {}, index);
      this.#tools += 1;
    }
    this.#output.text(objectAt(part, 'executableCode')?.['code'], index);
  }

  #finish(index: number, reason: string): void {
    this.#finishReasons.ended(index, reason);
    this.#closed = true;
  }
}
