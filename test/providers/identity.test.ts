import assert from 'node:assert/strict';
import { withUsageContext } from '../../src/context.ts';
import { messages } from '../../src/providers/anthropic/messages.ts';
import { converse } from '../../src/providers/bedrock/converse.ts';
import { legacyChat } from '../../src/providers/cohere/shapes.ts';
import { generateContent } from '../../src/providers/google/shapes.ts';
import { chatModel } from '../../src/providers/langchain/chat-model.ts';
import { chat as mistralChat, conversation } from '../../src/providers/mistral/shapes.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { responses } from '../../src/providers/openai/responses.ts';
import type { CallShape } from '../../src/domain/call-shape.ts';
import { generate } from '../../src/providers/vercel-ai/language-model.ts';
import { startMetering, type Metering } from '../support/metering.ts';

interface Named {
  readonly userId?: string;
  readonly conversationId?: string;
}

const chat = chatCompletions();

/** Where each provider's own request names somebody. */
const PLAIN: readonly (readonly [string, CallShape, object, Named])[] = [
  ['openai, groq, together: user', chat, { user: 'u-7' }, { userId: 'u-7' }],
  ['openai: metadata', chat, { metadata: { user_id: 'u-7' } }, { userId: 'u-7' }],
  ['openai: conversation', responses, { conversation: 'conv-7' }, { conversationId: 'conv-7' }],
  [
    'openai: conversation object',
    responses,
    { conversation: { id: 'conv-7' } },
    { conversationId: 'conv-7' },
  ],
  ['anthropic: metadata', messages, { metadata: { user_id: 'u-7' } }, { userId: 'u-7' }],
  ['anthropic: profile', messages, { user_profile_id: 'u-7' }, { userId: 'u-7' }],
  [
    'bedrock: request metadata',
    converse,
    { requestMetadata: { user_id: 'u-7', conversation_id: 'conv-7' } },
    { userId: 'u-7', conversationId: 'conv-7' },
  ],
  [
    'vertex: labels',
    generateContent,
    { config: { labels: { user_id: 'u-7' } } },
    { userId: 'u-7' },
  ],
  ['mistral: metadata', mistralChat, { metadata: { user_id: 'u-7' } }, { userId: 'u-7' }],
  ['mistral: conversation', conversation, { conversationId: 'c-7' }, { conversationId: 'c-7' }],
  ['cohere: conversation', legacyChat, { conversationId: 'c-7' }, { conversationId: 'c-7' }],
  [
    'AI SDK: options of the vendor',
    generate,
    { providerOptions: { openai: { user: 'u-7' }, anthropic: { metadata: { userId: 'no' } } } },
    { userId: 'u-7' },
  ],
  [
    'LangChain: runnable',
    chatModel,
    { config: { metadata: { user_id: 'u-7' }, configurable: { thread_id: 't-7' } } },
    { userId: 'u-7', conversationId: 't-7' },
  ],
  [
    'LangChain: ids that are numbers',
    chatModel,
    { config: { metadata: { user_id: 7 }, configurable: { thread_id: 0 } } },
    { userId: '7', conversationId: '0' },
  ],
];

/** Fields that may hold hashes. */
const OPAQUE: readonly (readonly [string, CallShape, object, Named])[] = [
  ['openai: safety identifier', chat, { safety_identifier: 'h-7' }, { userId: 'h-7' }],
  ['openai: cache key', chat, { prompt_cache_key: 'h-7' }, { conversationId: 'h-7' }],
  ['mistral: cache key', mistralChat, { promptCacheKey: 'h-7' }, { conversationId: 'h-7' }],
];

describe('user and conversation in a request', () => {
  for (const requestIdentity of ['never', 'plain', 'all'] as const) {
    describe(requestIdentity, () => {
      let metering: Metering;
      before(() => {
        metering = startMetering({ requestIdentity });
        metering.on();
      });
      after(() => {
        metering.off();
        metering.close();
      });

      async function recorded(shape: CallShape, request: object): Promise<Named> {
        metering.current()?.start({ provider: 'test', shape, request })?.complete({});
        const [record] = (await metering.take()).records;
        assert.ok(record);
        const { userId, conversationId } = record;
        return {
          ...(userId !== undefined && { userId }),
          ...(conversationId !== undefined && { conversationId }),
        };
      }

      for (const [name, shape, request, expected] of PLAIN) {
        it(name, async () => {
          const named = requestIdentity === 'never' ? {} : expected;
          assert.deepEqual(await recorded(shape, request), named);
        });
      }
      for (const [name, shape, request, expected] of OPAQUE) {
        it(name, async () => {
          const named = requestIdentity === 'all' ? expected : {};
          assert.deepEqual(await recorded(shape, request), named);
        });
      }

      it('what the application says itself wins', async () => {
        const named = await withUsageContext({ userId: 'alice' }, () =>
          recorded(chat, { user: 'u-7' }),
        );
        assert.deepEqual(named, { userId: 'alice' });
      });
    });
  }
});
