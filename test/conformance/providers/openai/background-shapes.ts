import type { OpenAI } from 'openai';
import {
  responsesFailed,
  responsesPending,
  responsesPlain,
} from '../../../support/wire/openai-responses.ts';
import type { Shape } from '../provider-under-test.ts';

const WIRE = {
  model: 'gpt-4o',
  usage: { input_tokens: 22, output_tokens: 9, total_tokens: 31 },
};
const REQUEST = {
  model: 'gpt-4o',
  input: 'How often does the tide come in?',
  background: true,
} as const;
const OK = {
  provider: 'openai',
  responseId: 'resp_1',
  inputTokens: 22,
  outputTokens: 9,
  outcome: 'ok',
  tokenSource: 'provider',
} as const;
const queued = responsesPending(WIRE, 'queued');
const underWay = responsesPending(WIRE, 'in_progress');
const done = responsesPlain(WIRE);

/** Replies made in the background: one call, whose usage comes when it is fetched whole. */
export const backgroundShapes: readonly Shape<OpenAI>[] = [
  {
    title: 'responses in the background, fetched until they are whole, and once more',
    script: [queued, underWay, done, done],
    expected: OK,
    run: async (client) => {
      const { id } = await client.responses.create(REQUEST);
      const statuses: unknown[] = [];
      for (let i = 0; i < 3; i += 1) statuses.push((await client.responses.retrieve(id)).status);
      return statuses;
    },
  },
  {
    title: 'responses in the background, fetched after a failure to fetch',
    script: [queued, { status: 500, body: '{"error": {"message": "later"}}' }, done],
    expected: OK,
    run: async (client) => {
      const { id } = await client.responses.create(REQUEST);
      const failed = await client.responses.retrieve(id).catch((error: unknown) => String(error));
      return { failed, reply: await client.responses.retrieve(id) };
    },
  },
  {
    title: 'responses in the background, read as raw responses',
    script: [queued, underWay, done],
    expected: OK,
    run: async (client) => {
      const bodies = [await (await client.responses.create(REQUEST).asResponse()).json()];
      for (const how of ['text', 'arrayBuffer'] as const) {
        const response = await client.responses.retrieve('resp_1').asResponse();
        bodies.push(Buffer.from((await response[how]()) as string).toString());
      }
      return bodies;
    },
  },
  {
    title: 'responses in the background that fail',
    script: [queued, responsesFailed(WIRE)],
    expected: { responseId: 'resp_1', outcome: 'error', errorType: 'server_error' },
    run: async (client) => {
      const { id } = await client.responses.create(REQUEST);
      return await client.responses.retrieve(id);
    },
  },
  {
    title: 'responses in the background that nobody fetches before the end of the process',
    script: queued,
    endsAtShutdown: true,
    expected: {
      responseId: 'resp_1',
      outcome: 'aborted',
      tokenSource: 'counted',
      outputTokens: undefined,
    },
    run: async (client) => await client.responses.create(REQUEST),
  },
  {
    title: 'responses made elsewhere are no call',
    script: done,
    expected: [],
    run: async (client) => await client.responses.retrieve('resp_1'),
  },
];
