import assert from 'node:assert/strict';
import { getEventListeners, setMaxListeners } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import type { Anthropic } from '@anthropic-ai/sdk';
import type { Groq } from 'groq-sdk';
import type { OpenAI } from 'openai';
import type { Together } from 'together-ai';
import { anthropic } from '../../src/providers/anthropic/index.ts';
import { groq } from '../../src/providers/groq/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import type { SdkPatch } from '../../src/providers/sdk-patch.ts';
import { together } from '../../src/providers/together/index.ts';
import { collectAll, heapInUse } from '../support/collect.ts';
import { startMetering } from '../support/metering.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { anthropicPlain, anthropicStream } from '../support/wire/anthropic.ts';
import { chatBareStream, chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import type { Script } from '../support/wire/wire-server.ts';

const CALLS = 10_000;
/** For the SDKs that share openai's client and its patch. */
const CALLS_OF_OTHERS = 2_500;
const WARM_UP = 2_000;
/** What V8 itself grows by in code and feedback, and what a collection leaves for the next. */
const NOISE_BYTES_A_CALL = 100;

const KINDS = ['plain', 'error', 'stream', 'bare stream', 'break', 'unread', 'raw'] as const;
type Kind = (typeof KINDS)[number];

interface Sdk {
  readonly title: string;
  readonly patch: SdkPatch;
  /** It takes its listeners off a signal again; others keep a call's objects alive by them. */
  readonly sharesSignal: boolean;
  load(): Promise<unknown>;
  readonly wire: Readonly<Record<'plain' | 'stream' | 'bare', Script>>;
  /** One request through the client of this module, streamed or not. */
  create(
    module: unknown,
    fetch: typeof globalThis.fetch,
  ): (stream: boolean, signal: AbortSignal | undefined) => Created;
}

interface Created extends PromiseLike<unknown> {
  asResponse(): Promise<Response>;
}

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const CHAT = {
  plain: chatPlain(WIRE),
  stream: chatStream(WIRE),
  bare: chatBareStream(WIRE),
};
const REQUEST = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'How often does the tide come in?' }],
};

/** The SDKs of one generator: the same client under other names. */
function chatSdk(
  title: string,
  patch: SdkPatch,
  className: 'OpenAI' | 'Groq' | 'Together',
  load: Sdk['load'],
): Sdk {
  return {
    title,
    patch,
    sharesSignal: title === 'openai 7',
    load,
    wire: CHAT,
    create(module, fetch) {
      const Client = (module as Record<string, typeof OpenAI | typeof Groq | typeof Together>)[
        className
      ] as typeof OpenAI;
      const client = new Client({
        apiKey: 'test',
        baseURL: 'http://127.0.0.1:9',
        maxRetries: 0,
        fetch,
      });
      return (stream, signal) =>
        client.chat.completions.create({ ...REQUEST, stream }, signal && { signal });
    },
  };
}

const SDKS: readonly Sdk[] = [
  chatSdk('openai 7', openai, 'OpenAI', loadCjs('openai')),
  chatSdk('openai 6', openai, 'OpenAI', loadCjs('openai', 'openai-6')),
  chatSdk('openai 5', openai, 'OpenAI', loadCjs('openai', 'openai-5')),
  chatSdk('groq-sdk 1', groq, 'Groq', loadCjs('groq-sdk')),
  chatSdk('together-ai 0', together, 'Together', loadCjs('together-ai')),
  {
    title: '@anthropic-ai/sdk 1',
    patch: anthropic,
    sharesSignal: false,
    load: loadCjs('@anthropic-ai/sdk'),
    wire: { plain: anthropicPlain, stream: anthropicStream, bare: anthropicStream },
    create(module, fetch) {
      const { Anthropic: Client } = module as { Anthropic: typeof Anthropic };
      const client = new Client({
        apiKey: 'test',
        baseURL: 'http://127.0.0.1:9',
        maxRetries: 0,
        fetch,
      });
      return (stream, signal) =>
        client.messages.create({ ...REQUEST, max_tokens: 50, stream }, signal && { signal });
    },
  },
];

/** Without a network: what is left behind is the SDK's or ours. */
function fetchOf(wire: Sdk['wire'], kind: () => Kind): typeof globalThis.fetch {
  const stream = (wire.stream.pieces ?? []).join('');
  const bare = (wire.bare.pieces ?? []).join('');
  return () => {
    const now = kind();
    if (now === 'error') return Promise.resolve(Response.json({ error: {} }, { status: 429 }));
    if (now === 'plain' || now === 'raw') {
      const headers = { 'content-type': 'application/json' };
      return Promise.resolve(new Response(String(wire.plain.body), { headers }));
    }
    const headers = { 'content-type': 'text/event-stream' };
    return Promise.resolve(new Response(now === 'bare stream' ? bare : stream, { headers }));
  };
}

describe('calls of every kind', function () {
  this.timeout(120_000);

  for (const sdk of SDKS) {
    const calls = Number(
      process.env['GROWTH_CALLS'] ?? (sdk.title === 'openai 7' ? CALLS : CALLS_OF_OTHERS),
    );
    it(`leave nothing behind in ${sdk.title}, ${calls} of them`, async () => {
      const metering = startMetering();
      try {
        const module = await sdk.load();
        assert.notEqual(sdk.patch.patch(module, metering.current), 'unfit');
        let kind: Kind = 'plain';
        const create = sdk.create(
          module,
          fetchOf(sdk.wire, () => kind),
        );
        // One signal for all calls, as an application has for its shutdown.
        const { signal } = new AbortController();
        setMaxListeners(0, signal);

        const one = async (): Promise<void> => {
          const streamed = kind !== 'plain' && kind !== 'error' && kind !== 'raw';
          const call = create(streamed, sdk.sharesSignal ? signal : undefined);
          if (kind === 'raw') {
            await (await call.asResponse()).text();
            return;
          }
          const reply = await call;
          if (!streamed || kind === 'unread') return;
          for await (const _chunk of reply as AsyncIterable<unknown>) if (kind === 'break') break;
        };
        let records = 0;
        const run = async (count: number): Promise<void> => {
          for (let done = 0; done < count; done += 1) {
            kind = KINDS[done % KINDS.length] ?? 'plain';
            await one().catch(() => undefined);
            await turn();
            if (done % 500 === 499) records += (await metering.take()).records.length;
          }
          await collectAll();
          records += (await metering.take()).records.length;
        };
        const grown = async (count: number): Promise<{ bytes: number; listeners: number }> => {
          await run(WARM_UP);
          const before = await heapInUse();
          const listeners = getEventListeners(signal, 'abort').length;
          await run(count);
          return {
            bytes: ((await heapInUse()) - before) / count,
            listeners: (getEventListeners(signal, 'abort').length - listeners) / count,
          };
        };
        const ofProcess = (): readonly string[] =>
          process.eventNames().map((name) => `${String(name)} ${process.listenerCount(name)}`);

        const bare = await grown(WARM_UP);
        const listeners = ofProcess();
        assert.equal(records, 0);
        metering.on();
        const metered = await grown(calls);

        assert.equal(records, WARM_UP + calls);
        assert.equal(metering.unread, 0);
        assert.deepEqual(ofProcess(), listeners);
        assert.ok(
          metered.listeners <= bare.listeners + 0.01,
          `${metered.listeners} listeners a call, ${bare.listeners} without us`,
        );
        const bytes = metered.bytes - Math.max(0, bare.bytes);
        assert.ok(bytes < NOISE_BYTES_A_CALL, `${bytes.toFixed(0)} bytes a call are kept`);
      } finally {
        metering.off();
        metering.close();
      }
    });
  }
});
