import {
  isObject,
  listOf,
  objectAt,
  stringAt,
  toJson,
  type JsonObject,
} from '../../tokens/json.ts';
import { imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { hasHostedTool, holds, namesAny } from '../hidden-input.ts';
import type { CountableInput } from '../../domain/call-shape.ts';
import type { RequestFacts } from '../../domain/request-facts.ts';
import { namedIdentity } from '../named-identity.ts';

/** `providerOptions` hold what the vendor's own request would: `{ openai: { user, metadata } }`. */
export function modelFacts(options: unknown): RequestFacts {
  const vendors = Object.values(objectAt(options, 'providerOptions') ?? {}).filter(isObject);
  return namedIdentity(...vendors, ...vendors.map((vendor) => vendor['metadata']));
}

/**
 * The options of a model call, in the shape of chat completions. `prompt` is the provider's form of it or,
 * where a telemetry event gave it, `messages` and `instructions` in the caller's form.
 */
export function modelCountable(options: unknown): CountableInput {
  if (!isObject(options)) return { kind: 'unknown' };
  const instructions = options['instructions'] ?? options['system'];
  const messages = listOf(options['prompt'] ?? options['messages']).filter(isObject);
  return {
    kind: 'chat',
    partial: hidesInput(options, messages),
    request: {
      messages: [
        ...(typeof instructions === 'string' ? [{ role: 'system', content: instructions }] : []),
        ...messages.flatMap(chatMessages),
      ],
      tools: listOf(options['tools'])
        .filter(isObject)
        .map((tool) =>
          toolDefinition(
            tool['name'],
            tool['description'],
            tool['inputSchema'] ?? tool['parameters'],
          ),
        ),
    },
  };
}

/** What a vendor's options name, in the AI SDK's spelling. */
const NAMED = [
  'previousResponseId',
  'conversation',
  'previousInteractionId',
  'cachedContent',
  'container',
  'mcpServers',
  'contextManagement',
  'searchParameters',
];

/** History and files with the vendor, and its own tools. */
function hidesInput(options: JsonObject, messages: readonly unknown[]): boolean {
  const vendors = Object.values(objectAt(options, 'providerOptions') ?? {});
  return (
    vendors.some((vendor) => namesAny(vendor, NAMED)) ||
    hasHostedTool(options['tools'], [undefined, 'function', 'dynamic']) ||
    holds(messages, ({ type, mediaType }) => type === 'file' && !isImage(mediaType))
  );
}

function isImage(mediaType: unknown): boolean {
  return typeof mediaType === 'string' && mediaType.startsWith('image');
}

/** Tool results are parts of one message here, messages of their own there. */
function chatMessages(message: JsonObject): readonly unknown[] {
  const { role, content } = message;
  if (!Array.isArray(content)) return [{ role, content }];
  const parts = listOf(content).filter(isObject);
  const results = parts.filter((part) => part['type'] === 'tool-result');
  const calls = parts.filter((part) => part['type'] === 'tool-call');
  const rest = parts.filter((part) => !results.includes(part) && !calls.includes(part));
  const said = {
    role,
    content: rest.map(contentPart),
    tool_calls: calls.map((call) => toolCall(call['toolName'], call['input'])),
  };
  return [
    ...(rest.length > 0 || calls.length > 0 ? [said] : []),
    ...results.map((result) => ({ role: 'tool', content: resultOf(result['output']) })),
  ];
}

function contentPart(part: JsonObject): unknown {
  switch (part['type']) {
    case 'reasoning':
      return textPart(part['text']);
    case 'image':
      return imageOf(part['image'], stringAt(part, 'mediaType') ?? 'image/png');
    case 'file': {
      const mediaType = stringAt(part, 'mediaType') ?? '';
      return isImage(mediaType) ? imageOf(part['data'], mediaType) : part;
    }
    default:
      return part;
  }
}

/** Bytes, base64, or a URL; from model specification v4 on inside `{ type, data | url }`. */
function imageOf(data: unknown, mediaType: string): object {
  if (data instanceof URL) return imagePart({ url: data.href });
  if (data instanceof Uint8Array) {
    return imagePart({ data: Buffer.from(data).toString('base64'), mediaType });
  }
  if (typeof data === 'string') {
    return /^(?:https?|data):/.test(data)
      ? imagePart({ url: data })
      : imagePart({ data, mediaType });
  }
  return isObject(data) ? imageOf(data['data'] ?? data['url'], mediaType) : imagePart({});
}

function resultOf(output: unknown): unknown {
  const value = isObject(output) && 'value' in output ? output['value'] : output;
  if (typeof value === 'string') return value;
  return isObject(output) && output['type'] === 'content'
    ? listOf(value).filter(isObject).map(contentPart)
    : toJson(value);
}
