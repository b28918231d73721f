import { isObject, listOf, type JsonObject } from '../tokens/json.ts';

/**
 * Input that a request only names: it is with the provider (history, stored prompts, files), or the
 * provider adds it itself (hosted tools). Counts of such a request are never exact.
 */

/** Whether one of these fields is set. */
export function namesAny(request: unknown, names: readonly string[]): boolean {
  return isObject(request) && names.some((name) => isSet(request[name]));
}

/** Whether a tool is none of the caller's own, by its `type`. */
export function hasHostedTool(
  tools: unknown,
  own: readonly unknown[] = [undefined, 'function', 'custom'],
): boolean {
  return listOf(tools).some((tool) => isObject(tool) && !own.includes(tool['type']));
}

/** Whether a message, or a part of its content, is one of these. */
export function holds(messages: unknown, isHidden: (part: JsonObject) => boolean): boolean {
  return listOf(messages).some(
    (message) =>
      isObject(message) && (isHidden(message) || listOf(message['content']).some(isHiddenPart)),
  );

  function isHiddenPart(part: unknown): boolean {
    return isObject(part) && isHidden(part);
  }
}

function isSet(value: unknown): boolean {
  return (
    value !== undefined &&
    value !== null &&
    value !== false &&
    value !== '' &&
    !(Array.isArray(value) && value.length === 0)
  );
}
