import { ChoiceOutput } from '../choice-output.ts';
import type { CallShape } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import type { ReportedUsage } from '../../domain/reported-usage.ts';
import { fields, listOf, text, type JsonObject } from '../../tokens/json.ts';
import { failureIn } from '../reply-failure.ts';
import { chatCountable } from './countable.ts';
import { openaiRequest } from './request.ts';
import { executedToolUses } from '../groq/executed-tools.ts';
import { webSearchUses } from './hosted-tools.ts';
import { chatUsage, reportedCost } from './usage.ts';

/** What differs between OpenAI and the servers that speak its chat format. */
export interface ChatDialect {
  /** Where the usage of a whole reply or of a stream's chunk stands. */
  readonly usageOf?: (body: JsonObject, streamed: boolean) => unknown;
  readonly normalise?: (usage: unknown, model?: string) => ReportedUsage | undefined;
}

export function chatCompletions(dialect: ChatDialect = {}): CallShape {
  const usageOf = dialect.usageOf ?? ((body: JsonObject): unknown => body['usage']);
  const normalise = dialect.normalise ?? chatUsage;
  return {
    operation: 'chat',
    openaiApi: 'chat_completions',
    request: openaiRequest,
    reader: (options) => new ChatReader(options, usageOf, normalise),
    countable: chatCountable,
  };
}

interface Choice {
  readonly index: unknown;
  readonly output: ChoiceOutput | undefined;
  finishReason: string | undefined;
}

class ChatReader implements ReplyReader {
  readonly #options: ReadOptions;
  readonly #usageOf: NonNullable<ChatDialect['usageOf']>;
  readonly #normalise: NonNullable<ChatDialect['normalise']>;
  /** Few, and most often one. */
  readonly #choices: Choice[] = [];
  #usage: unknown;
  #id: string | undefined;
  #model: string | undefined;
  #serviceTier: string | undefined;
  #systemFingerprint: string | undefined;
  #whole = false;
  /** Types of the tools that Groq ran, by their number. */
  readonly #executed = new Map<unknown, unknown>();
  #failure: string | undefined;

  constructor(
    options: ReadOptions,
    usageOf: NonNullable<ChatDialect['usageOf']>,
    normalise: NonNullable<ChatDialect['normalise']>,
  ) {
    this.#options = options;
    this.#usageOf = usageOf;
    this.#normalise = normalise;
  }

  whole(reply: unknown): void {
    this.#whole = true;
    this.#read(fields(reply), false);
  }

  event(event: unknown): void {
    this.#read(fields(event), true);
  }

  result(): Reply {
    // Streams may begin a later choice first.
    const choices = this.#choices.toSorted((a, b) => Number(a.index) - Number(b.index));
    const finishReasons = choices.map(({ finishReason }) => finishReason);
    const outputs = choices.flatMap(({ output }) => output?.result() ?? []);
    return {
      usage: this.#options.usage ? this.#billed() : undefined,
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons,
      failure: this.#failure ?? (finishReasons.includes('error') ? 'error' : undefined),
      closed: this.#whole || (choices.length > 0 && !finishReasons.includes(undefined)),
      outputs,
      serviceTier: this.#serviceTier,
      systemFingerprint: this.#systemFingerprint,
      costUsd: this.#options.usage ? reportedCost(this.#usage) : undefined,
    };
  }

  #billed(): ReportedUsage | undefined {
    const usage = withOwnSearch(this.#normalise(this.#usage, this.#model), this.#model);
    return usage && { ...executedToolUses(this.#executed.values()), ...usage };
  }

  #read(body: JsonObject, streamed: boolean): void {
    this.#id ??= text(body['id']);
    // Azure opens a stream with an empty model name; the last one given is the one that answered.
    this.#model = text(body['model']) ?? this.#model;
    this.#serviceTier = text(body['service_tier']) ?? this.#serviceTier;
    this.#systemFingerprint ??= text(body['system_fingerprint']);
    if (this.#options.usage) {
      const usage = this.#usageOf(body, streamed);
      if (usage !== undefined && usage !== null) this.#usage = usage;
    }
    const { choices } = body;
    // OpenRouter and other gateways answer with status 200 then.
    this.#failure ??= failureIn(body);
    if (!Array.isArray(choices)) return;
    for (const given of choices as unknown[]) {
      const choice = fields(given);
      const state = this.#choice(choice['index']);
      state.finishReason = text(choice['finish_reason']) ?? state.finishReason;
      const message = fields(streamed ? choice['delta'] : choice['message']);
      const { executed_tools: executed } = message;
      if (Array.isArray(executed)) this.#execute(executed);
      if (state.output !== undefined) append(state.output, message);
    }
  }

  /** A stream reports a tool again when its result is there. */
  #execute(tools: readonly unknown[]): void {
    for (const [position, tool] of tools.entries()) {
      this.#executed.set(fields(tool)['index'] ?? position, fields(tool)['type']);
    }
  }

  #choice(index: unknown): Choice {
    for (const known of this.#choices) if (known.index === index) return known;
    const choice: Choice = {
      index,
      output: this.#options.output ? new ChoiceOutput() : undefined,
      finishReason: undefined,
    };
    this.#choices.push(choice);
    return choice;
  }
}

/** OpenAI's search models search once a request, for a fee that their usage leaves out. */
const SEARCH_MODEL = /^gpt-[\w.-]+-search-(preview|api)/;

function withOwnSearch(
  usage: ReportedUsage | undefined,
  model: string | undefined,
): ReportedUsage | undefined {
  const [, tool] = SEARCH_MODEL.exec(model ?? '') ?? [];
  if (usage === undefined || usage.webSearches !== undefined || tool === undefined) return usage;
  return { ...usage, ...webSearchUses(1, { isPreview: tool === 'preview', model }) };
}

/** A delta and a whole message have the same fields. */
function append(output: ChoiceOutput, message: JsonObject): void {
  const { content } = message;
  if (typeof content === 'string') output.addText(content);
  else for (const part of listOf(content)) output.addText(fields(part)['text']);
  output.addRefusal(message['refusal']);
  // DeepSeek and vLLM say `reasoning_content`, Groq, Together and OpenRouter `reasoning`.
  output.addReasoning(message['reasoning_content'] ?? message['reasoning']);
  const { tool_calls: toolCalls } = message;
  if (Array.isArray(toolCalls)) {
    for (const [position, given] of (toolCalls as unknown[]).entries()) {
      const call = fields(given);
      const index = call['index'];
      const called = fields(call['function'] ?? call['custom']);
      output.addToolCall(
        typeof index === 'number' ? index : position,
        called['name'],
        called['arguments'] ?? called['input'],
      );
    }
  }
  const legacy = message['function_call'];
  if (legacy !== undefined && legacy !== null) {
    output.addToolCall('function_call', fields(legacy)['name'], fields(legacy)['arguments']);
  }
}
