import type { OpenAI } from 'openai';
import { openai } from '../../../../src/providers/openai/index.ts';
import { type InstalledIn, loadCjs, loadEsm } from '../../../support/sdk-versions.ts';
import {
  chatBareStream,
  chatFailedStream,
  chatScripts,
  chatUsageStream,
} from '../../../support/wire/openai-chat.ts';
import { responsesStream } from '../../../support/wire/openai-responses.ts';
import { backgroundShapes } from './background-shapes.ts';
import { chatReplies } from './chat-replies.ts';
import { chatStreams } from './chat-streams.ts';
import { CHAT, CHAT_COUNTS, CHAT_RECORD, CHAT_WIRE } from './requests.ts';
import { responsesShapes } from './responses-shapes.ts';
import { textShapes } from './text-shapes.ts';
import { describeProvider } from '../provider-suite.ts';

/** Both builds of a version of the SDK. */
export function describeOpenAi(major: number, place: InstalledIn): void {
  for (const [build, load] of [
    ['CommonJS', loadCjs('openai', place)],
    ['ESM', loadEsm(place === 'root' ? 'openai' : 'openai/index.mjs', place)],
  ] as const) {
    describeProvider<OpenAI>({
      title: `openai ${major}, ${build}`,
      patch: openai,
      refusedAs: 'RateLimitError',
      load,
      client(module, url) {
        const { OpenAI: Client } = module as { OpenAI: typeof OpenAI };
        return new Client({ apiKey: 'test', baseURL: url, maxRetries: 0 });
      },
      plain: (client) => client.chat.completions.create(CHAT),
      stream: (client, signal) =>
        client.chat.completions.create({ ...CHAT, stream: true }, { signal }),
      abort: (_stream, controller) => controller.abort(),
      wire: chatScripts(CHAT_WIRE, chatUsageStream(CHAT_WIRE)),
      expected: { record: CHAT_RECORD, plain: CHAT_COUNTS, stream: CHAT_COUNTS },
      shapes: [...chatReplies, ...chatStreams, ...responsesShapes, ...textShapes],
      promises: {
        pending: backgroundShapes,
        failed: [
          {
            title: 'an error in the middle of a stream',
            script: chatFailedStream(CHAT_WIRE),
            expected: { ...CHAT_RECORD, outcome: 'error' },
            run: async (client) => {
              const stream = await client.chat.completions.create({ ...CHAT, stream: true });
              for await (const _chunk of stream);
            },
          },
        ],
        hidden: [
          {
            title: 'a web search',
            script: chatBareStream(CHAT_WIRE),
            expected: { ...CHAT_RECORD, outcome: 'ok', tokenSource: 'estimated' },
            run: async (client) => {
              const request = { ...CHAT, stream: true, web_search_options: {} } as const;
              for await (const _chunk of await client.chat.completions.create(request));
            },
          },
          {
            title: 'nothing but a stored prompt',
            script: responsesStream({ model: 'gpt-4o', usage: {} }, null),
            expected: {
              outcome: 'aborted',
              inputTokens: undefined,
              tokenSource: undefined,
            },
            run: async (client) => {
              const request = { model: 'gpt-4o', prompt: { id: 'pmpt_1' }, stream: true } as const;
              for await (const _event of await client.responses.create(request)) break;
            },
          },
        ],
      },
    });
  }
}
