import type * as AiSdk from 'ai';
import type { createOpenAI } from '@ai-sdk/openai';
import type { CurrentMeter, PatchOutcome, SdkPatch } from '../../../src/providers/sdk-patch.ts';
import { vercelAi } from '../../../src/providers/vercel-ai/index.ts';
import { vercelAiProviders } from '../../../src/providers/vercel-ai/provider-packages.ts';
import { loadCjs, type InstalledIn } from '../../support/sdk-versions.ts';
import {
  chatBareStream,
  chatFailedStream,
  chatPlain,
  chatScripts,
  chatStream,
  type ChatWire,
  embeddingsReply,
} from '../../support/wire/openai-chat.ts';
import { describeProvider } from './provider-suite.ts';
import type { Shape } from './provider-under-test.ts';

interface Modules {
  readonly ai: typeof AiSdk;
  readonly openai: { readonly createOpenAI: typeof createOpenAI };
}

interface Client {
  readonly ai: typeof AiSdk;
  readonly provider: ReturnType<typeof createOpenAI>;
}

const USAGE = {
  prompt_tokens: 18,
  completion_tokens: 9,
  total_tokens: 27,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};
const WIRE: ChatWire = { model: 'gpt-4o-2024-08-06', usage: USAGE, streamUsage: { usage: USAGE } };
const COUNTS = { inputTokens: 18, outputTokens: 9, cacheReadTokens: 4, reasoningTokens: 2 };
const RECORD = {
  provider: 'openai',
  operation: 'chat',
  requestModel: 'gpt-4o',
  responseModel: WIRE.model,
  responseId: 'chatcmpl-1',
};
const OK = { ...RECORD, ...COUNTS, outcome: 'ok', tokenSource: 'provider' } as const;

/** How a call reaches us: by the patched models of the provider package, or by the AI SDK's telemetry alone. */
type Route = 'models' | 'telemetry';

const openaiPackage = vercelAiProviders.find((patch) => patch.moduleName === '@ai-sdk/openai');

/** The list that versions 6 and 7 of the AI SDK share. */
function integrations(): object[] {
  const registry = globalThis as { AI_SDK_TELEMETRY_INTEGRATIONS?: object[] };
  return (registry.AI_SDK_TELEMETRY_INTEGRATIONS ??= []);
}

function patchBy(route: Route): SdkPatch {
  return {
    moduleName: 'ai',
    testedMajors: [5, 7],
    patch(moduleExports: unknown, meter: CurrentMeter): PatchOutcome {
      const { ai, openai } = moduleExports as Modules;
      const before = integrations().length;
      vercelAi.patch(ai, meter);
      if (route === 'models') return openaiPackage?.patch(openai, meter) ?? 'unfit';
      return integrations().length > before ? 'patched' : 'already-patched';
    },
  };
}

function request({ provider }: Client, signal?: AbortSignal) {
  return {
    model: provider.chat('gpt-4o'),
    prompt: 'How often does the tide come in?',
    maxRetries: 0,
    ...(signal && { abortSignal: signal }),
  };
}

/** Errors of a stream are told by `onError` or, unless there is one, on the console. */
function stream(client: Client, signal?: AbortSignal): AsyncIterable<unknown> {
  return told(client.ai.streamText({ ...request(client, signal), onError: () => undefined }));
}

/** Chunks without what differs from run to run; an error in the stream is thrown as one. */
async function* told(result: { fullStream: AsyncIterable<unknown> }): AsyncIterable<unknown> {
  for await (const part of result.fullStream) {
    const { type, text, error } = part as { type: string; text?: string; error?: unknown };
    if (type === 'error') throw error;
    if (type === 'text-delta') yield { type, text };
  }
}

const SHAPES: readonly Shape<Client>[] = [
  {
    title: 'promises of a stream',
    script: chatStream(WIRE),
    expected: OK,
    run: async (client) => {
      const result = client.ai.streamText(request(client));
      return [await result.text, await result.finishReason];
    },
  },
  {
    title: 'toTextStreamResponse()',
    script: chatStream(WIRE),
    expected: OK,
    run: (client) => client.ai.streamText(request(client)).toTextStreamResponse().text(),
  },
  {
    title: 'embed()',
    script: embeddingsReply('text-embedding-3-small', { prompt_tokens: 3, total_tokens: 3 }),
    expected: {
      operation: 'embeddings',
      requestModel: 'text-embedding-3-small',
      inputTokens: 3,
      outputTokens: undefined,
      outcome: 'ok',
      tokenSource: 'provider',
    },
    run: async ({ ai, provider }) =>
      (
        await ai.embed({
          model: provider.textEmbeddingModel('text-embedding-3-small'),
          value: 'Sea',
        })
      ).embedding,
  },
];

