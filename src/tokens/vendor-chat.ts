import { addContent } from './content-parts.ts';
import { isObject, listOf, objectAt, stringAt, toJson, type JsonObject } from './json.ts';
import type { ModelProfile } from './models.ts';
import type { OpenAiApi } from './openai-api.ts';
import type { Tally } from './tally.ts';
import { callOf, callsOf } from './tool-calls.ts';
import type { VendorFraming } from './vendor-framing.ts';

export interface VendorChat {
  readonly api: OpenAiApi | undefined;
  readonly messages: readonly unknown[];
  readonly tools: readonly JsonObject[];
  readonly toolChoice: unknown;
  /** `thinking` of Anthropic. */
  readonly thinking: unknown;
  /** Format of a structured reply. */
  readonly format: JsonObject | undefined;
}

/** A chat of a vendor other than OpenAI. */
export function addVendorChat(
  tally: Tally,
  { api, messages, tools, toolChoice, thinking, format }: VendorChat,
  profile: ModelProfile,
  framing: VendorFraming,
): void {
  for (const message of messages) addMessage(tally, message, profile, framing);
  if (messages.length > 0) tally.addTokens('framing', framing.request, 'estimated');
  if (api === 'responses' || stringAt(thinking, 'type') === 'enabled') {
    tally.addTokens('framing', framing.thinking, 'estimated');
  }
  addTools(tally, tools, toolChoice, framing);
  if (format === undefined || framing.schema === undefined) return;
  tally.addScaledText('structuredOutput', toJson(format['schema']), framing.tools.scale);
  tally.addTokens('structuredOutput', framing.schema, 'estimated');
}

function addMessage(
  tally: Tally,
  message: unknown,
  profile: ModelProfile,
  framing: VendorFraming,
): void {
  if (!isObject(message)) {
    tally.addTokens('text', 0, 'estimated');
    return;
  }
  const isSystem = message['role'] === 'system' || message['role'] === 'developer';
  const added = isSystem ? framing.perSystemMessage : framing.perMessage;
  tally.addTokens('framing', added, 'estimated');
  addContent(tally, message['content'] ?? message['output'], profile);
  const calls =
    message['type'] === 'function_call' ? [callOf(message, undefined)] : callsOf(message);
  for (const call of calls) {
    tally.addText('toolCalls', call.name, 'estimated');
    tally.addText('toolCalls', call.arguments, 'estimated');
    tally.addTokens('toolCalls', framing.perCall, 'estimated');
  }
}

/** Tools in JSON, and what the vendor says about them. */
function addTools(
  tally: Tally,
  tools: readonly JsonObject[],
  toolChoice: unknown,
  { tools: framing }: VendorFraming,
): void {
  if (tools.length === 0) return;
  for (const tool of tools) {
    if (framing.perProperty === undefined) addToolAsJson(tally, tool, framing.scale);
    else addToolByField(tally, tool, framing.perProperty);
    tally.addTokens('tools', framing.perTool, 'estimated');
  }
  const request = isChosen(toolChoice) ? framing.chosen : framing.request;
  tally.addTokens('tools', request, 'estimated');
}

function addToolAsJson(tally: Tally, tool: JsonObject, scale: number): void {
  const { name, description, parameters } = tool;
  const shown = toJson({ type: 'function', function: { name, description, parameters } });
  tally.addScaledText('tools', shown, scale);
}

function addToolByField(tally: Tally, tool: JsonObject, perProperty: number): void {
  for (const field of ['name', 'description']) {
    tally.addText('tools', stringAt(tool, field) ?? '', 'estimated');
  }
  addProperties(tally, tool['parameters'], perProperty, 0);
}

const MAX_DEPTH = 20;

function addProperties(tally: Tally, schema: unknown, perProperty: number, depth: number): void {
  if (!isObject(schema) || depth > MAX_DEPTH) return;
  for (const [name, property] of Object.entries(objectAt(schema, 'properties') ?? {})) {
    tally.addText('tools', name, 'estimated');
    tally.addText('tools', stringAt(property, 'description') ?? '', 'estimated');
    tally.addTokens('tools', perProperty, 'estimated');
    const values = isObject(property) ? listOf(property['enum']) : [];
    for (const value of values) tally.addText('tools', String(value), 'estimated');
    addProperties(tally, property, perProperty, depth + 1);
    addProperties(tally, objectAt(property, 'items'), perProperty, depth + 1);
  }
}

/** Whether the model has to call a tool. */
function isChosen(choice: unknown): boolean {
  const type = stringAt(choice, 'type') ?? choice;
  return ['required', 'any', 'tool', 'function'].some((chosen) => chosen === type);
}
