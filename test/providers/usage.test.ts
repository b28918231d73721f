import assert from 'node:assert/strict';
import { anthropicUsage, mergeAnthropicUsage } from '../../src/providers/anthropic/usage.ts';
import {
  converseUsage,
  headerUsage,
  invocationMetrics,
} from '../../src/providers/bedrock/usage.ts';
import { cohereUsage } from '../../src/providers/cohere/usage.ts';
import { embeddingUsage, googleUsage, interactionUsage } from '../../src/providers/google/usage.ts';
import { groqUsageObject } from '../../src/providers/groq/usage.ts';
import { messageUsage } from '../../src/providers/langchain/usage.ts';
import { mistralUsage } from '../../src/providers/mistral/usage.ts';
import { chatUsage, usageObject } from '../../src/providers/openai/usage.ts';
import { ollamaUsage } from '../../src/providers/ollama/usage.ts';
import { modelUsage } from '../../src/providers/vercel-ai/usage.ts';

describe('usage of a reply', () => {
  describe('chat completions', () => {
    const usage = {
      prompt_tokens: 32,
      completion_tokens: 9,
      completion_tokens_details: { reasoning_tokens: 94 },
    };

    it('adds reasoning to the output where the total says that it stands beside it', () => {
      assert.deepEqual(chatUsage({ ...usage, total_tokens: 135 }), {
        inputTokens: 32,
        outputTokens: 103,
        reasoningTokens: 94,
      });
    });

    it('takes the output for the whole where the total says so, or nothing', () => {
      const within = { ...usage, completion_tokens: 103 };
      for (const given of [within, { ...within, total_tokens: 135 }]) {
        assert.equal(chatUsage(given)?.outputTokens, 103);
      }
    });

    it('finds cached tokens where Moonshot and DeepSeek have them', () => {
      const moonshot = { prompt_tokens: 19, completion_tokens: 13, cached_tokens: 12 };
      assert.equal(chatUsage(moonshot)?.cacheReadTokens, 12);
      const deepseek = {
        prompt_tokens: 19,
        prompt_cache_hit_tokens: 0,
        prompt_cache_miss_tokens: 19,
      };
      assert.equal(chatUsage(deepseek)?.cacheReadTokens, 0);
    });

    it('finds the usage of a stream in the choice that ends, as Moonshot has it', () => {
      const choice = { index: 0, delta: {}, finish_reason: 'stop', usage };
      assert.equal(usageObject({ choices: [choice] }, true), usage);
      assert.equal(usageObject({ choices: [choice] }, false), undefined);
      assert.equal(usageObject({ choices: [], usage: null }, true), undefined);
    });
  });

  describe('anthropic', () => {
    it('adds cache reads and writes to the input', () => {
      assert.deepEqual(
        anthropicUsage({
          input_tokens: 10,
          cache_read_input_tokens: 100,
          cache_creation_input_tokens: 1000,
          output_tokens: 7,
          output_tokens_details: { thinking_tokens: 4 },
        }),
        {
          inputTokens: 1110,
          outputTokens: 7,
          cacheReadTokens: 100,
          cacheWriteTokens: 1000,
          reasoningTokens: 4,
        },
      );
    });

    it('keeps zero and leaves null out', () => {
      assert.deepEqual(
        anthropicUsage({
          input_tokens: 0,
          cache_read_input_tokens: 0,
          cache_creation_input_tokens: null,
          output_tokens: 0,
          output_tokens_details: null,
        }),
        { inputTokens: 0, outputTokens: 0, cacheReadTokens: 0 },
      );
    });

    it('adds compaction, which is billed but not in the totals, and nothing else', () => {
      assert.deepEqual(
        anthropicUsage({
          input_tokens: 10,
          output_tokens: 5,
          iterations: [
            {
              type: 'compaction',
              input_tokens: 200,
              output_tokens: 30,
              cache_read_input_tokens: 1,
            },
            { type: 'message', input_tokens: 10, output_tokens: 5 },
          ],
        }),
        { inputTokens: 211, outputTokens: 35, cacheReadTokens: 1 },
      );
    });

    it('replaces what a later event of the stream reports again', () => {
      const started = mergeAnthropicUsage(
        {},
        { input_tokens: 25, cache_read_input_tokens: 5, output_tokens: 1 },
      );
      const once = mergeAnthropicUsage(started, { output_tokens: 9 });
      const twice = mergeAnthropicUsage(once, { input_tokens: null, output_tokens: 15 });
      assert.deepEqual(anthropicUsage(twice), {
        inputTokens: 30,
        outputTokens: 15,
        cacheReadTokens: 5,
      });
    });
  });

  describe('google', () => {
    it('adds thoughts to the output and tool results to the input', () => {
      assert.deepEqual(
        googleUsage({
          promptTokenCount: 20,
          toolUsePromptTokenCount: 3,
          cachedContentTokenCount: 8,
          candidatesTokenCount: 5,
          thoughtsTokenCount: 40,
        }),
        { inputTokens: 23, outputTokens: 45, cacheReadTokens: 8, reasoningTokens: 40 },
      );
    });

    it('knows no output where none is reported', () => {
      assert.deepEqual(googleUsage({ promptTokenCount: 20 }), { inputTokens: 20 });
      assert.equal(googleUsage({}), undefined);
      assert.equal(googleUsage(undefined), undefined);
    });

    it('takes thoughts alone for the output of a reply that never got to its answer', () => {
      assert.deepEqual(googleUsage({ promptTokenCount: 1, thoughtsTokenCount: 6 }), {
        inputTokens: 1,
        outputTokens: 6,
        reasoningTokens: 6,
      });
    });

    it('reads interactions and both forms of embeddings', () => {
      assert.deepEqual(
        interactionUsage({
          total_input_tokens: 4,
          total_output_tokens: 5,
          total_thought_tokens: 6,
          total_cached_tokens: 0,
        }),
        { inputTokens: 4, outputTokens: 11, cacheReadTokens: 0, reasoningTokens: 6 },
      );
      assert.deepEqual(embeddingUsage({ usageMetadata: { promptTokenCount: 9 } }), {
        inputTokens: 9,
      });
      assert.deepEqual(
        embeddingUsage({
          embeddings: [{ statistics: { tokenCount: 2 } }, { statistics: { tokenCount: 3 } }],
        }),
        { inputTokens: 5 },
      );
      assert.equal(embeddingUsage({ embeddings: [{ values: [0.1] }] }), undefined);
    });
  });

  describe('mistral', () => {
    const counts = { promptTokens: 12, completionTokens: 30, totalTokens: 42 };
    const extra = {
      num_cached_tokens: 4,
      completion_tokens_details: { reasoning_tokens: 21 },
    };
    const expected = {
      inputTokens: 12,
      outputTokens: 30,
      cacheReadTokens: 4,
      reasoningTokens: 21,
    };

    it('finds unknown fields where either SDK puts them', () => {
      assert.deepEqual(mistralUsage({ ...counts, ...extra }), expected);
      assert.deepEqual(mistralUsage({ ...counts, additionalProperties: extra }), expected);
    });

    it('adds connector tokens', () => {
      assert.deepEqual(mistralUsage({ promptTokens: 1, completionTokens: 2, connectorTokens: 5 }), {
        inputTokens: 6,
        outputTokens: 2,
      });
    });
  });

  describe('cohere', () => {
    it('has what was processed, and what is billed beside it', () => {
      const billedUnits = { inputTokens: 3, outputTokens: 2 };
      const tokens = { inputTokens: 70, outputTokens: 5 };
      assert.deepEqual(cohereUsage({ billedUnits, tokens, cachedTokens: 0 }), {
        ...tokens,
        cacheReadTokens: 0,
        billedInputTokens: 3,
        billedOutputTokens: 2,
      });
      assert.deepEqual(cohereUsage({ billedUnits }), { inputTokens: 3, outputTokens: 2 });
      assert.deepEqual(cohereUsage({ billedUnits, tokens: billedUnits }), billedUnits);
    });
  });

  describe('ollama', () => {
    it('takes a prompt count of 0 for the missing count it is', () => {
      assert.deepEqual(ollamaUsage({ prompt_eval_count: 0, eval_count: 0 }), { outputTokens: 0 });
      assert.deepEqual(
        ollamaUsage({ prompt_eval_count: 6, prompt_eval_cached_count: 2, eval_count: 8 }),
        { inputTokens: 6, outputTokens: 8, cacheReadTokens: 2 },
      );
    });
  });

  describe('groq', () => {
    const usage = { prompt_tokens: 1, completion_tokens: 2 };

    it('reads x_groq in the last chunk of a stream', () => {
      const chunk = { object: 'chat.completion.chunk', choices: [], x_groq: { id: 'r', usage } };
      assert.equal(groqUsageObject(chunk, true), usage);
    });

    it('never takes the hardware cache statistics of a whole reply for usage', () => {
      const reply = { object: 'chat.completion', x_groq: { usage: { dram_cached_tokens: 9 } } };
      assert.equal(groqUsageObject(reply, false), undefined);
      assert.equal(groqUsageObject({ ...reply, usage }, false), usage);
    });
  });

  describe('bedrock', () => {
    it('adds cache to the input where it is reported apart', () => {
      assert.deepEqual(
        converseUsage({
          inputTokens: 10,
          outputTokens: 5,
          totalTokens: 35,
          cacheReadInputTokens: 15,
          cacheWriteInputTokens: 5,
        }),
        { inputTokens: 30, outputTokens: 5, cacheReadTokens: 15, cacheWriteTokens: 5 },
      );
    });

    it('adds nothing where the total shows that cache is inside', () => {
      assert.deepEqual(
        converseUsage({
          inputTokens: 30,
          outputTokens: 5,
          totalTokens: 35,
          cacheReadInputTokens: 15,
        }),
        { inputTokens: 30, outputTokens: 5, cacheReadTokens: 15 },
      );
    });

    it('does not believe a total that leaves more cache than input', () => {
      assert.deepEqual(
        converseUsage({
          inputTokens: 10,
          outputTokens: 5,
          totalTokens: 15,
          cacheReadInputTokens: 400,
        }),
        { inputTokens: 410, outputTokens: 5, cacheReadTokens: 400 },
      );
    });

    it('reads the metrics of the last chunk and the headers of InvokeModel', () => {
      assert.deepEqual(invocationMetrics({ inputTokenCount: 4, outputTokenCount: 0 }), {
        inputTokens: 4,
        outputTokens: 0,
      });
      assert.deepEqual(
        headerUsage({
          'x-amzn-bedrock-input-token-count': '12',
          'x-amzn-bedrock-output-token-count': 'many',
        }),
        { inputTokens: 12 },
      );
      assert.equal(headerUsage({}), undefined);
    });
  });

  describe('ai sdk', () => {
    it('reads nested and flat counts and keeps what is unknown unknown', () => {
      assert.deepEqual(
        modelUsage({
          inputTokens: { total: 8, cacheRead: undefined, cacheWrite: 0, noCache: 8 },
          outputTokens: { total: 4, reasoning: 1, text: 3 },
        }),
        { inputTokens: 8, outputTokens: 4, cacheWriteTokens: 0, reasoningTokens: 1 },
      );
      assert.deepEqual(
        modelUsage({ inputTokens: 8, outputTokens: 4, cachedInputTokens: 2, totalTokens: 12 }),
        { inputTokens: 8, outputTokens: 4, cacheReadTokens: 2 },
      );
      assert.equal(modelUsage({ inputTokens: { total: undefined } }), undefined);
    });
  });

  describe('langchain', () => {
    it('reads usage_metadata', () => {
      assert.deepEqual(
        messageUsage({
          input_tokens: 8,
          output_tokens: 4,
          total_tokens: 12,
          input_token_details: { cache_read: 3, cache_creation: 0 },
          output_token_details: { reasoning: 2 },
        }),
        {
          inputTokens: 8,
          outputTokens: 4,
          cacheReadTokens: 3,
          cacheWriteTokens: 0,
          reasoningTokens: 2,
        },
      );
    });
  });

  it('believes no count that is not a whole number', () => {
    assert.equal(anthropicUsage({ input_tokens: -1, output_tokens: 1.5 }), undefined);
    assert.equal(
      googleUsage({ promptTokenCount: '12', candidatesTokenCount: Number.NaN }),
      undefined,
    );
    assert.equal(converseUsage('usage'), undefined);
  });
});
