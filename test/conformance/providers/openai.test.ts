import type { OpenAI } from 'openai';
import { openai } from '../../../src/providers/openai/index.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import {
  chatBareStream,
  chatError,
  chatPlain,
  chatUsageStream,
} from '../../support/wire/openai-chat.ts';
import { backgroundShapes } from './openai/background-shapes.ts';
import { chatReplies } from './openai/chat-replies.ts';
import { chatStreams } from './openai/chat-streams.ts';
import { CHAT, CHAT_COUNTS, CHAT_RECORD, CHAT_WIRE } from './openai/requests.ts';
import { responsesShapes } from './openai/responses-shapes.ts';
import { textShapes } from './openai/text-shapes.ts';
import { describeProvider } from './provider-suite.ts';

const BUILDS = [
  ['7', 'root', ''],
  ['6', 'openai-6', ''],
  ['5', 'openai-5', ''],
  ['4', 'openai-4', ''],
] as const;

for (const [major, place] of BUILDS) {
  for (const [build, load] of [
    ['CommonJS', loadCjs('openai', place)],
    ['ESM', loadEsm(place === 'root' ? 'openai' : 'openai/index.mjs', place)],
  ] as const) {
    describeProvider<OpenAI>({
      title: `openai ${major}, ${build}`,
      patch: openai,
      load,
      client(module, url) {
        const { OpenAI: Client } = module as { OpenAI: typeof OpenAI };
        return new Client({ apiKey: 'test', baseURL: url, maxRetries: 0 });
      },
      plain: (client) => client.chat.completions.create(CHAT),
      stream: (client, signal) =>
        client.chat.completions.create({ ...CHAT, stream: true }, { signal }),
      abort: (_stream, controller) => controller.abort(),
      wire: {
        plain: chatPlain(CHAT_WIRE),
        stream: chatUsageStream(CHAT_WIRE),
        bareStream: chatBareStream(CHAT_WIRE),
        error: chatError,
      },
      expected: { record: CHAT_RECORD, plain: CHAT_COUNTS, stream: CHAT_COUNTS },
      shapes: [
        ...chatReplies,
        ...chatStreams,
        ...responsesShapes,
        ...backgroundShapes,
        ...textShapes,
      ],
    });
  }
}
