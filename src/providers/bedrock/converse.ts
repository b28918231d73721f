import {
  isObject,
  listOf,
  objectAt,
  stringAt,
  toJson,
  type JsonObject,
} from '../../tokens/json.ts';
import { imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { GatheredOutput } from '../gathered-output.ts';
import { holds, namesAny } from '../hidden-input.ts';
import { namedIdentity } from '../named-identity.ts';
import type { CallShape, CountableInput } from '../../domain/call-shape.ts';
import type { ReadOptions, ReplyReader } from '../../domain/reply-reader.ts';
import type { Reply } from '../../domain/reply.ts';
import { converseTier, converseUsage, systemToolUses } from './usage.ts';

export const converse: CallShape = {
  operation: 'chat',
  request: (input) => ({
    model: stringAt(input, 'modelId'),
    ...namedIdentity(objectAt(input, 'requestMetadata')),
  }),
  reader: (options) => new ConverseReader(options),
  countable: converseCountable,
};

/** Reads Converse and ConverseStream; Nova models speak the same inside InvokeModel. */
export class ConverseReader implements ReplyReader {
  readonly #readUsage: boolean;
  readonly #output: GatheredOutput;
  #usage: unknown;
  #id: string | undefined;
  #stopReason: string | undefined;
  #serviceTier: string | undefined;
  #closed = false;
  /** Names of the tools of Amazon that were used. */
  readonly #hosted: string[] = [];
  /** Over HTTP/2 the SDK makes an empty reply of a body that never came. */
  #isLost = false;

  constructor(options: ReadOptions) {
    this.#readUsage = options.usage;
    this.#output = new GatheredOutput(options.output);
  }

  whole(response: unknown): void {
    if (!isObject(response)) return;
    this.#id = stringAt(objectAt(response, '$metadata'), 'requestId');
    const message = objectAt(objectAt(response, 'output'), 'message');
    for (const [index, block] of listOf(message?.['content']).entries()) this.#block(index, block);
    this.#finish(response);
    this.#closed = true;
    this.#isLost = !['output', 'stopReason', 'usage'].some(
      (field) => response[field] !== undefined,
    );
  }

  event(event: unknown): void {
    const delta = objectAt(event, 'contentBlockDelta');
    if (delta !== undefined) {
      this.#block(Number(delta['contentBlockIndex'] ?? 0), delta['delta']);
      return;
    }
    const start = objectAt(event, 'contentBlockStart');
    if (start !== undefined) this.#block(Number(start['contentBlockIndex'] ?? 0), start['start']);
    const stop = objectAt(event, 'messageStop');
    if (stop !== undefined) {
      this.#finish(stop);
      this.#closed = true;
    }
    const metadata = objectAt(event, 'metadata');
    if (metadata !== undefined) this.#finish(metadata);
  }

  result(): Reply {
    const usage = converseUsage(this.#usage);
    return {
      usage: usage && { ...usage, ...systemToolUses(this.#hosted) },
      serviceTier: this.#serviceTier,
      responseId: this.#id,
      finishReasons: this.#stopReason === undefined ? undefined : [this.#stopReason],
      closed: this.#closed,
      cancelled: this.#isLost,
      outputs: this.#output.outputs(),
    };
  }

  #finish(part: JsonObject): void {
    this.#stopReason = stringAt(part, 'stopReason') ?? this.#stopReason;
    if (this.#readUsage) this.#usage = part['usage'] ?? this.#usage;
    this.#serviceTier = converseTier(part) ?? this.#serviceTier;
  }

  #block(index: number, block: unknown): void {
    this.#output.text(stringAt(block, 'text'));
    const reasoning = objectAt(block, 'reasoningContent');
    if (reasoning !== undefined) {
      this.#output.reasoning(
        stringAt(reasoning, 'text') ?? stringAt(objectAt(reasoning, 'reasoningText'), 'text'),
      );
    }
    const tool = objectAt(block, 'toolUse');
    if (tool === undefined) return;
    if (tool['type'] === 'server_tool_use') this.#hosted.push(String(tool['name']));
    this.#output.tool(index, tool['name'], tool['input']);
  }
}

/** The request in the shape of chat completions, for counting. */
export function converseCountable(input: unknown): CountableInput {
  if (!isObject(input)) return { kind: 'unknown' };
  const system = listOf(input['system']).filter((block) => stringAt(block, 'text') !== undefined);
  return {
    kind: 'chat',
    partial: hidesInput(input),
    request: {
      model: input['modelId'],
      messages: [
        ...(system.length === 0 ? [] : [{ role: 'system', content: system.map(blockPart) }]),
        ...listOf(input['messages']).filter(isObject).flatMap(chatMessages),
      ],
      tools: listOf(objectAt(input, 'toolConfig')?.['tools'])
        .map((tool) => objectAt(tool, 'toolSpec'))
        .filter(isObject)
        .map((spec) =>
          toolDefinition(
            spec['name'],
            spec['description'],
            objectAt(spec, 'inputSchema')?.['json'],
          ),
        ),
    },
  };
}

/** Stored prompts, files (of which the provider makes text or images), and tools that Amazon runs. */
function hidesInput(input: JsonObject): boolean {
  return (
    namesAny(input, ['promptVariables']) ||
    stringAt(input, 'modelId')?.includes(':prompt/') === true ||
    listOf(objectAt(input, 'toolConfig')?.['tools']).some(
      (tool) => objectAt(tool, 'systemTool') !== undefined,
    ) ||
    holds(
      input['messages'],
      (block) =>
        'document' in block ||
        'video' in block ||
        'audio' in block ||
        objectAt(objectAt(block['image'], 'source'), 's3Location') !== undefined,
    )
  );
}

function chatMessages(message: JsonObject): readonly unknown[] {
  const blocks = listOf(message['content']).filter(isObject);
  const results = blocks.map((block) => objectAt(block, 'toolResult')).filter(isObject);
  const calls = blocks.map((block) => objectAt(block, 'toolUse')).filter(isObject);
  const rest = blocks.filter((block) => !('toolResult' in block || 'toolUse' in block));
  const said = {
    role: message['role'],
    content: rest.map(blockPart),
    tool_calls: calls.map((call) => toolCall(call['name'], call['input'])),
  };
  return [
    ...results.map((result) => ({
      role: 'tool',
      content: listOf(result['content']).map(blockPart),
    })),
    ...(rest.length > 0 || calls.length > 0 ? [said] : []),
  ];
}

function blockPart(block: unknown): unknown {
  if (!isObject(block)) return block;
  if ('json' in block) return textPart(toJson(block['json']));
  const image = objectAt(block, 'image');
  const bytes = objectAt(image, 'source')?.['bytes'];
  if (!(bytes instanceof Uint8Array)) return block;
  return imagePart({
    data: Buffer.from(bytes).toString('base64'),
    mediaType: `image/${stringAt(image, 'format') ?? 'png'}`,
  });
}
