import type { GoogleGenAI } from '@google/genai';
import { google } from '../../../src/providers/google/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  googleBareStream,
  googleBlocked,
  googleEmbedding,
  googleError,
  googleFailedStream,
  googleInteraction,
  googleInteractionBareStream,
  googleInteractionFailed,
  googleInteractionStream,
  googleInteractionUnderWay,
  googlePlain,
  googleStream,
} from '../../support/wire/google.ts';
import { describeProvider } from './provider-suite.ts';

const REQUEST = { model: 'gemini-3-pro', contents: 'How often does the tide come in?' };
const COUNTS = { inputTokens: 12, outputTokens: 39, cacheReadTokens: 4, reasoningTokens: 30 };
const RECORD = {
  provider: 'gcp.gemini',
  operation: 'generate_content',
  requestModel: 'gemini-3-pro',
  responseModel: 'gemini-3-pro-001',
  responseId: 'resp-1',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

/** Nothing reported: what is there was counted, three tokens of text and one of the message. */
const COUNTED = {
  inputTokens: 3 + 1,
  outputTokens: 8,
  cacheReadTokens: undefined,
  reasoningTokens: undefined,
};

async function interactionEvents(client: GoogleGenAI, until = Infinity): Promise<unknown> {
  const types: unknown[] = [];
  const stream = await client.interactions.create({
    model: 'gemini-3-pro',
    input: 'How often?',
    stream: true,
  });
  for await (const event of stream) {
    types.push(event.event_type);
    if (types.length === until) break;
  }
  return types;
}

const INTERACTION = {
  ...RECORD,
  ...COUNTS,
  operation: 'chat',
  responseModel: 'gemini-3-pro',
  responseId: 'int-1',
  outcome: 'ok',
  tokenSource: 'provider',
} as const;

const BUILDS = [
  ['3, CommonJS', loadCjs('@google/genai')],
  ['3, ESM', loadEsm('@google/genai')],
  ['2', loadCjs('@google/genai', 'previous')],
] as const;

for (const [version, load] of BUILDS) {
  describeProvider<GoogleGenAI>({
    title: `@google/genai ${version}`,
    patch: google,
    refusedAs: 'ApiError',
    load,
    client(module, url) {
      const { GoogleGenAI: Client } = module as { GoogleGenAI: typeof GoogleGenAI };
      return new Client({
        apiKey: 'test',
        httpOptions: { baseUrl: url, retryOptions: { attempts: 1 } },
      });
    },
    plain: (client) => client.models.generateContent(REQUEST),
    stream: async (client, signal) =>
      client.models.generateContentStream({
        ...REQUEST,
        ...(signal && { config: { abortSignal: signal } }),
      }),
    abort: (_stream, controller) => controller.abort(),
    wire: {
      plain: googlePlain,
      stream: googleStream,
      bareStream: googleBareStream,
      error: googleError,
    },
    expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
    shapes: [
      {
        title: 'getters of the reply',
        script: googlePlain,
        expected: OK,
        run: async (client) => {
          const reply = await client.models.generateContent(REQUEST);
          return { text: reply.text, functionCalls: reply.functionCalls };
        },
      },
      {
        title: 'chat.sendMessage()',
        script: googlePlain,
        expected: OK,
        run: async (client) => {
          const chat = client.chats.create({ model: 'gemini-3-pro' });
          await chat.sendMessage({ message: 'How often does the tide come in?' });
          return chat.getHistory();
        },
      },
      {
        title: 'chat.sendMessageStream()',
        script: googleStream,
        expected: OK,
        run: async (client) => {
          const chat = client.chats.create({ model: 'gemini-3-pro' });
          const texts: unknown[] = [];
          const stream = await chat.sendMessageStream({ message: 'How often?' });
          for await (const chunk of stream) texts.push(chunk.text);
          return { texts, history: chat.getHistory() };
        },
      },
      {
        title: 'blocked prompt',
        script: googleBlocked,
        expected: { ...RECORD, inputTokens: 12, outcome: 'ok' },
        run: (client) => client.models.generateContent(REQUEST),
      },
      {
        title: 'interactions.create()',
        script: googleInteraction,
        expected: INTERACTION,
        run: async (client) =>
          (await client.interactions.create({ model: 'gemini-3-pro', input: 'How often?' })).id,
      },
      {
        title: 'interactions.create(), stream',
        script: googleInteractionStream,
        expected: INTERACTION,
        run: (client) => interactionEvents(client),
      },
      {
        title: 'interactions.create(), stream without usage',
        script: googleInteractionBareStream,
        expected: { ...INTERACTION, ...COUNTED, tokenSource: 'estimated' },
        run: (client) => interactionEvents(client),
      },
      {
        title: 'interactions.create(), stream that is left',
        script: googleInteractionStream,
        expected: {
          ...INTERACTION,
          ...COUNTED,
          outputTokens: 6,
          outcome: 'aborted',
          tokenSource: 'estimated',
        },
        run: (client) => interactionEvents(client, 5),
      },
      {
        title: 'embedContent()',
        script: googleEmbedding,
        expected: {
          operation: 'embeddings',
          requestModel: 'gemini-embedding-001',
          outcome: 'ok',
          tokenSource: 'estimated',
          outputTokens: undefined,
        },
        run: (client) =>
          client.models.embedContent({ model: 'gemini-embedding-001', contents: 'The tide' }),
      },
    ],
    promises: {
      pending: [
        {
          title: 'an interaction in the background',
          script: [googleInteractionUnderWay, googleInteractionUnderWay, googleInteraction],
          expected: INTERACTION,
          run: async (client) => {
            const request = { model: 'gemini-3-pro', input: 'How often?', background: true };
            await client.interactions.create(request);
            const under = await client.interactions.get('int-1');
            return [under.status, (await client.interactions.get('int-1')).status];
          },
        },
      ],
      failed: [
        {
          title: 'an error in the middle of a stream',
          script: googleFailedStream,
          expected: { ...RECORD, outcome: 'error' },
          run: async (client) => {
            for await (const _chunk of await client.models.generateContentStream(REQUEST));
          },
        },
        {
          title: 'an interaction that failed',
          script: googleInteractionFailed,
          expected: { responseId: 'int-1', outcome: 'error' },
          run: async (client) =>
            (await client.interactions.create({ model: 'gemini-3-pro', input: 'How often?' }))
              .status,
        },
      ],
      hidden: [
        {
          title: 'a search of the server',
          script: googleBareStream,
          expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
          run: async (client) => {
            const request = { ...REQUEST, config: { tools: [{ googleSearch: {} }] } };
            for await (const _chunk of await client.models.generateContentStream(request));
          },
        },
      ],
    },
  });
}
