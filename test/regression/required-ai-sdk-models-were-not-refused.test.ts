import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import type * as AiSdk from 'ai';
import type * as OpenAiPackage from '@ai-sdk/openai';
import {
  BudgetExceededError,
  flush,
  recordUsage,
  shutdown,
  TokenMeterInstrumentation,
} from '../../src/index.ts';

describe('AI SDK packages that are ES modules, loaded by require()', () => {
  const instrumentation = new TokenMeterInstrumentation({
    budgets: [{ id: 'spent', window: 'day', limit: { calls: 1 }, mode: 'block' }],
  });
  after(async () => {
    instrumentation.disable();
    await shutdown();
  });

  it('have models whose calls budgets refuse before anything is sent', async () => {
    await recordUsage({ model: 'gpt-4o', inputTokens: 1, outputTokens: 1 });
    await flush();
    const require = createRequire(import.meta.url);
    const { embed } = require('ai') as typeof AiSdk;
    const { createOpenAI } = require('@ai-sdk/openai') as typeof OpenAiPackage;
    let sent = 0;
    const openai = createOpenAI({
      apiKey: 'key',
      fetch: async () => {
        sent += 1;
        return await Promise.resolve(new Response('{}', { status: 400 }));
      },
    });
    const prompt = [{ role: 'user' as const, content: [{ type: 'text' as const, text: 'When?' }] }];
    await assert.rejects(
      async () => await openai.chat('gpt-4o').doGenerate({ prompt }),
      BudgetExceededError,
    );
    const model = openai.embedding('text-embedding-3-small');
    await assert.rejects(embed({ model, value: 'tide' }), BudgetExceededError);
    assert.equal(sent, 0);
  });
});
