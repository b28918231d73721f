import type { OpenAI } from 'openai';
import { chatError, chatPlain, chatToolCall } from '../../../support/wire/openai-chat.ts';
import type { Shape } from '../provider-under-test.ts';
import { ANSWER, plain, tideTool } from './chat-scenes.ts';
import { BODIES } from './raw-bodies.ts';
import { CHAT, CHAT_OK, CHAT_RECORD, CHAT_WIRE, helpersOf, responseFacts } from './requests.ts';

/** Whole replies, however they are asked for, read or refused. */
export const chatReplies: readonly Shape<OpenAI>[] = [
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
    endsAtShutdown: true,
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
    script: { silent: true },
    expected: { outcome: 'error', errorType: 'APIConnectionTimeoutError' },
    // Long enough that the request arrives on a busy machine.
    run: (client) => client.chat.completions.create(CHAT, { timeout: 250 }),
  },
  abortedBeforeReply(),
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

function abortedBeforeReply(): Shape<OpenAI> {
  let controller: AbortController;
  return {
    title: 'aborted before the reply',
    script: { silent: true, received: () => controller.abort() },
    expected: { outcome: 'aborted', errorType: 'APIUserAbortError' },
    run: (client) => {
      controller = new AbortController();
      return client.chat.completions.create(CHAT, { signal: controller.signal });
    },
  };
}
