import { countTallied } from './count.ts';
import { addMessage } from './chat-message.ts';
import { framingOf } from './framing.ts';
import { isObject, listOf, type JsonObject } from './json.ts';
import { profileOfModel, type ModelProfile } from './models.ts';
import { addSchema, schemaOf } from './structured-output.ts';
import { Tally, type TokenCount } from './tally.ts';
import { apiOf } from './openai-api.ts';
import { ToolHistory } from './tool-history.ts';
import { addTools, functionsOf } from './tools.ts';
import { addVendorChat } from './vendor-chat.ts';
import { vendorFramingOf } from './vendor-framing.ts';

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
  const { family } = profile;
  const messages = messagesOf(request);
  const tools = functionsOf(request['tools'], request['functions']);
  const vendor = vendorFramingOf(profile.name);
  if (vendor !== undefined) {
    const chat = {
      api: apiOf(request),
      messages,
      tools,
      toolChoice: request['tool_choice'],
      thinking: request['thinking'],
      format: schemaOf(request),
    };
    addVendorChat(tally, chat, profile, vendor);
    return;
  }
  const api = apiOf(request) ?? 'chat';
  const framing = framingOf(family, api);
  const system = messages.find(isSystemMessage);
  const format = schemaOf(request);
  const isPadded = api === 'chat' && (tools.length > 0 || format !== undefined);
  const history = new ToolHistory(tally, api, family);
  for (const message of messages) {
    const padded = isPadded && message === system;
    addMessage(tally, message, { profile, framing, history, padded });
  }
  history.end();
  if (messages.length > 0) tally.addTokens('framing', framing.reply, framing.quality);
  const hasSystemMessage = system !== undefined;
  addTools(
    tally,
    {
      tools,
      api,
      toolChoice: request['tool_choice'],
      functionCall: request['function_call'],
      parallel: request['parallel_tool_calls'],
      hasSystemMessage,
    },
    profile,
  );
  if (format !== undefined) addSchema(tally, format, { api, family, hasSystemMessage });
  if (profile.routed === true) tally.weaken(['tools', 'toolCalls']);
  if (repliesAudio(request)) tally.addTokens('framing', 0, 'estimated');
}

function repliesAudio({ modalities }: JsonObject): boolean {
  return Array.isArray(modalities) && modalities.includes('audio');
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
