import { PassThrough, Readable } from 'node:stream';
import type { OpenAI } from 'openai';
import {
  chatBareStream,
  chatError,
  chatMixedStream,
  chatPlain,
  chatStream,
  chatToolCall,
  chatUsageStream,
} from '../../../support/wire/openai-chat.ts';
import type { Script } from '../../../support/wire/wire-server.ts';
import { snapshot, surface } from '../seen.ts';
import type { Shape } from '../provider-suite.ts';
import { CHAT, CHAT_OK, CHAT_RECORD, CHAT_WIRE, helpersOf, responseFacts } from './requests.ts';

const STREAM = { ...CHAT, stream: true } as const;
const plain = chatPlain(CHAT_WIRE);
const stream = chatUsageStream(CHAT_WIRE);
const COUNTED = { ...CHAT_RECORD, outcome: 'ok', tokenSource: 'counted' } as const;
const ABORTED = { ...CHAT_RECORD, outcome: 'aborted', tokenSource: 'estimated' } as const;

const ANSWER = {
  response_format: {
    type: 'json_schema',
    json_schema: { name: 'tide', schema: { type: 'object', additionalProperties: true } },
  },
} as const;

async function contents(chunks: AsyncIterable<unknown>, upTo = Infinity): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const chunk of chunks) {
    seen.push(snapshot(chunk));
    if (seen.length >= upTo) break;
  }
  return seen;
}

/** A tool whose calls are told, as `runTools` wants it. */
function tideTool(asked: unknown[]): unknown {
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

/** openai 4 gives node-fetch's response: its body is a Node stream. */
async function bodyText(body: AsyncIterable<Uint8Array> | null): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body ?? []) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

async function piped(body: unknown): Promise<string> {
  const readable = body instanceof Readable ? body : Readable.fromWeb(body as never);
  const through = readable.pipe(new PassThrough());
  return bodyText(through);
}

/** Every way in which a caller may read a raw response to its end. */
const BODIES: readonly (readonly [how: string, read: (response: Response) => Promise<unknown>])[] =
  [
    ['text()', (response) => response.text()],
    ['arrayBuffer()', async (response) => Buffer.from(await response.arrayBuffer()).toString()],
    ['blob()', async (response) => (await response.blob()).text()],
    ['clone().text()', (response) => response.clone().text()],
    ['for await over body', (response) => bodyText(response.body as never)],
    ['body piped on', (response) => piped(response.body)],
  ];

