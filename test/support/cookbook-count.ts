import { get_encoding } from 'tiktoken';
import type { RecordedConversation } from '../../example-app/demo-model/recorded-conversations.ts';

const encoding = get_encoding('o200k_base');
const known = new Map<string, number>();

function tokens(text: string): number {
  let count = known.get(text);
  if (count === undefined) known.set(text, (count = encoding.encode_ordinary(text).length));
  return count;
}

interface Property {
  readonly type?: string;
  readonly description?: string;
  readonly enum?: readonly string[];
  readonly properties?: Readonly<Record<string, Property>>;
  readonly items?: Property;
}

interface Tool {
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Property;
  };
}

export interface CookbookSums {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Tokens of all calls of these conversations, by an independent implementation of the OpenAI
 * cookbook's rules on tiktoken.
 */
export function cookbookSums(conversations: readonly RecordedConversation[]): CookbookSums {
  const sums = { calls: 0, inputTokens: 0, outputTokens: 0 };
  for (const { messages, tools } of conversations) {
    let history = 3 + toolTokens((tools ?? []) as readonly Tool[]);
    for (const message of messages) {
      const said = tokens(message.content ?? '') + callTokens(message.tool_calls ?? []);
      if (message.role === 'assistant') {
        sums.calls += 1;
        sums.inputTokens += history;
        sums.outputTokens += said;
      }
      history += 3 + tokens(message.role) + said;
    }
  }
  return sums;
}

function callTokens(
  calls: readonly { readonly function: { readonly name: string; readonly arguments: string } }[],
): number {
  return calls.reduce(
    (sum, { function: called }) => sum + 3 + tokens(called.name) + tokens(called.arguments),
    0,
  );
}

/** `num_tokens_for_tools` of the cookbook, with its constants for gpt-4o. */
function toolTokens(tools: readonly Tool[]): number {
  if (tools.length === 0) return 0;
  return tools.reduce((sum, { function: { name, description, parameters } }) => {
    const line = `${name}:${(description ?? '').replace(/\.$/, '')}`;
    return sum + 7 + tokens(line) + propertyTokens(parameters);
  }, 12);
}

function propertyTokens(schema: Property | undefined): number {
  const properties = Object.entries(schema?.properties ?? {});
  if (properties.length === 0) return 0;
  return properties.reduce((sum, [key, property]) => {
    const line = `${key}:${property.type ?? ''}:${(property.description ?? '').replace(/\.$/, '')}`;
    const items = property.enum === undefined ? 0 : -3;
    const choices = (property.enum ?? []).reduce((all, item) => all + 3 + tokens(item), items);
    const inside = propertyTokens(property) + propertyTokens(property.items);
    return sum + 3 + tokens(line) + choices + inside;
  }, 3);
}
