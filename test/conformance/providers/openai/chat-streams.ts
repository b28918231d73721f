import type { OpenAI } from 'openai';
import {
  chatBareStream,
  chatChoiceUsageStream,
  chatMixedStream,
  chatStream,
  chatUsageStream,
} from '../../../support/wire/openai-chat.ts';
import { snapshot, surface } from '../seen.ts';
import type { Shape } from '../provider-under-test.ts';
import {
  ABORTED,
  COUNTED,
  STREAM,
  contents,
  held,
  quietConsole,
  stream,
  tideTool,
} from './chat-scenes.ts';
import { BODIES } from './raw-bodies.ts';
import { CHAT, CHAT_OK, CHAT_RECORD, CHAT_WIRE, helpersOf, responseFacts } from './requests.ts';

/** Streams, however they are read, left or cut. */
export const chatStreams: readonly Shape<OpenAI>[] = [
  {
    title: 'stream, n > 1',
    script: chatUsageStream(CHAT_WIRE, 2),
    expected: CHAT_OK,
    run: async (client) => contents(await client.chat.completions.create({ ...STREAM, n: 2 })),
  },
  {
    title: 'stream, n > 1, without usage',
    script: chatStream({ ...CHAT_WIRE, streamUsage: {} }, 2),
    expected: { ...COUNTED, inputTokens: 15, outputTokens: 16 },
    run: async (client) => contents(await client.chat.completions.create({ ...STREAM, n: 2 })),
  },
  {
    title: 'stream with usage in every chunk',
    script: chatStream(CHAT_WIRE),
    expected: CHAT_OK,
    run: async (client) => contents(await client.chat.completions.create(STREAM)),
  },
  {
    title: 'stream with usage in the choice that ends',
    script: chatChoiceUsageStream(CHAT_WIRE),
    expected: CHAT_OK,
    run: async (client) => contents(await client.chat.completions.create(STREAM)),
  },
  {
    title: 'stream, withResponse()',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const { data, response, request_id } = await client.chat.completions
        .create(STREAM)
        .withResponse();
      const facts = { ...responseFacts(response), surface: surface(data), request_id };
      return { facts, chunks: await contents(data) };
    },
  },
  ...BODIES.map(([how, read]): Shape<OpenAI> => ({
    title: `stream, asResponse(), then ${how}`,
    script: stream,
    expected: CHAT_OK,
    run: async (client) => read(await client.chat.completions.create(STREAM).asResponse()),
  })),
  {
    title: 'stream, controller.abort()',
    script: held(chatBareStream(CHAT_WIRE)),
    expected: ABORTED,
    run: async (client) => {
      const chunks: unknown[] = [];
      const given = await client.chat.completions.create(STREAM);
      for await (const chunk of given) {
        chunks.push(snapshot(chunk));
        if (chunks.length === 3) given.controller.abort();
      }
      return chunks.slice(0, 3);
    },
  },
  {
    title: 'stream, read by next() and left by return()',
    script: held(chatBareStream(CHAT_WIRE)),
    expected: ABORTED,
    run: async (client) => {
      const iterator = (await client.chat.completions.create(STREAM))[Symbol.asyncIterator]();
      const steps = [await iterator.next(), await iterator.next(), await iterator.next()];
      return [...steps, await iterator.return?.(), await iterator.next()].map(snapshot);
    },
  },
  {
    title: 'stream, the reader throws',
    script: held(chatBareStream(CHAT_WIRE)),
    expected: ABORTED,
    run: async (client) => {
      let seen = 0;
      for await (const chunk of await client.chat.completions.create(STREAM)) {
        seen += 1;
        if (seen === 3) throw new Error(`after ${chunk.id}`);
      }
      return seen;
    },
  },
  {
    title: 'stream, error event',
    script: {
      ...stream,
      pieces: [
        ...(stream.pieces ?? []).slice(0, 3),
        'data: {"error":{"message":"The server had an error","type":"server_error"}}\n\n',
      ],
    },
    expected: { ...CHAT_RECORD, outcome: 'error', errorType: 'APIError' },
    run: async (client) => contents(await client.chat.completions.create(STREAM)),
  },
  {
    title: 'stream, a chunk that is no JSON',
    script: { ...stream, pieces: [...(stream.pieces ?? []).slice(0, 3), 'data: {"id":\n\n'] },
    expected: { ...CHAT_RECORD, outcome: 'error', errorType: 'SyntaxError' },
    run: async (client) =>
      quietConsole(async () => contents(await client.chat.completions.create(STREAM))),
  },
  {
    title: 'stream, read a second time',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const given = await client.chat.completions.create(STREAM);
      const first = await contents(given);
      return [first, await contents(given)];
    },
  },
  {
    title: 'tee()',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const [left, right] = (await client.chat.completions.create(STREAM)).tee();
      return [surface(left), ...(await Promise.all([contents(left), contents(right)]))];
    },
  },
  {
    title: 'tee(), one branch left early',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const [left, right] = (await client.chat.completions.create(STREAM)).tee();
      return [await contents(left, 2), await contents(right)];
    },
  },
  {
    title: 'toReadableStream()',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const given = await client.chat.completions.create(STREAM);
      return new Response(given.toReadableStream() as ReadableStream).text();
    },
  },
  {
    title: 'toReadableStream(), cancelled',
    script: held(chatBareStream(CHAT_WIRE)),
    expected: ABORTED,
    run: async (client) => {
      const reader = (await client.chat.completions.create(STREAM)).toReadableStream().getReader();
      const pieces = [await reader.read(), await reader.read(), await reader.read()];
      await reader.cancel();
      return pieces.map(snapshot);
    },
  },
  {
    title: 'chat.completions.stream()',
    script: stream,
    expected: CHAT_OK,
    run: async (client) => {
      const events: string[] = [];
      const runner = helpersOf(client).stream(CHAT);
      runner.on('content', (delta, all) => events.push(`${delta}|${all}`));
      runner.on('chunk', () => events.push('chunk'));
      runner.on('end', () => events.push('end'));
      return {
        final: await runner.finalChatCompletion(),
        content: await runner.finalContent(),
        usage: await runner.totalUsage(),
        events,
      };
    },
  },
  {
    title: 'chat.completions.stream(), read by for await',
    script: stream,
    expected: CHAT_OK,
    run: (client) => contents(helpersOf(client).stream(CHAT)),
  },
  {
    title: 'chat.completions.stream(), aborted',
    script: held(chatBareStream(CHAT_WIRE)),
    expected: ABORTED,
    run: async (client) => {
      const runner = helpersOf(client).stream(CHAT);
      let seen = 0;
      runner.on('chunk', () => (seen += 1) === 3 && runner.abort());
      return runner.done();
    },
  },
  {
    title: 'runTools() with streams',
    script: [chatMixedStream(CHAT_WIRE), stream],
    expected: [CHAT_OK, CHAT_OK],
    run: async (client) => {
      const asked: unknown[] = [];
      const runner = helpersOf(client).runTools({ ...STREAM, tools: [tideTool(asked) as never] });
      return { answer: await runner.finalContent(), asked };
    },
  },
  {
    title: 'tool calls, reasoning and text counted',
    script: chatMixedStream({ ...CHAT_WIRE, streamUsage: {} }),
    expected: { ...CHAT_RECORD, outcome: 'ok', tokenSource: 'estimated' },
    run: async (client) => contents(await client.chat.completions.create(STREAM)),
  },
];
