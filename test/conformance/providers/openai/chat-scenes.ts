import { chatPlain, chatUsageStream } from '../../../support/wire/openai-chat.ts';
import type { Script } from '../../../support/wire/wire-server.ts';
import { snapshot } from '../seen.ts';
import { CHAT, CHAT_RECORD, CHAT_WIRE } from './requests.ts';

export const STREAM = { ...CHAT, stream: true } as const;
export const plain = chatPlain(CHAT_WIRE);
export const stream = chatUsageStream(CHAT_WIRE);
export const COUNTED = { ...CHAT_RECORD, outcome: 'ok', tokenSource: 'counted' } as const;
export const ABORTED = { ...CHAT_RECORD, outcome: 'aborted', tokenSource: 'estimated' } as const;

export const ANSWER = {
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'tide', schema: { type: 'object', additionalProperties: true } },
  },
} as const;

export async function contents(
  chunks: AsyncIterable<unknown>,
  upTo = Infinity,
): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const chunk of chunks) {
    seen.push(snapshot(chunk));
    if (seen.length >= upTo) break;
  }
  return seen;
}

/** A tool whose calls are told, as `runTools` wants it. */
export function tideTool(asked: unknown[]): unknown {
  return {
    type: 'function',
    function: {
      name: 'tide',
      description: 'Next high water',
      parameters: { type: 'object', properties: { port: { type: 'string' } } },
      parse: JSON.parse,
      function: (args: unknown) => {
        asked.push(args);
        return '12:40';
      },
    },
  };
}

export function held(script: Script): Script {
  const pieces = (script.pieces ?? []).slice(0, -2);
  return { ...script, pieces, held: pieces.at(-1) ?? '' };
}

/** The SDK says on the console what it could not parse. */
export async function quietConsole<T>(run: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => undefined;
  try {
    return await run();
  } finally {
    console.error = error;
  }
}
