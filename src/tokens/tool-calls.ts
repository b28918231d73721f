import { listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { Quality } from './quality.ts';
import type { Tally } from './tally.ts';

/** A call of a tool, in a request or in a reply. */
export interface ToolCall {
  readonly id: string | undefined;
  readonly name: string;
  /** JSON text. */
  readonly arguments: string;
}

/** Calls of a message of Chat Completions. */
export function callsOf(message: JsonObject): readonly ToolCall[] {
  return listOf(message['tool_calls']).map((call) => {
    const called = objectAt(call, 'function') ?? objectAt(call, 'custom');
    return callOf(called, stringAt(call, 'id'));
  });
}

/** An item `function_call` of the Responses API, or the deprecated field of that name. */
export function callOf(called: JsonObject | undefined, id: string | undefined): ToolCall {
  const given = called?.['arguments'] ?? called?.['input'];
  return {
    id,
    name: stringAt(called, 'name') ?? '',
    arguments: typeof given === 'string' ? given : toJson(given),
  };
}

/** A call is addressed to its tool by this name. */
export function addCallee(tally: Tally, { name }: ToolCall, quality: Quality): void {
  tally.addText('toolCalls', `functions.${name}`, quality);
}

/** JSON without whitespace between its tokens, as models are shown it. */
export function compactJson(text: string): { readonly text: string; readonly same: boolean } {
  try {
    const compact = JSON.stringify(JSON.parse(text));
    return { text: compact, same: withoutSpace(compact) === withoutSpace(text) };
  } catch {
    return { text, same: false };
  }
}

function withoutSpace(text: string): string {
  return text.replaceAll(/\s/g, '');
}

/**
 * Parallel calls: one call of a wrapper with the calls in its arguments. Worked out from recorded
 * replies, and equal to the bill of each.
 */
export function parallelCall(calls: readonly ToolCall[]): {
  readonly text: string;
  readonly same: boolean;
} {
  const compacted = calls.map((call) => ({ name: call.name, ...compactJson(call.arguments) }));
  const uses = compacted.map(
    ({ name, text }) =>
      `{"recipient_name":${JSON.stringify(`functions.${name}`)},"parameters":${text}}`,
  );
  return {
    text: `{"tool_uses":[${uses.join(',')}]}`,
    same: compacted.every(({ same }) => same),
  };
}

/**
 * Results of parallel calls: a JSON list in ASCII, which makes a text with other characters many
 * times longer.
 */
export function parallelResults(results: readonly string[]): string {
  return `[${results.map(asciiJson).join(', ')}]`;
}

function asciiJson(text: string): string {
  return JSON.stringify(text).replaceAll(/[^\0-\x7F]/g, (unit) =>
    unit
      .split('')
      .map((half) => `\\u${half.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
}
