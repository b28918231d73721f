import type { OpenAI } from 'openai';
import { snapshot } from '../../test/conformance/providers/seen.ts';
import {
  chatBareStream,
  chatPlain,
  chatToolCall,
  chatUsageStream,
  embeddingsReply,
} from '../../test/support/wire/openai-chat.ts';
import { responsesPlain, responsesStream } from '../../test/support/wire/openai-responses.ts';
import type { Script } from '../../test/support/wire/wire-server.ts';
import { WIRE } from './replies.ts';

/** A way of calling the SDK that must keep working. */
export interface CallShape {
  readonly title: string;
  readonly script: Script | readonly [Script, ...Script[]];
  run(client: OpenAI): Promise<unknown>;
}

const CHAT = {
  model: 'gpt-4o-mini',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};
const USAGE_STREAM = { ...CHAT, stream: true, stream_options: { include_usage: true } } as const;
const STREAM = { ...CHAT, stream: true } as const;
const RESPONSES_WIRE = {
  model: 'gpt-4o-2024-08-06',
  usage: { input_tokens: 22, output_tokens: 9, total_tokens: 31 },
};
const INPUT = { model: 'gpt-4o', input: 'How often does the tide come in?' };
const INPUT_STREAM = { ...INPUT, stream: true } as const;

const plain = chatPlain(WIRE);
const stream = chatUsageStream(WIRE);
const response = responsesPlain(RESPONSES_WIRE);
const responseStream = responsesStream(RESPONSES_WIRE);
const json = { type: 'json_schema', name: 'tide', schema: { type: 'object' } } as const;

/** Reads all chunks, or leaves the loop after the given number. */
async function read(chunks: AsyncIterable<unknown>, upTo = Infinity): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const chunk of chunks) {
    seen.push(snapshot(chunk));
    if (seen.length >= upTo) break;
  }
  return seen;
}

/** A server that keeps sending. Chunks sent after the client left are billed. */
function endless(script: Script): Script {
  const pieces = (script.pieces ?? []).slice(0, -2);
  return { ...script, pieces, pauseMs: 4, held: pieces.at(-1) ?? '' };
}

export const SHAPES: readonly CallShape[] = [
  { title: 'chat', script: plain, run: (client) => client.chat.completions.create(CHAT) },
  {
    title: 'n > 1',
    script: chatPlain(WIRE, ['Twice.', 'Twice a day.']),
    run: (client) => client.chat.completions.create({ ...CHAT, n: 2 }),
  },
  {
    title: 'withResponse',
    script: plain,
    run: async (client) => (await client.chat.completions.create(CHAT).withResponse()).data,
  },
  {
    title: 'asResponse',
    script: plain,
    run: async (client) => (await client.chat.completions.create(CHAT).asResponse()).json(),
  },
  {
    title: 'parse',
    script: chatPlain(WIRE, ['{"times":2}']),
    run: (client) =>
      client.chat.completions.parse({
        ...CHAT,
        response_format: { type: 'json_schema', json_schema: json },
      }),
  },
  {
    title: 'stream',
    script: stream,
    run: async (client) => read(await client.chat.completions.create(USAGE_STREAM)),
  },
  {
    title: 'stream, no usage',
    script: chatBareStream(WIRE),
    run: async (client) => read(await client.chat.completions.create(STREAM)),
  },
  {
    title: 'stream, n > 1',
    script: chatUsageStream(WIRE, 2),
    run: async (client) => read(await client.chat.completions.create({ ...USAGE_STREAM, n: 2 })),
  },
  {
    title: 'break',
    script: endless(stream),
    run: async (client) => read(await client.chat.completions.create(STREAM), 3),
  },
  {
    title: 'controller.abort',
    script: endless(stream),
    run: async (client) => {
      const chunks = await client.chat.completions.create(STREAM);
      let seen = 0;
      for await (const _chunk of chunks) if ((seen += 1) === 3) chunks.controller.abort();
      return 'left';
    },
  },
  {
    title: 'abort signal',
    script: endless(stream),
    run: async (client) => {
      const controller = new AbortController();
      const chunks = await client.chat.completions.create(STREAM, { signal: controller.signal });
      let seen = 0;
      for await (const _chunk of chunks) if ((seen += 1) === 3) controller.abort();
      return 'left';
    },
  },
  {
    title: 'cut',
    script: { ...stream, pieces: (stream.pieces ?? []).slice(0, 4), pauseMs: 4, cut: true },
    run: async (client) => read(await client.chat.completions.create(STREAM)),
  },
  {
    title: 'never read',
    script: stream,
    run: async (client) => {
      await client.chat.completions.create(STREAM);
      return 'dropped';
    },
  },
  {
    title: 'stream, withResponse',
    script: stream,
    run: async (client) => {
      const { data } = await client.chat.completions.create(USAGE_STREAM).withResponse();
      return read(data);
    },
  },
  {
    title: 'tee',
    script: stream,
    run: async (client) => {
      const [left, right] = (await client.chat.completions.create(USAGE_STREAM)).tee();
      return [await read(left), await read(right)];
    },
  },
  {
    title: 'toReadableStream',
    script: stream,
    run: async (client) => {
      const chunks = await client.chat.completions.create(USAGE_STREAM);
      return new Response(chunks.toReadableStream() as ReadableStream).text();
    },
  },
  {
    title: 'chat.completions.stream',
    script: stream,
    run: (client) =>
      client.chat.completions
        .stream({ ...CHAT, stream_options: { include_usage: true } })
        .finalChatCompletion(),
  },
  {
    title: 'runTools',
    script: [chatToolCall(WIRE, 'tide', { port: 'Brest' }), plain],
    run: (client) =>
      client.chat.completions
        .runTools({
          ...CHAT,
          tools: [
            {
              type: 'function',
              function: {
                name: 'tide',
                description: 'Next high water',
                parameters: { type: 'object', properties: {} },
                parse: JSON.parse,
                function: () => '12:40',
              },
            },
          ],
        })
        .finalContent(),
  },
  {
    title: 'embeddings',
    script: embeddingsReply('text-embedding-3-small', { prompt_tokens: 3, total_tokens: 3 }),
    run: (client) =>
      client.embeddings.create({ model: 'text-embedding-3-small', input: 'The tide rises' }),
  },
  { title: 'responses', script: response, run: (client) => client.responses.create(INPUT) },
  {
    title: 'responses, withResponse',
    script: response,
    run: async (client) => (await client.responses.create(INPUT).withResponse()).data,
  },
  {
    title: 'responses.parse',
    script: responsesPlain(RESPONSES_WIRE, '{"times":2}'),
    run: (client) => client.responses.parse({ ...INPUT, text: { format: json } }),
  },
  {
    title: 'responses stream',
    script: responseStream,
    run: async (client) => read(await client.responses.create(INPUT_STREAM)),
  },
  {
    title: 'responses stream, withResponse',
    script: responseStream,
    run: async (client) => {
      const { data } = await client.responses.create(INPUT_STREAM).withResponse();
      return read(data);
    },
  },
  {
    title: 'responses stream, tee',
    script: responseStream,
    run: async (client) => {
      const [left, right] = (await client.responses.create(INPUT_STREAM)).tee();
      return [await read(left), await read(right)];
    },
  },
  {
    title: 'responses stream, break',
    script: endless(responseStream),
    run: async (client) => read(await client.responses.create(INPUT_STREAM), 5),
  },
  {
    title: 'responses.stream',
    script: responseStream,
    run: (client) => client.responses.stream(INPUT).finalResponse(),
  },
];
