import assert from 'node:assert/strict';
import { anthropicUsage } from '../../src/providers/anthropic/usage.ts';
import { InvokedCompletionReader } from '../../src/providers/bedrock/invoked-completion-reader.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { modelUsage } from '../../src/providers/vercel-ai/usage.ts';

const READ = { usage: true, output: true };

describe('usage that stood in a field nobody read', () => {
  it('Anthropic: the calls of the advisor, as of a compaction', () => {
    const message = { type: 'message', input_tokens: 900, output_tokens: 100 };
    const advisor = {
      type: 'advisor_message',
      model: 'claude-opus-5',
      input_tokens: 40_000,
      cache_read_input_tokens: 1_000,
      cache_creation_input_tokens: 0,
      output_tokens: 1_000,
    };
    assert.deepEqual(
      anthropicUsage({ input_tokens: 900, output_tokens: 100, iterations: [message, advisor] }),
      {
        inputTokens: 41_900,
        outputTokens: 1_100,
        cacheReadTokens: 1_000,
        cacheWriteTokens: 0,
        advisorInputTokens: 41_000,
        advisorOutputTokens: 1_000,
        advisorCacheReadTokens: 1_000,
        advisorCacheWriteTokens: 0,
      },
    );
  });

  it('Gemini behind its OpenAI endpoint: thoughts, in the total alone', () => {
    const usage = { prompt_tokens: 10, completion_tokens: 20, total_tokens: 1_030 };
    const reply = (model: string) => ({ id: 'g1', model, choices: [], usage });
    const read = (model: string): object | undefined => {
      const reader = chatCompletions().reader(READ);
      reader.whole(reply(model));
      return reader.result().usage;
    };
    assert.deepEqual(read('gemini-2.5-flash'), {
      inputTokens: 10,
      outputTokens: 1_020,
      reasoningTokens: 1_000,
    });
    // What another server adds to its total is not known to be output.
    assert.deepEqual(read('some-model'), { inputTokens: 10, outputTokens: 20 });
  });

  it('Bedrock, InvokeModel: the counts beside a completion', () => {
    const reader = new InvokedCompletionReader(READ);
    reader.whole({ completion: 'Twice a day.', usage: { input_tokens: 12, output_tokens: 9 } });
    const { usage, outputs } = reader.result();
    assert.deepEqual(usage, { inputTokens: 12, outputTokens: 9 });
    assert.deepEqual(outputs, [{ text: 'Twice a day.' }]);
  });

  it('AI SDK: cached tokens of Cohere, tool use of Gemini’s interactions', () => {
    const usage = { inputTokens: { total: 100 }, outputTokens: { total: 9 } };
    assert.deepEqual(modelUsage({ ...usage, raw: { cached_tokens: 60 } }), {
      inputTokens: 100,
      outputTokens: 9,
      cacheReadTokens: 60,
    });
    assert.deepEqual(modelUsage({ ...usage, raw: { total_tool_use_tokens: 30 } }), {
      inputTokens: 130,
      outputTokens: 9,
    });
  });
});
