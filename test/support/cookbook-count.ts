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
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, Property>>;
  readonly required?: readonly string[];
  readonly items?: Property;
}

interface Tool {
  readonly function: {
    readonly name: string;
    readonly description?: string;
    readonly parameters?: Property;
  };
}

interface Call {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
}

export interface CookbookSums {
  readonly calls: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/**
 * Tokens of all calls of these conversations with gpt-4o, by an independent implementation on tiktoken:
 * messages as the OpenAI cookbook counts them, tools, calls and results as docs/tokens.md says. The
 * conversations have one call in a message at most.
 */
export function cookbookSums(conversations: readonly RecordedConversation[]): CookbookSums {
  const sums = { calls: 0, inputTokens: 0, outputTokens: 0 };
  for (const { messages, tools } of conversations) {
    const declared = (tools ?? []) as readonly Tool[];
    const system = messages.find(({ role }) => role === 'system');
    const names = new Map<string | undefined, string>();
    let history = 0;
    for (const message of messages) {
      const [call] = (message.tool_calls ?? []) as readonly Call[];
      const content = message.content ?? '';
      if (message.role === 'assistant') {
        sums.calls += 1;
        sums.inputTokens += 3 + history + toolTokens(declared, history > 0 && system !== undefined);
        sums.outputTokens +=
          call === undefined
            ? tokens(content) + (declared.length > 0 ? 1 : 0)
            : 6 + tokens(`functions.${call.function.name}`) + tokens(call.function.arguments);
      }
      if (call !== undefined) {
        const { name, arguments: given } = call.function;
        names.set(call.id, name);
        history += 7 + tokens(`functions.${name}`);
        history += tokens(JSON.stringify(JSON.parse(given)));
      } else if (message.role === 'tool') {
        history += 5 + tokens(names.get(message.tool_call_id) ?? '') + tokens(content);
      } else {
        const isPadded = message === system && declared.length > 0;
        history += 3 + tokens(message.role) + tokens(isPadded ? `${content}\n` : content);
      }
    }
  }
  return sums;
}

function toolTokens(tools: readonly Tool[], besideSystem: boolean): number {
  if (tools.length === 0) return 0;
  const bodies = tools.map(({ function: { parameters } }) => fieldsOf(parameters));
  const types = tools.map(({ function: { name, description } }, index) => {
    const about = description === undefined ? '' : `${comment(description)}\n`;
    const body = bodies[index] as string;
    return `${about}type ${name} = ${body === '' ? '()' : `(_: {\n${body}\n})`} => any;\n\n`;
  });
  const bare = bodies.filter((body) => body !== '' && !body.startsWith('//')).length;
  const text = `namespace functions {\n\n${types.join('')}} // namespace functions`;
  return tokens(text) + (besideSystem ? 5 : 9) - bare;
}

function fieldsOf(schema: Property | undefined): string {
  return Object.entries(schema?.properties ?? {})
    .map(([name, property]) => {
      const { description, default: usual } = property;
      const about = description === undefined ? '' : `${comment(description)}\n`;
      const mark = schema?.required?.includes(name) ? '' : '?';
      const note = usual === undefined ? '' : ` // default: ${JSON.stringify(usual)}`;
      return `${about}${name}${mark}: ${typeOf(property)},${note}`;
    })
    .join('\n');
}

function typeOf(property: Property): string {
  if (property.enum !== undefined) return property.enum.map((item) => `"${item}"`).join(' | ');
  const { type } = property;
  if (type === 'array')
    return property.items === undefined ? 'any[]' : `${typeOf(property.items)}[]`;
  if (type === 'object') return `{\n${[fieldsOf(property)].filter(Boolean).join('')}\n}`;
  if (type === 'integer') return 'number';
  return ['string', 'number', 'boolean'].includes(type ?? '') ? String(type) : 'any';
}

function comment(text: string): string {
  return text
    .split('\n')
    .map((line) => `// ${line}`.trimEnd())
    .join('\n');
}