const whole: readonly Shape<OpenAI>[] = [
  {
    title: 'n > 1',
    script: chatPlain(CHAT_WIRE, ['The tide comes in twice.', 'Twice a day.']),
    expected: CHAT_OK,
    run: (client) => client.chat.completions.create({ ...CHAT, n: 2 }),
  },
  {
    title: 'withResponse()',
    script: plain,
    expected: CHAT_OK,
    run: async (client) => {
      const { data, response, request_id } = await client.chat.completions
        .create(CHAT)
        .withResponse();
      return { data, request_id, ...responseFacts(response) };
    },
  },
  {
    title: 'asResponse(), then json()',
    script: plain,
    expected: CHAT_OK,
    run: async (client) => {
      const response = await client.chat.completions.create(CHAT).asResponse();
      const facts = responseFacts(response);
      return { facts, body: await response.json() };
    },
  },
  ...BODIES.map(([how, read]): Shape<OpenAI> => ({
    title: `asResponse(), then ${how}`,
    script: plain,
    expected: CHAT_OK,
    run: async (client) => read(await client.chat.completions.create(CHAT).asResponse()),
  })),
  {
    title: 'asResponse(), body not read',
    script: plain,
    expected: {
      ...CHAT_RECORD,
      outcome: 'aborted',
      responseId: undefined,
      responseModel: undefined,
    },
    run: async (client) => responseFacts(await client.chat.completions.create(CHAT).asResponse()),
  },
  {
    title: 'asResponse() and the value of one call',
    script: plain,
    expected: CHAT_OK,
    run: async (client) => {
      const promise = client.chat.completions.create(CHAT);
      const response = await promise.asResponse();
      return { value: await promise, again: await promise, ...responseFacts(response) };
    },
  },
  {
    title: 'parse()',
    script: chatPlain(CHAT_WIRE, ['{"times":2}']),
    expected: CHAT_OK,
    run: async (client) => {
      const reply = await helpersOf(client).parse({ ...CHAT, ...ANSWER });
      return { parsed: reply.choices[0]?.message.parsed, reply };
    },
  },
  {
    title: 'parse() of what is no JSON',
    script: chatPlain(CHAT_WIRE, ['{"times":']),
    expected: CHAT_OK,
    run: (client) => helpersOf(client).parse({ ...CHAT, ...ANSWER }),
  },
  {
    title: 'runTools()',
    script: [chatToolCall(CHAT_WIRE, 'tide', { port: 'Brest' }), plain],
    expected: [CHAT_OK, CHAT_OK],
    run: async (client) => {
      const asked: unknown[] = [];
      const runner = helpersOf(client).runTools({ ...CHAT, tools: [tideTool(asked) as never] });
      return { answer: await runner.finalContent(), asked, usage: await runner.totalUsage() };
    },
  },
  {
    title: 'retry after an error',
    script: [chatError, plain],
    expected: CHAT_OK,
    run: (client) => client.chat.completions.create(CHAT, { maxRetries: 1 }),
  },
  {
    title: 'retries used up',
    script: chatError,
    expected: { ...CHAT_RECORD, outcome: 'error', responseId: undefined, responseModel: undefined },
    run: (client) => client.chat.completions.create(CHAT, { maxRetries: 1 }),
  },
  ...([400, 401, 404, 500] as const).map((status): Shape<OpenAI> => ({
    title: `HTTP ${status}`,
    script: { ...chatError, status },
    expected: { outcome: 'error', requestModel: CHAT.model, tokenSource: undefined },
    run: (client) => client.chat.completions.create(CHAT),
  })),
  {
    title: 'time-out before the reply',
    script: slow(plain),
    expected: { outcome: 'error', errorType: 'APIConnectionTimeoutError' },
    run: (client) => client.chat.completions.create(CHAT, { timeout: 40 }),
  },
  {
    title: 'aborted before the reply',
    script: slow(plain),
    expected: { outcome: 'aborted', errorType: 'APIUserAbortError' },
    run: (client) => client.chat.completions.create(CHAT, { signal: AbortSignal.timeout(30) }),
  },
  {
    title: 'aborted before it started',
    script: plain,
    expected: { outcome: 'aborted', errorType: 'APIUserAbortError' },
    run: (client) => client.chat.completions.create(CHAT, { signal: AbortSignal.abort() }),
  },
  {
    title: 'a body that is no JSON',
    script: { body: '<html>', headers: { 'content-type': 'application/json' } },
    expected: { outcome: 'error', requestModel: CHAT.model },
    run: (client) => client.chat.completions.create(CHAT),
  },
  {
    title: 'other calls are none',
    script: { body: JSON.stringify({ object: 'list', data: [{ id: 'gpt-4o-mini' }] }) },
    expected: {},
    calls: 0,
    run: async (client) => (await client.models.list()).data,
  },
];

const streams: readonly Shape<OpenAI>[] = [
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

export const chatShapes: readonly Shape<OpenAI>[] = [...whole, ...streams];

function held(script: Script): Script {
  const pieces = (script.pieces ?? []).slice(0, -2);
  return { ...script, pieces, held: pieces.at(-1) ?? '' };
}

/** A reply that comes long after everybody has given up. */
function slow(script: Script): Script {
  return { ...script, delayMs: 120 };
}

/** The SDK says on the console what it could not parse. */
async function quietConsole<T>(run: () => Promise<T>): Promise<T> {
  const { error } = console;
  console.error = () => undefined;
  try {
    return await run();
  } finally {
    console.error = error;
  }
}
