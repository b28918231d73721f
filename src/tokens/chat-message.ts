import { addContent } from './content-parts.ts';
import { PER_TOOL_CALL, type Framing } from './framing.ts';
import { isObject, listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelProfile } from './models.ts';
import type { Tally } from './tally.ts';

export interface MessageContext {
  readonly profile: ModelProfile;
  readonly framing: Framing;
  /**
   * Measured: with function definitions in the request, a newline is appended to the first system
   * message.
   */
  readonly padded: boolean;
}

/** One element of `messages`, or one item of `input` in the Responses API. */
export function addMessage(tally: Tally, message: unknown, context: MessageContext): void {
  if (!isObject(message)) {
    tally.addTokens('text', 0, 'estimated');
    return;
  }
  const { framing } = context;
  tally.addTokens('framing', framing.perMessage, framing.quality);
  addRole(tally, message, framing);
  // Measured on gpt-3.5: a function result takes two tokens less than its role and name add up to.
  if (message['role'] === 'function') tally.addTokens('framing', -2, framing.quality);
  const content = message['content'] ?? message['output'] ?? message['summary'];
  if (context.padded && typeof content === 'string') tally.addText('text', `${content}\n`);
  else addContent(tally, content, context.profile);
  const refusal = stringAt(message, 'refusal');
  if (refusal !== undefined) tally.addText('text', refusal);
  addToolCalls(tally, message);
}

function addRole(tally: Tally, message: JsonObject, framing: Framing): void {
  const role = stringAt(message, 'role') ?? roleOfItem(stringAt(message, 'type'));
  tally.addText('framing', role);
  const name = stringAt(message, 'role') === undefined ? undefined : stringAt(message, 'name');
  if (name === undefined) return;
  tally.addText('framing', name);
  tally.addTokens('framing', framing.perName, framing.quality);
}

/** Items of the Responses API other than messages have a type instead of a role. */
function roleOfItem(type: string | undefined): string {
  if (type === undefined) return '';
  return type.endsWith('_output') ? 'tool' : 'assistant';
}

function addToolCalls(tally: Tally, message: JsonObject): void {
  const calls = [...listOf(message['tool_calls'])];
  if (message['function_call'] !== undefined) calls.push({ function: message['function_call'] });
  if (message['type'] === 'function_call') calls.push({ function: message });
  for (const call of calls) {
    const called = objectAt(call, 'function') ?? objectAt(call, 'custom');
    tally.addText('toolCalls', stringAt(called, 'name') ?? '', 'estimated');
    const given = called?.['arguments'] ?? called?.['input'];
    tally.addText('toolCalls', typeof given === 'string' ? given : toJson(given), 'estimated');
    tally.addTokens('toolCalls', PER_TOOL_CALL, 'estimated');
  }
}
