import type { SpanAttributes } from '@opentelemetry/api';
import type { EndedCall } from '../../domain/ended-call.ts';
import { ATTR_CONTENT, type SemconvGeneration } from '../../otel/semconv.ts';
import {
  isObject,
  listOf,
  objectAt,
  stringAt,
  toJson,
  type JsonObject,
} from '../../tokens/json.ts';
import { partsOf, textPart, toolCall, toolResponse, type Part } from './message-parts.ts';

interface Message {
  readonly role: string;
  readonly parts: readonly Part[];
  readonly name?: string;
}

/**
 * System instructions, tools and messages in the JSON of the conventions, for the span alone and only
 * after `captureContent: true`.
 */
export function contentAttributes(
  ended: EndedCall,
  generations: readonly SemconvGeneration[],
): SpanAttributes {
  const attributes: SpanAttributes = {};
  const set = (name: string, list: readonly unknown[]): void => {
    const json = list.length === 0 ? '' : toJson(list, bytesAsBase64);
    // What refers to itself has no JSON.
    if (json !== '') attributes[name] = json;
  };
  if (isObject(ended.request)) {
    set(ATTR_CONTENT.systemInstructions, partsOf(systemOf(ended.request)));
    set(ATTR_CONTENT.toolDefinitions, toolsOf(ended.request));
  }
  set(ATTR_CONTENT.inputMessages, inputMessages(ended));
  // Deprecated in 0.1.0, required before.
  const withReason = generations.includes('v1_41');
  set(
    ATTR_CONTENT.outputMessages,
    ended.reply.outputs.map((choice, index) => ({
      role: 'assistant',
      parts: [
        ...textPart('reasoning', choice.reasoning),
        ...textPart('text', choice.text ?? choice.refusal),
        ...(choice.toolCalls ?? []).map((call) => toolCall(undefined, call.name, call.arguments)),
      ],
      ...(withReason && { finish_reason: ended.reply.finishReasons?.[index] ?? 'error' }),
    })),
  );
  return attributes;
}

/** Bytes in tool results and unknown parts: JSON would list each of them. */
function bytesAsBase64(this: JsonObject, key: string, value: unknown): unknown {
  const given = this[key];
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value;
}

/** Instructions that are given beside the messages. */
function systemOf(request: JsonObject): unknown {
  const { system, instructions, preamble, config } = request;
  const ofGemini = objectAt(config, 'systemInstruction') ?? stringAt(config, 'systemInstruction');
  const given = system ?? instructions ?? preamble ?? request['systemInstruction'] ?? ofGemini;
  return isObject(given) && Array.isArray(given['parts']) ? given['parts'] : given;
}

function toolsOf(request: JsonObject): readonly JsonObject[] {
  const tools = request['tools'] ?? objectAt(request, 'toolConfig')?.['tools'];
  const given = tools ?? objectAt(request, 'config')?.['tools'];
  return listOf(given).flatMap((tool) => (isObject(tool) ? toolOf(tool) : []));
}

/** Names alone: the conventions advise against descriptions and parameters, which are large. */
function toolOf(tool: JsonObject): readonly JsonObject[] {
  const declared = tool['functionDeclarations'];
  if (Array.isArray(declared)) return declared.flatMap((one) => functionOf(one));
  const inner = objectAt(tool, 'function') ?? objectAt(tool, 'toolSpec');
  if (inner !== undefined) return functionOf(inner);
  const type = stringAt(tool, 'type');
  // Anthropic's own tools have a type, such as `web_search_20250305`, those of the caller none.
  if (type === undefined || type === 'function' || type === 'custom') return functionOf(tool);
  return [{ type, name: stringAt(tool, 'name') ?? type }];
}

function functionOf(tool: unknown): readonly JsonObject[] {
  const name = stringAt(tool, 'name');
  return name === undefined ? [] : [{ type: 'function', name }];
}

function inputMessages(ended: EndedCall): readonly Message[] {
  const { request } = ended;
  if (request === undefined) return [];
  const { messages, contents, input, prompt, message } = isObject(request) ? request : {};
  const given = messages ?? contents ?? (Array.isArray(prompt) ? prompt : undefined) ?? input;
  if (given === undefined && typeof message !== 'string') return countableMessages(ended);
  if (typeof (given ?? message) === 'string') return [userMessage(given ?? message)];
  if (isObject(given)) return messageOf(given);
  const list = listOf(given);
  return list.every((item) => typeof item === 'string')
    ? list.map(userMessage)
    : list.flatMap((item) => messageOf(item));
}

/** Requests that have texts elsewhere: embeddings, completions, LangChain. */
function countableMessages({ shape, request }: EndedCall): readonly Message[] {
  const countable = shape.countable(request);
  if (countable.kind === 'texts') return countable.texts.map(userMessage);
  if (countable.kind === 'unknown' || !isObject(countable.request)) return [];
  const { messages, input } = countable.request;
  return listOf(messages ?? input).flatMap((item) => messageOf(item));
}

function userMessage(content: unknown): Message {
  return { role: 'user', parts: partsOf(content) };
}

function messageOf(message: unknown): readonly Message[] {
  if (typeof message === 'string') return [userMessage(message)];
  if (!isObject(message)) return [];
  const role = roleOf(message);
  const { content, parts = content, tool_calls: calls, tool_call_id: answered } = message;
  // An item of OpenAI's Responses without a role is a part itself.
  if (parts === undefined && calls === undefined) return [{ role, parts: partsOf([message]) }];
  const name = stringAt(message, 'name');
  return [
    {
      role,
      parts:
        typeof answered === 'string'
          ? [toolResponse(answered, parts)]
          : [...partsOf(parts), ...listOf(calls).flatMap((call) => callOf(call))],
      ...(name !== undefined && { name }),
    },
  ];
}

function callOf(call: unknown): readonly Part[] {
  const called = objectAt(call, 'function') ?? objectAt(call, 'custom');
  if (called === undefined) return [];
  const { name, arguments: given, input } = called;
  return [toolCall(stringAt(call, 'id'), name, given ?? input)];
}

function roleOf(message: JsonObject): string {
  const role = stringAt(message, 'role');
  if (role === 'model') return 'assistant';
  if (role !== undefined) return role;
  const type = stringAt(message, 'type') ?? '';
  if (type.endsWith('_output')) return 'tool';
  return type.endsWith('_call') || type === 'reasoning' ? 'assistant' : 'user';
}
