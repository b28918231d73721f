import {
  isObject,
  listOf,
  objectAt,
  stringAt,
  toJson,
  type JsonObject,
} from '../../tokens/json.ts';
import type { TokenUsage } from '../../domain/usage-record.ts';
import { imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { hasHostedTool, holds, namesAny } from '../hidden-input.ts';
import { GatheredOutput } from '../gathered-output.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { addUsage } from '../../domain/token-counts.ts';
import { interactionUsage } from './usage.ts';

/** Interactions API. */
export const interaction: CallShape = {
  operation: 'chat',
  request: (request) => ({
    model: stringAt(request, 'model') ?? stringAt(request, 'agent'),
    stream: isObject(request) && request['stream'] === true,
    background: isObject(request) && request['background'] === true,
  }),
  reader: (options) => new InteractionReader(options),
  countable: interactionCountable,
};

/** States in which the server will add nothing more to this reply. */
const CLOSING = new Set([
  'completed',
  'requires_action',
  'incomplete',
  'budget_exceeded',
  'cancelled',
  'expired',
  'failed',
]);
const PENDING = new Set(['in_progress', 'queued']);
const CANCELLED = new Set(['cancelled', 'expired']);

class InteractionReader implements ReplyReader {
  readonly #options: ReadOptions;
  #output: GatheredOutput;
  /** A reply that the SDK continues consists of several interactions, each with its own usage. */
  readonly #usages = new Map<string, TokenUsage | undefined>();
  #id: string | undefined;
  #model: string | undefined;
  #status: string | undefined;
  #serviceTier: string | undefined;
  #isWhole = false;

  constructor(options: ReadOptions) {
    this.#options = options;
    this.#output = new GatheredOutput(options.output);
  }

  whole(reply: unknown): void {
    this.#output = new GatheredOutput(this.#options.output);
    this.#isWhole = true;
    this.#interaction(reply);
    const steps = isObject(reply) ? listOf(reply['steps'] ?? reply['outputs']) : [];
    for (const [index, step] of steps.entries()) this.#step(step, index);
  }

  event(event: unknown): void {
    if (!isObject(event)) return;
    switch (event['event_type']) {
      case 'interaction.created':
        // The stream of a reply in the background may be read again from its beginning.
        if (this.#id !== undefined && this.#id === stringAt(event['interaction'], 'id')) {
          this.#output = new GatheredOutput(this.#options.output);
        }
        this.#interaction(event['interaction']);
        break;
      case 'interaction.completed':
        this.#interaction(event['interaction']);
        break;
      case 'interaction.status_update':
        this.#status = stringAt(event, 'status') ?? this.#status;
        break;
      case 'step.start':
        this.#step(event['step'], Number(event['index'] ?? 0));
        break;
      case 'step.delta':
        this.#delta(objectAt(event, 'delta'), Number(event['index'] ?? 0));
        break;
    }
  }

  result(): Reply {
    return {
      usage: [...this.#usages.values()].reduce(addUsage, undefined),
      responseId: this.#id,
      responseModel: this.#model,
      finishReasons: this.#status === undefined ? undefined : [this.#status],
      closed: CLOSING.has(this.#status ?? ''),
      pending: this.#isWhole && PENDING.has(this.#status ?? ''),
      cancelled: CANCELLED.has(this.#status ?? ''),
      failure: this.#status === 'failed' ? 'failed' : undefined,
      outputs: this.#output.outputs(),
      serviceTier: this.#serviceTier,
    };
  }

  #interaction(reply: unknown): void {
    if (!isObject(reply)) return;
    this.#id = stringAt(reply, 'id') ?? this.#id;
    this.#model = stringAt(reply, 'model') ?? this.#model;
    this.#status = stringAt(reply, 'status') ?? this.#status;
    this.#serviceTier = stringAt(reply, 'service_tier') ?? this.#serviceTier;
    const usage = this.#options.usage ? interactionUsage(reply['usage']) : undefined;
    if (usage !== undefined) this.#usages.set(this.#id ?? '', usage);
  }

  #step(step: unknown, index: number): void {
    if (!isObject(step)) return;
    this.#output.text(stringAt(step, 'text'));
    for (const part of listOf(step['content'])) this.#output.text(stringAt(part, 'text'));
    for (const part of listOf(step['summary'])) this.#output.reasoning(stringAt(part, 'text'));
    if (step['type'] === 'function_call') {
      const args = objectAt(step, 'arguments');
      const empty = args === undefined || Object.keys(args).length === 0;
      this.#output.tool(index, step['name'], empty ? undefined : args);
    }
  }

  #delta(delta: JsonObject | undefined, index: number): void {
    switch (delta?.['type']) {
      case 'text':
        this.#output.text(delta['text']);
        break;
      case 'thought_summary':
        this.#output.reasoning(stringAt(delta['content'], 'text'));
        break;
      case 'arguments_delta':
        this.#output.tool(index, undefined, delta['arguments']);
        break;
    }
  }
}

function interactionCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const { input } = request;
  const system = stringAt(request, 'system_instruction');
  const given = Array.isArray(input) ? listOf(input) : [input];
  return {
    kind: 'chat',
    partial: hidesInput(request, given),
    request: {
      messages: [
        ...(system === undefined ? [] : [{ role: 'system', content: system }]),
        ...given.map(message),
      ],
      tools: listOf(request['tools'])
        .filter(isObject)
        .filter((tool) => tool['type'] === 'function')
        .map((tool) => toolDefinition(tool['name'], tool['description'], tool['parameters'])),
    },
  };
}

/** What was said before is on the server, as are agents, files and hosted tools. */
function hidesInput(request: JsonObject, given: readonly unknown[]): boolean {
  const hasUri = ({ uri }: JsonObject): boolean => typeof uri === 'string';
  return (
    namesAny(request, ['previous_interaction_id', 'agent', 'cached_content']) ||
    hasHostedTool(request['tools'], ['function']) ||
    holds(given, hasUri)
  );
}

/** A text, a piece of content, or a step of what was said before. */
function message(entry: unknown): unknown {
  if (!isObject(entry)) return { role: 'user', content: entry };
  switch (entry['type']) {
    case 'user_input':
      return { role: 'user', content: listOf(entry['content']).map(part) };
    case 'model_output':
      return { role: 'assistant', content: listOf(entry['content']).map(part) };
    case 'function_call':
      return { role: 'assistant', tool_calls: [toolCall(entry['name'], entry['arguments'])] };
    case 'function_result':
      return { role: 'tool', content: toJson(entry['result']) };
    default:
      return { role: 'user', content: [part(entry)] };
  }
}

function part(content: unknown): unknown {
  if (!isObject(content)) return textPart(content);
  if (content['type'] !== 'image') return content;
  return imagePart({
    data: stringAt(content, 'data'),
    mediaType: stringAt(content, 'mime_type'),
    url: stringAt(content, 'uri'),
  });
}
