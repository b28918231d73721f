import { countChat } from '../tokens/index.ts';
import { fields } from '../tokens/json.ts';
import type { CallSize } from '../domain/call-budgets.ts';
import type { UsageRecord } from '../domain/usage-record.ts';
import type { BudgetReserve } from './budget.ts';

/** Tokens that a call may use, before it is sent. */
export interface EstimatedTokens {
  readonly input: number;
  readonly output: number;
}

/** Replies of one model, as they were lately. */
interface Replies {
  longest: number;
  mean: number;
}

/** Of a model that has not replied yet. */
const FIRST_REPLY = 1000;
/** The longest reply is forgotten by this share with each shorter one. */
const FORGET = 0.01;
const NEWEST_WEIGHT = 0.1;
const MODELS_MAX = 1000;

/** Longer input is not counted before a call but estimated: counting is 10 to 20 MB a second. */
const COUNTED_CHARACTERS = 64 << 10;
/** Of text in any language, where it is not counted. */
const CHARACTERS_PER_TOKEN = 3;
/** An image or a file in base64, whatever its length. */
const MEDIA_TOKENS = 1500;
/** Framing of a message, which no text shows. */
const OBJECT_TOKENS = 4;
/** Deeper and larger requests are left at what was seen. */
const NODES_MAX = 20_000;

const OUTPUT_LIMITS = [
  'max_completion_tokens',
  'max_output_tokens',
  'max_tokens',
  'maxOutputTokens',
  'maxTokens',
  'num_predict',
  'max_new_tokens',
] as const;
const NESTED = ['config', 'generationConfig', 'inferenceConfig', 'options'] as const;
const CHOICES = ['n', 'candidateCount'] as const;

/** What calls will use, from their requests and from the replies of the past. */
export class CallEstimate {
  readonly #replies = new Map<string, Replies>();

  learn({ requestModel, outputTokens }: UsageRecord): void {
    if (outputTokens === undefined) return;
    const known = this.#replies.get(requestModel);
    if (known === undefined) {
      if (this.#replies.size >= MODELS_MAX) this.#replies.clear();
      this.#replies.set(requestModel, { longest: outputTokens, mean: outputTokens });
      return;
    }
    known.longest = Math.max(outputTokens, known.longest * (1 - FORGET));
    known.mean += (outputTokens - known.mean) * NEWEST_WEIGHT;
  }

  tokens(how: BudgetReserve, model: string, size: CallSize): EstimatedTokens {
    if (how === 'none') return { input: 0, output: 0 };
    const characters = new RequestLength(size.request);
    return {
      input: how === 'max' ? characters.most : countedInput(model, size, characters),
      output: size.inputOnly ? 0 : Math.ceil(this.#output(how, model, size)),
    };
  }

  #output(how: BudgetReserve, model: string, size: CallSize): number {
    const replies = this.#replies.get(model);
    const asked = outputLimit(size);
    const count = choices(size.request);
    const limit = asked === undefined ? undefined : asked * count;
    if (how === 'max') return limit ?? (replies?.longest ?? FIRST_REPLY) * count;
    return Math.min(limit ?? Infinity, replies?.mean ?? FIRST_REPLY);
  }
}

function countedInput(
  model: string,
  { request, operation }: CallSize,
  length: RequestLength,
): number {
  const estimated = Math.ceil(length.characters / CHARACTERS_PER_TOKEN) + length.beside;
  if (operation !== 'chat' || length.characters > COUNTED_CHARACTERS) return estimated;
  const { tokens } = countChat(request, model);
  return tokens > 0 ? tokens : estimated;
}

function outputLimit({ request, outputLimit: given }: CallSize): number | undefined {
  const top = fields(request);
  const places = [top, ...NESTED.map((name) => fields(top[name]))];
  for (const place of places) {
    for (const name of OUTPUT_LIMITS) {
      const limit = place[name];
      if (typeof limit === 'number' && limit > 0) return limit;
    }
  }
  return given;
}

function choices(request: unknown): number {
  const top = fields(request);
  for (const place of [top, fields(top['config']), fields(top['generationConfig'])]) {
    for (const name of CHOICES) {
      const count = place[name];
      if (typeof count === 'number' && count > 1) return count;
    }
  }
  return 1;
}

/** Length of all texts of a request, without reading them. */
class RequestLength {
  characters = 0;
  /** Of their UTF-8. */
  bytes = 0;
  /** Tokens of what has no text. */
  beside = 0;
  #nodes = 0;

  constructor(request: unknown) {
    this.#add(request);
  }

  /** No tokenizer makes more tokens of a text than it has bytes; of English it makes far fewer. */
  get most(): number {
    return this.bytes + this.beside;
  }

  #add(value: unknown): void {
    if (typeof value === 'string') {
      if (isMedia(value)) this.beside += MEDIA_TOKENS;
      else {
        this.characters += value.length;
        this.bytes += Buffer.byteLength(value);
      }
      return;
    }
    if (typeof value !== 'object' || value === null || this.#nodes++ > NODES_MAX) return;
    if (ArrayBuffer.isView(value)) {
      this.characters += value.byteLength;
      this.bytes += value.byteLength;
      return;
    }
    this.beside += OBJECT_TOKENS;
    if (Array.isArray(value)) for (const item of value) this.#add(item);
    else for (const key in value) this.#add((value as Record<string, unknown>)[key]);
  }
}

/** Not just any text without spaces: Chinese and Japanese have none. */
const BASE64 = /^[\w+/=-]*$/;

/** A data URL, or base64 without a break. */
function isMedia(text: string): boolean {
  if (text.length < 1000) return false;
  return text.startsWith('data:') || BASE64.test(text.slice(0, 500));
}
