import type { OpenAI } from 'openai';
import {
  responsesFailedStream,
  responsesPlain,
  responsesStream,
  type ResponsesWire,
} from '../../../support/wire/openai-responses.ts';
import type { Script } from '../../../support/wire/wire-server.ts';
import { snapshot, surface } from '../seen.ts';
import type { Shape } from '../provider-under-test.ts';
import { responseFacts } from './requests.ts';

const WIRE: ResponsesWire = {
  model: 'gpt-4o-2024-08-06',
  usage: {
    input_tokens: 22,
    output_tokens: 9,
    total_tokens: 31,
    input_tokens_details: { cached_tokens: 4 },
    output_tokens_details: { reasoning_tokens: 2 },
  },
};
const REQUEST = {
  model: 'gpt-4o',
  input: 'How often does the tide come in?',
  safety_identifier: 'hash-7',
  metadata: { user_id: 'u-7', conversation_id: 'c-3' },
} as const;
const STREAM = { ...REQUEST, stream: true } as const;
const RECORD = {
  provider: 'openai',
  operation: 'chat',
  requestModel: REQUEST.model,
  responseModel: WIRE.model,
  responseId: 'resp_1',
  userId: 'u-7',
  conversationId: 'c-3',
};
const OK = {
  ...RECORD,
  inputTokens: 22,
  outputTokens: 9,
  cacheReadTokens: 4,
  reasoningTokens: 2,
  outcome: 'ok',
  tokenSource: 'provider',
} as const;

const plain = responsesPlain(WIRE);
const stream = responsesStream(WIRE);
const head: Script = { ...stream, pieces: (stream.pieces ?? []).slice(0, -2), pauseMs: 4 };

async function events(given: AsyncIterable<unknown>, upTo = Infinity): Promise<unknown[]> {
  const seen: unknown[] = [];
  for await (const event of given) {
    seen.push(snapshot(event));
    if (seen.length >= upTo) break;
  }
  return seen;
}

export const responsesShapes: readonly Shape<OpenAI>[] = [
  {
    title: 'responses.create()',
    script: plain,
    expected: OK,
    run: async (client) => {
      const reply = await client.responses.create(REQUEST);
      return { reply, text: reply.output_text };
    },
  },
  {
    title: 'responses, withResponse()',
    script: plain,
    expected: OK,
    run: async (client) => {
      const { data, response, request_id } = await client.responses.create(REQUEST).withResponse();
      return { data, request_id, ...responseFacts(response) };
    },
  },
  {
    title: 'responses, asResponse(), then json()',
    script: plain,
    expected: OK,
    run: async (client) => (await client.responses.create(REQUEST).asResponse()).json(),
  },
  {
    title: 'responses.parse()',
    script: responsesPlain(WIRE, '{"times":2}'),
    expected: OK,
    run: async (client) => {
      const reply = await client.responses.parse({
        ...REQUEST,
        text: { format: { type: 'json_schema', name: 'tide', schema: { type: 'object' } } },
      });
      return { parsed: reply.output_parsed, reply };
    },
  },
  {
    title: 'responses, HTTP 400',
    script: { status: 400, body: '{"error":{"message":"Unknown model","code":"model_not_found"}}' },
    expected: { outcome: 'error', requestModel: REQUEST.model, tokenSource: undefined },
    run: (client) => client.responses.create(REQUEST),
  },
  {
    title: 'responses stream',
    script: stream,
    expected: OK,
    run: async (client) => events(await client.responses.create(STREAM)),
  },
  {
    title: 'responses stream without usage',
    script: responsesStream(WIRE, null),
    expected: {
      ...RECORD,
      inputTokens: 15,
      outputTokens: 9, // a reply of this API bills its end
      outcome: 'ok',
      tokenSource: 'counted',
    },
    run: async (client) => events(await client.responses.create(STREAM)),
  },
  {
    title: 'responses stream, withResponse()',
    script: stream,
    expected: OK,
    run: async (client) => {
      const { data, response } = await client.responses.create(STREAM).withResponse();
      return [responseFacts(response), surface(data), await events(data)];
    },
  },
  {
    title: 'responses stream, tee()',
    script: stream,
    expected: OK,
    run: async (client) => {
      const [left, right] = (await client.responses.create(STREAM)).tee();
      return [await events(left), await events(right)];
    },
  },
  {
    title: 'responses stream, break',
    script: { ...head, held: head.pieces?.at(-1) ?? '' },
    expected: { ...RECORD, outcome: 'aborted', tokenSource: 'estimated' },
    run: async (client) => events(await client.responses.create(STREAM), 5),
  },
  {
    title: 'responses stream, cut',
    script: { ...head, cut: true },
    expected: { ...RECORD, outcome: 'aborted', tokenSource: 'estimated' },
    run: async (client) => events(await client.responses.create(STREAM)),
  },
  {
    title: 'responses stream, never read',
    endsAtShutdown: true,
    script: stream,
    expected: { requestModel: REQUEST.model, outcome: 'aborted', outputTokens: undefined },
    run: async (client) => {
      await client.responses.create(STREAM);
      return undefined;
    },
  },
  {
    title: 'responses stream that reports a failure',
    script: responsesFailedStream(WIRE),
    expected: { ...OK, outcome: 'error', errorType: 'server_error' },
    run: async (client) => events(await client.responses.create(STREAM)),
  },
  {
    title: 'responses.stream()',
    script: stream,
    expected: OK,
    run: async (client) => {
      const types: string[] = [];
      const runner = client.responses.stream(REQUEST);
      runner.on('response.output_text.delta', ({ delta }) => types.push(delta));
      const final = await runner.finalResponse();
      return { final, types };
    },
  },
  {
    title: 'responses.stream(), read by for await',
    script: stream,
    expected: OK,
    run: (client) => events(client.responses.stream(REQUEST)),
  },
];
