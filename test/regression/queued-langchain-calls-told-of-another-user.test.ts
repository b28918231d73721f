import assert from 'node:assert/strict';
import type * as Langchain from '@langchain/openai';
import type * as OpenAiModule from 'openai';
import { flush, withUsageContext } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadTogether } from '../support/sdk-versions.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const USERS = ['alice', 'bob', 'carol', 'dave'];

/** LangChain starts a call that has waited from within the one that has just ended. */
describe('LangChain with maxConcurrency: each call is its own user’s', () => {
  let server: WireServer;
  let calls: RecordedCalls;
  let openai: typeof OpenAiModule;
  let langchain: typeof Langchain;

  before('loads the SDKs', async () => {
    server = await startWireServer();
    calls = startRecording();
    [openai, , langchain] = loadTogether([
      'openai',
      '@langchain/core/messages',
      '@langchain/openai',
    ]) as [typeof OpenAiModule, unknown, typeof Langchain];
  });
  before('patches them', () => {
    assert.ok(calls.instrumentation.instrument('openai', openai));
    assert.ok(calls.instrumentation.instrument('@langchain/openai', langchain));
  });
  beforeEach(() => calls.reset());
  after(async () => {
    await calls.close();
    await server.close();
  });

  const model = (): Langchain.ChatOpenAI =>
    new langchain.ChatOpenAI({
      model: 'gpt-4o',
      apiKey: 'test',
      maxRetries: 0,
      maxConcurrency: 1,
      configuration: { baseURL: server.url },
    });

  async function users(): Promise<readonly unknown[]> {
    await flush();
    return calls.records.map(({ userId = '' }) => userId).toSorted();
  }

  const ways: Readonly<
    Record<string, readonly [Script, (user: string, chat: Chat) => Promise<unknown>]>
  > = {
    'by withUsageContext': [
      chatPlain(WIRE),
      (userId, chat) => withUsageContext({ userId }, () => chat.invoke('When?')),
    ],
    'by the metadata of the runnable': [
      chatPlain(WIRE),
      (user, chat) => chat.invoke('When?', { metadata: { user_id: user } }),
    ],
    streamed: [
      chatStream(WIRE),
      (userId, chat) =>
        withUsageContext({ userId }, async () => {
          for await (const chunk of await chat.stream('When?')) void chunk;
        }),
    ],
  };
  for (const [way, [script, ask]] of Object.entries(ways)) {
    it(way, async () => {
      server.play({ ...script, delayMs: 5 });
      const chat = model();
      await Promise.all(USERS.map((user) => ask(user, chat)));
      assert.deepEqual(await users(), USERS);
    });
  }

  it('by batch()', async () => {
    server.play({ ...chatPlain(WIRE), delayMs: 5 });
    await model().batch(
      USERS,
      USERS.map((user) => ({ metadata: { user_id: user } })),
      { maxConcurrency: 1 },
    );
    assert.deepEqual(await users(), USERS);
  });
});

type Chat = Langchain.ChatOpenAI;
