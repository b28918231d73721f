import assert from 'node:assert/strict';
import { OpenAI } from 'openai';
import {
  flush,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type UsageRecord,
} from '../../src/index.ts';
import { chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const REQUEST = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'High tide?' }],
  stream: true as const,
};

/** The usual way to record a stream: by its last chunk, while the loop over it has not ended. */
describe('recordUsage inside the loop over a metered stream', () => {
  let server: WireServer;
  let instrumentation: TokenMeterInstrumentation;
  const records: UsageRecord[] = [];
  before(async () => {
    server = await startWireServer();
    instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
    instrumentation.instrument('openai', OpenAI);
  });
  beforeEach(() => (records.length = 0));
  after(async () => {
    instrumentation.disable();
    await server.close();
  });

  async function chat(userId: string | undefined): Promise<void> {
    const client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    server.play(chatStream(WIRE));
    for await (const chunk of await client.chat.completions.create(REQUEST)) {
      if (!chunk.usage) continue;
      await recordUsage({
        model: 'gpt-4o',
        userId,
        conversationId: 'c-1',
        responseId: chunk.id,
        inputTokens: chunk.usage.prompt_tokens,
        outputTokens: chunk.usage.completion_tokens,
      });
    }
    await flush();
  }

  it('is the same call, which learns its user', async () => {
    await chat('alice');
    assert.deepEqual(
      records.map((record) => [record.userId, record.conversationId, record.totalTokens]),
      [['alice', 'c-1', 14]],
    );
    assert.equal(records[0]?.provider, 'openai');
  });

  it('does not overrule the user that the call has', async () => {
    await withUsageContext({ userId: 'bob' }, () => chat('alice'));
    assert.deepEqual(
      records.map(({ userId, conversationId }) => [userId, conversationId]),
      [['bob', 'c-1']],
    );
  });

  it('is another call where the reply has another id', async () => {
    const client = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    server.play(chatStream(WIRE));
    for await (const chunk of await client.chat.completions.create(REQUEST)) {
      if (chunk.usage) await recordUsage({ model: 'gpt-4o', responseId: 'other', inputTokens: 1 });
    }
    await flush();
    assert.equal(records.length, 2);
  });
});
