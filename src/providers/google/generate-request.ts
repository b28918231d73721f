import { isObject, listOf, objectAt, stringAt, type JsonObject } from '../../tokens/json.ts';
import { filePart, imagePart, textPart, toolCall, toolDefinition } from '../chat-parts.ts';
import { namesAny } from '../hidden-input.ts';
import type { CountableInput } from '../../domain/call-shape.ts';

/** The SDK names models both `gemini-x` and `models/gemini-x`; prices know the first. */
export function modelName(request: unknown): string | undefined {
  return stringAt(request, 'model')?.replace(/^models\//, '');
}

/** The request in the shape of chat completions, for counting. */
export function generateCountable(request: unknown): CountableInput {
  if (!isObject(request)) return { kind: 'unknown' };
  const config = objectAt(request, 'config');
  const system = config?.['systemInstruction'];
  return {
    kind: 'chat',
    partial: hidesInput(request, config),
    request: {
      model: modelName(request),
      messages: [
        ...(system === undefined ? [] : [{ role: 'system', content: partsOf(system) }]),
        ...contentsOf(request['contents']),
      ],
      tools: listOf(config?.['tools'])
        .flatMap((tool) => listOf(isObject(tool) ? tool['functionDeclarations'] : undefined))
        .filter(isObject)
        .map((declared) =>
          toolDefinition(
            declared['name'],
            declared['description'],
            declared['parametersJsonSchema'] ?? declared['parameters'],
          ),
        ),
    },
  };
}

/** Cached content, files by their address, and tools that Google runs. */
function hidesInput(request: JsonObject, config: JsonObject | undefined): boolean {
  return (
    namesAny(config, ['cachedContent']) ||
    listOf(config?.['tools']).some(
      (tool) => isObject(tool) && Object.keys(tool).some((key) => key !== 'functionDeclarations'),
    ) ||
    allParts(request['contents']).some((part) => objectAt(part, 'fileData') !== undefined)
  );
}

/** The texts to embed. */
export function embeddingCountable(contents: unknown): CountableInput {
  const parts = allParts(contents);
  const texts = parts.map((part) => (typeof part === 'string' ? part : stringAt(part, 'text')));
  const found = texts.filter((text) => text !== undefined);
  return { kind: 'texts', texts: found, tokens: 0, partial: found.length < parts.length };
}

function allParts(contents: unknown): readonly unknown[] {
  const list = Array.isArray(contents) ? listOf(contents) : [contents];
  return list.flatMap((entry) => (isContent(entry) ? listOf(entry['parts']) : [entry]));
}

/** A string, a part, a content, or a list of contents or of parts, which make one content. */
function contentsOf(contents: unknown): readonly unknown[] {
  const list = Array.isArray(contents) ? listOf(contents) : [contents];
  const loose = list.filter((entry) => !isContent(entry));
  const whole = list.filter(isContent).flatMap(messagesOf);
  return loose.length === 0 ? whole : [...whole, ...messagesOf({ role: 'user', parts: loose })];
}

function isContent(entry: unknown): entry is JsonObject {
  return isObject(entry) && Array.isArray(entry['parts']);
}

function messagesOf(content: JsonObject): readonly unknown[] {
  const parts = listOf(content['parts']);
  const calls = parts.map((part) => objectAt(part, 'functionCall')).filter(isObject);
  const results = parts.map((part) => objectAt(part, 'functionResponse')).filter(isObject);
  const rest = parts.filter(
    (part) => !isObject(part) || !('functionCall' in part || 'functionResponse' in part),
  );
  const said = {
    role: content['role'] === 'model' ? 'assistant' : 'user',
    content: rest.map(partOf),
    tool_calls: calls.map((call) => toolCall(call['name'], call['args'])),
  };
  return [
    ...results.map((result) => ({
      role: 'tool',
      content: JSON.stringify(result['response'] ?? {}),
    })),
    ...(rest.length > 0 || calls.length > 0 ? [said] : []),
  ];
}

function partsOf(content: unknown): readonly unknown[] {
  if (isContent(content)) return listOf(content['parts']).map(partOf);
  return (Array.isArray(content) ? listOf(content) : [content]).map(partOf);
}

function partOf(part: unknown): unknown {
  if (typeof part === 'string') return textPart(part);
  const inline = objectAt(part, 'inlineData');
  if (inline !== undefined) return inlinePart(inline);
  const file = objectAt(part, 'fileData');
  if (file !== undefined) return imagePart({ url: stringAt(file, 'fileUri') });
  return part;
}

function inlinePart(inline: JsonObject): object {
  const data = stringAt(inline, 'data');
  const mediaType = stringAt(inline, 'mimeType');
  return data === undefined || mediaType?.startsWith('image') !== false
    ? imagePart({ data, mediaType })
    : filePart(stringAt(inline, 'displayName'), mediaType, data);
}
