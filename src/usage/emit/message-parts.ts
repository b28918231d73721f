import { isObject, listOf, objectAt, stringAt, text, type JsonObject } from '../../tokens/json.ts';

/** A part of a message as the JSON schemas of the conventions describe it. */
export type Part = Readonly<Record<string, unknown>> & { readonly type: string };

/**
 * Content of a message, whichever provider's form it has: a text, or a list of OpenAI's, Anthropic's,
 * Gemini's, Bedrock's or the AI SDK's parts. What has none of these forms stays as it is, with a `type`.
 */
export function partsOf(content: unknown): readonly Part[] {
  if (typeof content === 'string') return textPart('text', content);
  if (Array.isArray(content)) return content.flatMap((part: unknown) => partOf(part));
  return isObject(content) ? partOf(content) : [];
}

export function textPart(type: 'text' | 'reasoning', content: unknown): readonly Part[] {
  return text(content) === undefined ? [] : [{ type, content }];
}

export function toolCall(id: unknown, name: unknown, given: unknown): Part {
  return {
    type: 'tool_call',
    ...(typeof id === 'string' && { id }),
    name: typeof name === 'string' ? name : '',
    arguments: parsed(given),
  };
}

export function toolResponse(id: unknown, response: unknown): Part {
  return { type: 'tool_call_response', ...(typeof id === 'string' && { id }), response };
}

function partOf(part: unknown): readonly Part[] {
  if (typeof part === 'string') return textPart('text', part);
  if (!isObject(part)) return [];
  return typed(part) ?? untyped(part) ?? [{ type: 'unknown', ...part } as Part];
}

/** OpenAI, Anthropic, Mistral, Cohere, AI SDK. */
function typed(part: JsonObject): readonly Part[] | undefined {
  const { type } = part;
  if (typeof type !== 'string') return undefined;
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return textPart('text', part['text']);
    case 'refusal':
      return textPart('text', part['refusal']);
    case 'thinking':
    case 'reasoning':
      return textPart('reasoning', part['thinking'] ?? part['text'] ?? summaryOf(part));
    case 'tool_use':
    case 'function_call':
    case 'custom_tool_call':
    case 'tool-call':
      return [
        toolCall(
          part['call_id'] ?? part['toolCallId'] ?? part['id'],
          part['name'] ?? part['toolName'],
          part['arguments'] ?? part['input'],
        ),
      ];
    case 'tool_result':
    case 'function_call_output':
    case 'custom_tool_call_output':
    case 'tool-result':
      return [
        toolResponse(
          part['tool_use_id'] ?? part['call_id'] ?? part['toolCallId'],
          part['content'] ?? part['output'],
        ),
      ];
    case 'compaction':
      return [
        {
          type,
          ...pick(part, 'id'),
          ...(typeof part['content'] === 'string' && pick(part, 'content')),
        },
      ];
    case 'image_url':
    case 'input_image':
    case 'image':
      return [mediaPart('image', part)];
    case 'input_audio':
    case 'audio':
      return [mediaPart('audio', part)];
    case 'document':
    case 'input_file':
    case 'file':
      return [mediaPart('document', part)];
    default:
      return [part as Part];
  }
}

/** Gemini and Bedrock name the kind by the field. */
function untyped(part: JsonObject): readonly Part[] | undefined {
  if (typeof part['text'] === 'string') {
    return textPart(part['thought'] === true ? 'reasoning' : 'text', part['text']);
  }
  const call = objectAt(part, 'functionCall');
  if (call !== undefined) return [toolCall(call['id'], call['name'], call['args'])];
  const response = objectAt(part, 'functionResponse');
  if (response !== undefined) return [toolResponse(response['id'], response['response'])];
  const use = objectAt(part, 'toolUse');
  if (use !== undefined) return [toolCall(use['toolUseId'], use['name'], use['input'])];
  const result = objectAt(part, 'toolResult');
  if (result !== undefined) return [toolResponse(result['toolUseId'], result['content'])];
  const reasoning = objectAt(objectAt(part, 'reasoningContent'), 'reasoningText');
  if (reasoning !== undefined) return textPart('reasoning', reasoning['text']);
  const inline = objectAt(part, 'inlineData') ?? objectAt(part, 'fileData');
  if (inline !== undefined) return [mediaPart('document', inline)];
  for (const kind of ['image', 'audio', 'video', 'document']) {
    const media = objectAt(part, kind);
    if (media !== undefined) return [mediaPart(kind, media)];
  }
  return undefined;
}

/** A reference or inline data: `uri`, `file` or `blob`. */
function mediaPart(usual: string, part: JsonObject): Part {
  const inner =
    objectAt(part, 'source') ?? objectAt(part, 'input_audio') ?? objectAt(part, 'file') ?? part;
  const url =
    stringAt(part['image_url'], 'url') ??
    text(part['image_url']) ??
    text(inner['url']) ??
    text(inner['fileUri']) ??
    stringAt(inner['s3Location'], 'uri') ??
    text(part['file_url']);
  const [, ofUrl, inUrl] = /^data:([^;,]*)[^,]*,(.*)$/s.exec(url ?? '') ?? [];
  const mimeType =
    ofUrl ??
    text(inner['media_type']) ??
    text(inner['mimeType']) ??
    text(inner['mediaType']) ??
    formatOf(usual, inner['format'] ?? part['format']);
  const named = /^(image|audio|video)\//.exec(mimeType ?? '')?.[1];
  const of = { modality: named ?? usual, ...(mimeType !== undefined && { mime_type: mimeType }) };
  const fileId = text(inner['file_id']);
  if (fileId !== undefined) return { type: 'file', ...of, file_id: fileId };
  const data = inUrl ?? base64(inner['data'] ?? inner['bytes'] ?? inner['file_data']);
  if (data !== undefined) return { type: 'blob', ...of, content: data };
  return url === undefined ? (part as Part) : { type: 'uri', ...of, uri: url };
}

function formatOf(kind: string, format: unknown): string | undefined {
  if (typeof format !== 'string') return undefined;
  return `${kind === 'document' ? 'application' : kind}/${format}`;
}

/** Data is base64 already, or bytes. */
function base64(data: unknown): string | undefined {
  if (data instanceof Uint8Array) return Buffer.from(data).toString('base64');
  return text(data);
}

function summaryOf(part: JsonObject): string {
  return [...listOf(part['content']), ...listOf(part['summary'])]
    .map((item) => stringAt(item, 'text') ?? '')
    .join('\n');
}

/** Arguments come as an object or as its JSON. */
function parsed(given: unknown): unknown {
  if (typeof given !== 'string') return given;
  try {
    return JSON.parse(given) as unknown;
  } catch {
    return given;
  }
}

function pick(part: JsonObject, key: string): JsonObject {
  return part[key] === undefined ? {} : { [key]: part[key] };
}
