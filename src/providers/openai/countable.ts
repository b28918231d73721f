import type { CountableInput } from '../../domain/call-shape.ts';
import { fields, listOf, stringAt } from '../../tokens/json.ts';
import { hasHostedTool, holds, namesAny } from '../hidden-input.ts';

/** OpenAI's search, Azure's data, xAI's and Alibaba's search, OpenRouter's plugins, Cohere's documents. */
const CHAT_ADDITIONS = [
  'web_search_options',
  'data_sources',
  'search_parameters',
  'enable_search',
  'plugins',
  'documents',
  'cached_content',
];
const RESPONSES_ADDITIONS = ['previous_response_id', 'conversation', 'prompt'];
/** Items of a request that hold all their text. */
const OWN_ITEMS: readonly unknown[] = [
  undefined,
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
];

export function chatCountable(request: unknown): CountableInput {
  const { messages, tools } = fields(request);
  const partial =
    namesAny(request, CHAT_ADDITIONS) ||
    hasHostedTool(tools) ||
    holds(messages, ({ audio }) => stringAt(audio, 'id') !== undefined);
  return { kind: 'chat', request, partial };
}

export function responsesCountable(request: unknown): CountableInput {
  const { input, tools } = fields(request);
  const partial =
    namesAny(request, RESPONSES_ADDITIONS) ||
    hasHostedTool(tools) ||
    listOf(input).some((item) => !OWN_ITEMS.includes(fields(item)['type']));
  return { kind: 'chat', request, partial };
}

/** A string, a list of strings, a list of token numbers, or a list of such lists. */
export function textsCountable(input: unknown): CountableInput {
  const texts: string[] = [];
  let tokens = 0;
  const add = (item: unknown): void => {
    if (typeof item === 'string') texts.push(item);
    else if (typeof item === 'number') tokens += 1;
    else for (const part of listOf(item)) add(part);
  };
  add(input);
  return { kind: 'texts', texts, tokens };
}
