import type { ChatAnthropic } from '@langchain/anthropic';
import type { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { anthropic } from '../../../src/providers/anthropic/index.ts';
import { langchain } from '../../../src/providers/langchain/index.ts';
import type { SdkPatch } from '../../../src/providers/sdk-patch.ts';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { loadTogether, requireInside } from '../../support/sdk-versions.ts';
import { plainChatModel, type LangchainCore } from '../../support/plain-chat-model.ts';
import {
  anthropicError,
  anthropicFailedStream,
  anthropicPlain,
  anthropicStream,
} from '../../support/wire/anthropic.ts';
import {
  chatBareStream,
  chatPlain,
  chatScripts,
  chatStream,
  type ChatWire,
} from '../../support/wire/openai-chat.ts';
import { describeProvider } from './provider-suite.ts';
import type { Shape } from './provider-under-test.ts';

const QUESTION = 'How often does the tide come in?';
const CONFIG = { metadata: { user_id: 'u-7' }, configurable: { thread_id: 'thread-1' } };
const WHO = { userId: 'u-7', conversationId: 'thread-1' };

function patchOf(name: string): SdkPatch {
  const found = langchain.find(({ moduleName }) => moduleName === `@langchain/${name}`);
  if (found === undefined) throw new Error(`no patch for ${name}`);
  return found;
}

/** Chunks without ids that are made up anew on each run. */
async function* told(chunks: AsyncIterable<{ content: unknown }>): AsyncIterable<unknown> {
  for await (const { content } of chunks) yield content;
}

/** Ways of calling that every chat model has; each is to leave the same record. */
function shapes(
  plain: Shape<BaseChatModel>['script'],
  stream: Shape<BaseChatModel>['script'],
  expected: Partial<UsageRecord>,
): readonly Shape<BaseChatModel>[] {
  return [
    {
      title: 'user and conversation of the runnable',
      script: plain,
      expected: { ...expected, ...WHO },
      run: async (model) => (await model.invoke(QUESTION, CONFIG)).content,
    },
    {
      title: 'user and conversation of a stream',
      script: stream,
      expected: { ...expected, ...WHO },
      run: async (model) => {
        const contents: unknown[] = [];
        for await (const { content } of await model.stream(QUESTION, CONFIG))
          contents.push(content);
        return contents;
      },
    },
    {
      title: 'batch()',
      script: plain,
      calls: 2,
      expected,
      run: async (model) => (await model.batch([QUESTION, QUESTION])).map(({ content }) => content),
    },
    {
      title: 'generate() of two prompts',
      script: plain,
      calls: 2,
      expected,
      run: async (model) =>
        (await model.generate([[['human', QUESTION]], [['human', QUESTION]]])).generations.map(
          ([generation]) => generation?.text,
        ),
    },
    {
      title: 'a step of a sequence',
      script: plain,
      expected,
      run: async (model) => model.pipe(({ content }) => content).invoke(QUESTION),
    },
    {
      title: 'streamEvents(), version 2',
      script: stream,
      expected,
      run: async (model) => {
        const names: string[] = [];
        for await (const { event } of model.streamEvents(QUESTION, { version: 'v2' })) {
          names.push(event);
        }
        return names;
      },
    },
    {
      title: 'streamEvents(), version 3',
      script: stream,
      expected,
      run: async (model) => {
        const names: string[] = [];
        for await (const { event } of model.streamEvents(QUESTION)) names.push(event);
        return names;
      },
    },
  ];
}

const PLAIN_USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE: ChatWire = {
  model: 'plain-1-0826',
  usage: PLAIN_USAGE,
  streamUsage: { usage: PLAIN_USAGE },
};
const COUNTS = { inputTokens: 18, outputTokens: 9 };
const RECORD = {
  provider: 'plain',
  operation: 'chat',
  requestModel: 'plain-1',
  responseId: 'chatcmpl-1',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

const CORE = ['language_models/chat_models', 'messages', 'outputs'].map(
  (name) => `@langchain/core/${name}`,
);

/** Node has one ESM copy, which only this file patches. */
async function importCore(): Promise<LangchainCore> {
  const modules = await Promise.all(CORE.map((name) => import(name) as Promise<object>));
  return Object.assign({}, ...modules) as LangchainCore;
}

function requireCore(): Promise<LangchainCore> {
  return Promise.resolve(Object.assign({}, ...(loadTogether(CORE) as object[])) as LangchainCore);
}

for (const [build, load] of [
  ['CommonJS', requireCore],
  ['ESM', importCore],
] as const) {
  describeProvider<BaseChatModel>({
    title: `@langchain/core 1, ${build}, over fetch`,
    patch: patchOf('core'),
    refusedAs: 'BudgetExceededError',
    load,
    client: (module, url) => plainChatModel(module as LangchainCore, url),
    plain: async (model) => (await model.invoke(QUESTION)).content,
    stream: async (model, signal) => told(await model.stream(QUESTION, signal && { signal })),
    abort: (_stream, controller) => controller.abort(),
    neverRead: 'begun',
    wire: chatScripts(WIRE),
    expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
    shapes: shapes(chatPlain(WIRE), chatStream(WIRE), OK),
    promises: {
      pending: 'LangChain waits until a reply is whole',
      failed: 'LangChain knows failures as errors that are thrown: see "error status" and "cut"',
      hidden: [
        {
          title: 'history that the server keeps',
          script: chatBareStream(WIRE),
          expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
          run: async (model) => {
            const options = { previous_response_id: 'resp_1' };
            for await (const _chunk of await model.stream(QUESTION, options as object));
          },
        },
      ],
    },
  });
}

const USAGE = { inputTokens: 36, outputTokens: 9, cacheReadTokens: 20, cacheWriteTokens: 5 };
const INNER_RECORD = {
  provider: 'anthropic',
  operation: 'chat',
  requestModel: 'claude-opus-5',
  responseModel: 'claude-opus-5-20260801',
  responseId: 'msg_01',
};
const INNER_OK = { ...INNER_RECORD, ...USAGE, outcome: 'ok', tokenSource: 'provider' } as const;

interface AnthropicModules {
  readonly sdk: unknown;
  readonly langchain: { readonly ChatAnthropic: typeof ChatAnthropic };
}

describeProvider<BaseChatModel>({
  title: '@langchain/anthropic 1, over its own @anthropic-ai/sdk 0.122',
  refusedAs: 'BudgetExceededError',
  patch: {
    ...anthropic,
    patch(modules, meter) {
      const { sdk, langchain: packaged } = modules as AnthropicModules;
      patchOf('anthropic').patch(packaged, meter);
      return anthropic.patch(sdk, meter);
    },
  },
  load(): Promise<AnthropicModules> {
    const [, packaged] = loadTogether(['@langchain/core/messages', '@langchain/anthropic']);
    // Its SDK lies inside it, so this is the copy that it has just loaded.
    return Promise.resolve({
      sdk: requireInside('@langchain/anthropic')('@anthropic-ai/sdk') as unknown,
      langchain: packaged as AnthropicModules['langchain'],
    });
  },
  client: (modules, url) =>
    new (modules as AnthropicModules).langchain.ChatAnthropic({
      model: 'claude-opus-5',
      apiKey: 'test',
      anthropicApiUrl: url,
      maxRetries: 0,
      maxTokens: 100,
    }) as unknown as BaseChatModel,
  plain: async (model) => (await model.invoke(QUESTION)).content,
  stream: async (model, signal) => told(await model.stream(QUESTION, signal && { signal })),
  abort: (_stream, controller) => controller.abort(),
  neverRead: 'begun',
  wire: {
    plain: anthropicPlain,
    stream: anthropicStream,
    error: anthropicError,
  },
  // LangChain adds the counts of a stream up, which Anthropic has added up already: 10 for 9.
  expected: { record: INNER_RECORD, plain: USAGE, stream: USAGE },
  shapes: shapes(anthropicPlain, anthropicStream, INNER_OK),
  promises: {
    pending: 'LangChain waits until a reply is whole',
    failed: [
      {
        title: 'an error in the middle of a stream',
        script: anthropicFailedStream,
        expected: { ...INNER_RECORD, outcome: 'error' },
        run: async (model) => {
          for await (const _chunk of await model.stream(QUESTION));
        },
      },
    ],
    hidden:
      'its streams report the input at their first event, and it cannot read one that does not',
  },
});
