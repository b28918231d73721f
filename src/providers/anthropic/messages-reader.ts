import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { CodeExecutions } from './code-executions.ts';
import {
  anthropicAttributes,
  anthropicTier,
  anthropicUsage,
  mergeAnthropicUsage,
} from './usage.ts';

/** Reads a message or its events, as the Messages API and Bedrock's Claude models send them. */
export class MessagesReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: JsonObject = {};
  /** Before the first `message_delta` the output count is a placeholder. */
  #outputReported = false;
  #id: string | undefined;
  #model: string | undefined;
  #stopReason: string | undefined;
  #closed = false;
  #hasStarted = false;
  #isCompacted = false;
  readonly #code: CodeExecutions;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#code = new CodeExecutions(toolTypes(options.request));
    this.#output = new GatheredOutput(options.output);
  }

  whole(message: unknown): void {
    this.#start(message);
    this.#stopReason = stringAt(message, 'stop_reason');
    this.#outputReported = true;
    this.#closed = true;
    const content = isObject(message) ? listOf(message['content']) : [];
    for (const [index, block] of content.entries()) this.#block(index, block);
  }

  event(event: unknown): void {
    if (!isObject(event)) return;
    switch (event['type']) {
      case 'content_block_delta':
        this.#delta(event['index'], event['delta']);
        break;
      case 'content_block_start':
        this.#block(event['index'], event['content_block']);
        break;
      case 'message_start':
        this.#start(event['message']);
        break;
      case 'message_delta':
        this.#stopReason = stringAt(event['delta'], 'stop_reason') ?? this.#stopReason;
        if (isObject(event['usage'])) {
          this.#takeUsage(event['usage']);
          this.#outputReported = true;
        }
        break;
      case 'message_stop':
        this.#closed = true;
        break;
    }
  }

  result(): Reply {
    const usage = this.#code.addTo(anthropicUsage(this.#usage));
    return {
      usage: this.#outputReported ? usage : withoutOutput(usage),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#hasStarted ? [this.#stopReason] : undefined,
      isCompacted: this.#isCompacted,
      closed: this.#closed,
      outputs: this.#output.outputs(),
      serviceTier: anthropicTier(this.#usage),
      attributes: anthropicAttributes(this.#usage),
    };
  }

  #start(message: unknown): void {
    this.#hasStarted = true;
    this.#id = stringAt(message, 'id');
    this.#model = stringAt(message, 'model');
    this.#takeUsage(objectAt(message, 'usage'));
  }

  #takeUsage(usage: unknown): void {
    if (this.#readUsage) this.#usage = mergeAnthropicUsage(this.#usage, usage);
  }

  #block(index: unknown, block: unknown): void {
    if (!isObject(block)) return;
    switch (block['type']) {
      case 'text':
        this.#output.text(block['text']);
        break;
      case 'thinking':
        this.#output.reasoning(block['thinking']);
        break;
      case 'tool_use':
      case 'server_tool_use':
      case 'mcp_tool_use':
        if (block['type'] === 'server_tool_use') this.#code.use(block);
        this.#output.tool(Number(index), block['name'], inputOf(block));
        break;
      case 'compaction':
        this.#isCompacted = true;
        break;
      case 'fallback':
        this.#model = stringAt(objectAt(block, 'to'), 'model') ?? this.#model;
        break;
    }
  }

  #delta(index: unknown, delta: unknown): void {
    if (!isObject(delta)) return;
    if (delta['type'] === 'text_delta') this.#output.text(delta['text']);
    else if (delta['type'] === 'thinking_delta') this.#output.reasoning(delta['thinking']);
    else if (delta['type'] === 'input_json_delta') {
      this.#output.tool(Number(index), undefined, delta['partial_json']);
    }
  }
}

function toolTypes(request: unknown): readonly unknown[] {
  return listOf(isObject(request) ? request['tools'] : undefined).map((tool) =>
    stringAt(tool, 'type'),
  );
}

/** In a stream the input starts as `{}` and arrives as deltas. */
function inputOf(block: JsonObject): unknown {
  const input = block['input'];
  return isObject(input) && Object.keys(input).length === 0 ? undefined : input;
}

function withoutOutput(usage: Reply['usage']): Reply['usage'] {
  if (usage === undefined) return undefined;
  const { outputTokens: _placeholder, reasoningTokens: _partial, ...input } = usage;
  return { ...input, final: 'input' };
}
