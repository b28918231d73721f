import { countTallied } from './count.ts';
import { addMessage } from './chat-message.ts';
import { framingOf } from './framing.ts';
import { isObject, listOf, type JsonObject } from './json.ts';
import { profileOfModel, type ModelProfile } from './models.ts';
import { addStructuredOutput } from './structured-output.ts';
import { Tally, type TokenCount } from './tally.ts';
import { addTools, functionsOf, rendersNamespace } from './tools.ts';

export interface CountMessagesOptions {
  /** Tool definitions, as in the request. */
  readonly tools?: readonly unknown[] | undefined;
  /** `tool_choice` of the request. */
  readonly toolChoice?: unknown;
}

/**
 * Input tokens of a Chat Completions or Responses request, by part. Never throws: an unreadable
 * part adds no tokens and is marked `estimated`.
 */
export function countChat(request: unknown, model?: string): TokenCount {
  return countTallied(tallyChat(request, model));
}

/** Input tokens of messages, framing included. `countChat` returns them by part. */
export function countMessageTokens(
  messages: readonly unknown[],
  model?: string,
  options: CountMessagesOptions = {},
): number {
  const request = { messages, tools: options.tools, tool_choice: options.toolChoice };
  return countChat(request, model).tokens;
}

/** Collects everything `request` contains, without counting it. */
export function tallyChat(request: unknown, model?: string): Tally {
  const profile = profileFor(request, model);
  const tally = new Tally(profile);
  try {
    if (isObject(request)) fill(tally, request, profile);
  } catch {
    // A getter or a proxy in the caller's request threw.
    tally.addTokens('text', 0, 'estimated');
  }
  return tally;
}

function profileFor(request: unknown, model: string | undefined): ModelProfile {
  return profileOfModel(model ?? (isObject(request) ? request['model'] : undefined));
}

function fill(tally: Tally, request: JsonObject, profile: ModelProfile): void {
  const framing = framingOf(profile.family);
  const messages = messagesOf(request);
  const tools = functionsOf(request['tools'], request['functions']);
  const system = messages.find(isSystemMessage);
  const padded = tools.length > 0 && rendersNamespace(profile.family) ? system : undefined;
  for (const message of messages) {
    addMessage(tally, message, { profile, framing, padded: message === padded });
  }
  if (messages.length > 0) tally.addTokens('framing', framing.reply, framing.quality);
  addTools(
    tally,
    {
      tools,
      toolChoice: request['tool_choice'] ?? request['function_call'],
      hasSystemMessage: system !== undefined,
    },
    profile.family,
  );
  addStructuredOutput(tally, request);
}

function isSystemMessage(message: unknown): boolean {
  return isObject(message) && (message['role'] === 'system' || message['role'] === 'developer');
}

/** Messages of Chat Completions and items of Responses as one list. */
function messagesOf(request: JsonObject): readonly unknown[] {
  const { messages, instructions, input } = request;
  const list: unknown[] = [];
  if (typeof instructions === 'string') list.push({ role: 'system', content: instructions });
  if (typeof input === 'string') list.push({ role: 'user', content: input });
  return [...list, ...listOf(messages), ...listOf(input)];
}