/** What only a patched model sees. */
const MODEL_SHAPES: readonly Shape<Client>[] = [
  {
    title: 'user named for the vendor',
    script: chatPlain(WIRE),
    expected: { ...OK, userId: 'u-7' },
    run: async (client) =>
      (
        await client.ai.generateText({
          ...request(client),
          providerOptions: { openai: { user: 'u-7' } },
        })
      ).text,
  },
  {
    title: 'telemetry switched off',
    script: chatPlain(WIRE),
    expected: OK,
    run: async (client) =>
      (
        await client.ai.generateText({
          ...request(client),
          experimental_telemetry: { isEnabled: false },
        })
      ).text,
  },
];

/** Only version 7 has a context of its own for telemetry. */
const RUNTIME_CONTEXT: Shape<Client> = {
  title: 'user in the runtime context',
  script: chatPlain(WIRE),
  expected: { ...OK, userId: 'u-9', conversationId: 'conv-9' },
  run: async (client) =>
    (
      await client.ai.generateText({
        ...request(client),
        runtimeContext: { userId: 'u-9', conversationId: 'conv-9', plan: 'free' },
        telemetry: { includeRuntimeContext: { userId: true, conversationId: true } },
      })
    ).text,
};

const VERSIONS = [
  ['7', 'root', ['telemetry', 'models']],
  ['6', 'previous', ['models']],
  ['5', 'ai-5', ['models']],
] as const satisfies readonly (readonly [string, InstalledIn, readonly Route[]])[];

for (const [version, place, routes] of VERSIONS) {
  for (const route of routes) {
    describeProvider<Client>({
      title: `ai ${version}, seen by ${route}`,
      patch: patchBy(route),
      refusedAs: 'AI_APICallError',
      async load(): Promise<Modules> {
        // What an earlier run registered belongs to its meter.
        integrations().splice(0);
        return {
          ai: (await loadCjs('ai', place)()) as typeof AiSdk,
          openai: (await loadCjs('@ai-sdk/openai', place)()) as Modules['openai'],
        };
      },
      client(module, url) {
        const { ai, openai } = module as Modules;
        return { ai, provider: openai.createOpenAI({ apiKey: 'test', baseURL: url }) };
      },
      plain: async (client) => (await client.ai.generateText(request(client))).text,
      stream: async (client, signal) => stream(client, signal),
      abort: (_stream, controller) => controller.abort(),
      breakSeen: 'collected',
      neverRead: 'whole',
      wire: chatScripts(WIRE),
      expected: { record: RECORD, plain: COUNTS, stream: COUNTS },
      shapes: [
        ...SHAPES,
        ...(route === 'models' ? MODEL_SHAPES : []),
        ...(version === '7' ? [RUNTIME_CONTEXT] : []),
      ],
      promises: {
        ...(route === 'telemetry' && {
          fitsAll: 'its telemetry is a list to be on, whatever the module',
        }),
        pending: 'the AI SDK waits until a reply is whole',
        failed: [
          {
            title: 'an error in the middle of a stream',
            script: chatFailedStream(WIRE),
            expected: { provider: 'openai', requestModel: 'gpt-4o', outcome: 'error' },
            run: async (client) => {
              const errors: unknown[] = [];
              const onError = ({ error }: { error: unknown }): void => void errors.push(error);
              const { fullStream } = client.ai.streamText({ ...request(client), onError });
              for await (const _part of fullStream);
              return errors.length;
            },
          },
        ],
        hidden: [
          {
            title: 'history that the server keeps',
            script: chatBareStream(WIRE),
            expected: { ...RECORD, outcome: 'ok', tokenSource: 'estimated' },
            run: async (client) => {
              const result = client.ai.streamText({
                ...request(client),
                providerOptions: { openai: { previousResponseId: 'resp_1' } },
              });
              return await result.text;
            },
          },
        ],
      },
    });
  }
}
