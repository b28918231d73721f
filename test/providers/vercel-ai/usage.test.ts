import assert from 'node:assert/strict';
import { modelUsage } from '../../../src/providers/vercel-ai/usage.ts';

describe('usage of a model in the AI SDK', () => {
  it('takes 0 for unknown where the vendor has no such field', () => {
    const usage = {
      inputTokens: { total: 12, cacheRead: 0, cacheWrite: 0 },
      outputTokens: { total: 9, reasoning: 0 },
    };
    const counts = { inputTokens: 12, outputTokens: 9 };
    assert.deepEqual(modelUsage({ ...usage, raw: { prompt_tokens: 12 } }), counts);
    assert.deepEqual(
      modelUsage({
        ...usage,
        raw: {
          prompt_tokens_details: { cached_tokens: 0 },
          completion_tokens_details: { reasoning_tokens: 0 },
        },
      }),
      { ...counts, cacheReadTokens: 0, reasoningTokens: 0 },
    );
    assert.deepEqual(modelUsage({ ...usage, raw: { cache_creation_input_tokens: 0 } }), {
      ...counts,
      cacheReadTokens: 0,
      cacheWriteTokens: 0,
    });
  });

  it('believes a 0 where there is nothing raw to look at', () => {
    assert.deepEqual(modelUsage({ inputTokens: { total: 12, cacheRead: 0 }, outputTokens: {} }), {
      inputTokens: 12,
      cacheReadTokens: 0,
    });
  });

  it('reads the details that events have beside flat counts', () => {
    assert.deepEqual(
      modelUsage({
        inputTokens: 12,
        inputTokenDetails: { cacheReadTokens: 4, cacheWriteTokens: 2 },
        outputTokens: 9,
        outputTokenDetails: { reasoningTokens: 3 },
      }),
      {
        inputTokens: 12,
        outputTokens: 9,
        cacheReadTokens: 4,
        cacheWriteTokens: 2,
        reasoningTokens: 3,
      },
    );
  });

  describe('packages of version 5, which pass on what the vendor says', () => {
    it('Anthropic: cache is added to the input', () => {
      assert.deepEqual(
        modelUsage(
          { inputTokens: 11, outputTokens: 9, cachedInputTokens: 20 },
          {
            anthropic: {
              usage: {
                input_tokens: 11,
                output_tokens: 9,
                cache_read_input_tokens: 20,
                cache_creation_input_tokens: 5,
              },
            },
          },
        ),
        { inputTokens: 36, outputTokens: 9, cacheReadTokens: 20, cacheWriteTokens: 5 },
      );
    });

    it('Gemini: thoughts are added to the output', () => {
      const usageMetadata = {
        promptTokenCount: 12,
        candidatesTokenCount: 9,
        thoughtsTokenCount: 30,
      };
      assert.deepEqual(
        modelUsage({ inputTokens: 12, outputTokens: 9 }, { google: { usageMetadata } }),
        { inputTokens: 12, outputTokens: 39, reasoningTokens: 30 },
      );
    });

    it('xAI: reasoning is added to the output, as the total tells', () => {
      const usage = { inputTokens: 12, outputTokens: 1, reasoningTokens: 386, totalTokens: 399 };
      const whole = { inputTokens: 12, outputTokens: 387, reasoningTokens: 386 };
      assert.deepEqual(modelUsage(usage), whole);
      assert.deepEqual(
        modelUsage({
          inputTokens: { total: 12 },
          outputTokens: { total: 1, reasoning: 386 },
          raw: { total_tokens: 399, completion_tokens_details: { reasoning_tokens: 386 } },
        }),
        whole,
      );
    });

    it('Bedrock: cache is added to the input', () => {
      assert.deepEqual(
        modelUsage(
          { inputTokens: 12, outputTokens: 9, cachedInputTokens: 15, totalTokens: 41 },
          { bedrock: { usage: { cacheWriteInputTokens: 5 } } },
        ),
        { inputTokens: 32, outputTokens: 9, cacheReadTokens: 15, cacheWriteTokens: 5 },
      );
    });
  });
});
