import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { IterableReadableStream } from '@langchain/core/utils/stream';
import { OpenAI } from 'openai';
import { flush, meterChat, type MeterChatOptions } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer } from '../support/wire/wire-server.ts';

const PIECES = ['The tide ', 'comes in ', 'twice ', 'a day.'];
const TEXT = PIECES.join('');
const INPUT = {
  user_id: 'alice',
  conversation_id: 'c-1',
  model_name: 'gpt-4o',
  messages: [{ role: 'user', content: 'How often does the tide come in?' }],
};
/** By the chat framing of gpt-4o: 3 + role 1 + 8 words + 3, and 8 for the answer. */
const COUNTED = { inputTokens: 15, outputTokens: 8, tokenSource: 'estimated', outcome: 'ok' };
const WHO = { userId: 'alice', conversationId: 'c-1', requestModel: 'gpt-4o' };

describe('meterChat', () => {
  let calls: RecordedCalls;
  before(() => void (calls = startRecording()));
  beforeEach(() => calls.reset());
  after(() => calls.close());

  async function read(stream: AsyncIterable<unknown>): Promise<string> {
    let text = '';
    for await (const piece of stream) text += String(piece);
    return text;
  }

  it('finds everything by the names of the original design', async () => {
    const chat = meterChat(async (_input: typeof INPUT) => {
      await sleep(5);
      return { response: TEXT };
    });
    assert.deepEqual(await chat(INPUT), { response: TEXT });
    const record = await calls.only();
    assert.partialDeepStrictEqual(record, { ...WHO, ...COUNTED, provider: 'unknown' });
    assert.ok(record.durationMs >= 4);
  });

  it('takes key paths, functions and reported usage', async () => {
    const options: MeterChatOptions = {
      provider: 'acme',
      model: 'body.model',
      userId: (args) => (args[1] as { id: number }).id.toString(),
      conversationId: 'thread.id',
      usage: 'meta.tokens',
      attributes: () => ({ team: 'sea' }),
    };
    const chat = meterChat(
      async (_request: object, _user: { id: number }) => ({
        thread: { id: 't-9' },
        meta: { tokens: { input_tokens: 12, output_tokens: 0 } },
      }),
      options,
    );
    await chat({ body: { model: 'acme-1' } }, { id: 7 });
    assert.partialDeepStrictEqual(await calls.only(), {
      provider: 'acme',
      requestModel: 'acme-1',
      userId: '7',
      conversationId: 't-9',
      inputTokens: 12,
      outputTokens: 0,
      tokenSource: 'provider',
      attributes: { team: 'sea' },
    });
  });

  it('is a decorator with and without options', async () => {
    // What a compiler makes of `@meterChat({ … })` and `@meterChat` on a method.
    const service = { answer: TEXT };
    async function chat(this: typeof service, _input: typeof INPUT): Promise<string> {
      return this.answer;
    }
    const context = { kind: 'method', name: 'chat', addInitializer() {} } as never;
    for (const decorated of [
      meterChat({ userId: 'user_id' })(chat, context),
      meterChat(chat, context),
    ]) {
      calls.reset();
      assert.equal(decorated.name, 'chat');
      assert.equal(await decorated.call(service, INPUT), TEXT);
      assert.partialDeepStrictEqual(await calls.only(), { ...WHO, ...COUNTED });
    }
  });

  it('follows streams of every kind to their end', async () => {
    async function* pieces() {
      yield* PIECES;
    }
    const makers: readonly (() => AsyncIterable<unknown>)[] = [
      pieces,
      () => Readable.from(PIECES),
      () => ReadableStream.from(PIECES),
      // Its iterator reads by `getReader`.
      () => IterableReadableStream.fromAsyncGenerator(pieces()),
      () => ({
        async *[Symbol.asyncIterator]() {
          yield* PIECES;
        },
      }),
    ];
    for (const make of makers) {
      calls.reset();
      const chat = meterChat((_input: typeof INPUT) => make());
      assert.equal(await read(chat(INPUT)), TEXT, make.name);
      assert.partialDeepStrictEqual(await calls.only(), { ...WHO, ...COUNTED });
    }
  });

  it('lets a byte stream be read into a buffer of the reader’s', async () => {
    const chat = meterChat((_input: typeof INPUT) => new Blob([TEXT]).stream(), {
      response: (_args, chunk) => new TextDecoder().decode(chunk as Uint8Array),
    });
    const reader = chat(INPUT).getReader({ mode: 'byob' });
    let read = '';
    for (;;) {
      const { done, value } = await reader.read(new Uint8Array(8));
      read += new TextDecoder().decode(value);
      if (done) break;
    }
    assert.equal(read, TEXT);
    assert.partialDeepStrictEqual(await calls.only(), { ...WHO, ...COUNTED });
  });

  it('records what was received of a stream that is left', async () => {
    const chat = meterChat(async function* chat(_input: typeof INPUT) {
      yield* PIECES;
    });
    for await (const _piece of chat(INPUT)) break;
    assert.partialDeepStrictEqual(await calls.only(), {
      ...WHO,
      inputTokens: 15,
      outputTokens: 3,
      tokenSource: 'estimated',
      outcome: 'aborted',
    });
  });

  it('lets every error through as it is, and records it', async () => {
    class Overloaded extends Error {}
    const error = new Overloaded('prompt text that must not leak');
    const throwing = meterChat((_input: typeof INPUT): string => {
      throw error;
    });
    const rejecting = meterChat(async (_input: typeof INPUT): Promise<string> => {
      throw error;
    });
    assert.throws(
      () => throwing(INPUT),
      (caught) => caught === error,
    );
    await assert.rejects(
      () => rejecting(INPUT),
      (caught) => caught === error,
    );
    await flush();
    assert.deepEqual(
      calls.records.map(({ outcome, errorType }) => [outcome, errorType]),
      [
        ['error', 'Overloaded'],
        ['error', 'Overloaded'],
      ],
    );
    assert.ok(!JSON.stringify(calls.records).includes('leak'));
  });

  it('lends user and conversation to a metered SDK inside and counts the call once', async () => {
    const server = await startWireServer();
    try {
      calls.instrumentation.instrument('openai', OpenAI);
      const client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
      server.play(
        chatPlain({
          model: 'gpt-4o',
          usage: { prompt_tokens: 18, completion_tokens: 9 },
          streamUsage: {},
        }),
      );
      const chat = meterChat((input: { user_id: string; conversation_id: string }) =>
        client.chat.completions.create({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: input.user_id }],
        }),
      );
      const promise = chat(INPUT);
      assert.equal(typeof promise.withResponse, 'function');
      assert.equal((await promise).choices[0]?.message.content, TEXT);
      assert.partialDeepStrictEqual(await calls.only(), {
        ...WHO,
        provider: 'openai',
        inputTokens: 18,
        tokenSource: 'provider',
      });
    } finally {
      await server.close();
    }
  });

  it('calls straight through while disabled', async () => {
    calls.instrumentation.applySettings({ enabled: false });
    try {
      const promise = Promise.resolve(TEXT);
      const chat = meterChat((_input: typeof INPUT) => promise);
      assert.equal(chat(INPUT), promise);
      await flush();
      assert.equal(calls.records.length, 0);
    } finally {
      calls.instrumentation.applySettings({ enabled: true });
    }
  });

  it('refuses wrong options when the function is wrapped', () => {
    assert.throws(() => meterChat(async () => TEXT, { user: 'id' } as MeterChatOptions), {
      code: 'INVALID_OPTION',
      value: 'user',
    });
    assert.throws(() => meterChat(async () => TEXT, { model: 4 as never }), {
      code: 'INVALID_OPTION',
    });
  });
});
