import { addContent } from './content-parts.ts';
import type { Framing } from './framing.ts';
import { isObject, listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelProfile } from './models.ts';
import type { Tally } from './tally.ts';
import type { ToolHistory } from './tool-history.ts';

export interface MessageContext {
  readonly profile: ModelProfile;
  readonly framing: Framing;
  readonly history: ToolHistory;
  /**
   * Measured: in Chat Completions, a newline stands between the first system message and the
   * declarations of functions.
   */
  readonly padded: boolean;
}

/** One element of `messages`, or one item of `input` in the Responses API. */
export function addMessage(tally: Tally, message: unknown, context: MessageContext): void {
  const { history } = context;
  if (!isObject(message)) {
    tally.addTokens('text', 0, 'estimated');
    return;
  }
  const content = message['content'] ?? message['output'] ?? message['summary'];
  if (message['role'] === 'tool' || isResultItem(message)) {
    const id = stringAt(message, 'tool_call_id') ?? stringAt(message, 'call_id');
    if (!history.result(id, content)) addContent(tally, content, context.profile);
    return;
  }
  history.endResults();
  if (message['type'] === 'function_call' || message['type'] === 'custom_tool_call') {
    history.item(message);
    return;
  }
  const hasText = hasContent(content) || hasContent(message['refusal']);
  if (history.calls(message, hasText) && !hasText) return;
  addFraming(tally, message, context.framing);
  addContent(tally, context.padded ? padded(content) : content, context.profile);
  const refusal = stringAt(message, 'refusal');
  if (refusal !== undefined) tally.addText('text', refusal);
  addFunctionCall(tally, message);
}

/** With a newline at its end. */
function padded(content: unknown): unknown {
  if (typeof content === 'string') return `${content}\n`;
  if (!Array.isArray(content)) return content;
  const last: unknown = content.at(-1);
  const text = stringAt(last, 'text');
  return text === undefined ? content : [...listOf(content).slice(0, -1), { text: `${text}\n` }];
}

function isResultItem({ type }: JsonObject): boolean {
  return typeof type === 'string' && type.endsWith('_output');
}

function hasContent(content: unknown): boolean {
  return Array.isArray(content) ? content.length > 0 : Boolean(content);
}

/** One token each in cl100k_base and o200k_base; a test counts them. */
export const ROLES: ReadonlySet<string> = new Set([
  'system',
  'developer',
  'user',
  'assistant',
  'tool',
  'function',
]);

function addFraming(tally: Tally, message: JsonObject, framing: Framing): void {
  // Items of the Responses API other than messages have a type instead of a role.
  const role = stringAt(message, 'role') ?? (message['type'] === undefined ? '' : 'assistant');
  if (ROLES.has(role)) {
    tally.addTokens('framing', framing.perMessage + 1, framing.quality);
  } else {
    tally.addTokens('framing', framing.perMessage, framing.quality);
    tally.addText('framing', role);
  }
  if (role === 'assistant') {
    tally.addTokens('framing', framing.perAssistantMessage, framing.quality);
  }
  addName(tally, message, framing);
  // Measured on gpt-3.5: a function result takes two tokens less than its role and name add up to.
  if (role === 'function') tally.addTokens('framing', -2, framing.quality);
}

/** Measured: a user named `user` takes one token. */
function addName(tally: Tally, message: JsonObject, framing: Framing): void {
  const role = stringAt(message, 'role');
  const name = role === undefined ? undefined : stringAt(message, 'name');
  if (name === undefined) return;
  if (name !== role) tally.addText('framing', name);
  tally.addTokens('framing', framing.perName, framing.quality);
}

/** The deprecated form, whose rule is that of most open-source counters: 3 besides its texts. */
function addFunctionCall(tally: Tally, message: JsonObject): void {
  const called = objectAt(message, 'function_call');
  if (called === undefined) return;
  tally.addText('toolCalls', stringAt(called, 'name') ?? '', 'estimated');
  const given = called['arguments'];
  tally.addText('toolCalls', typeof given === 'string' ? given : toJson(given), 'estimated');
  tally.addTokens('toolCalls', 3, 'estimated');
}
