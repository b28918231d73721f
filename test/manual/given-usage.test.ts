import assert from 'node:assert/strict';
import { givenUsage } from '../../src/manual/given-usage.ts';

const COUNTS = { inputTokens: 36, outputTokens: 9, cacheReadTokens: 20, cacheWriteTokens: 5 };

const { cacheWriteTokens: _written, ...WITHOUT_WRITTEN } = COUNTS;

describe('usage that a caller hands over', () => {
  for (const [form, usage, expected] of [
    ['names of this package', COUNTS, COUNTS],
    [
      'AI SDK 5',
      { inputTokens: 36, outputTokens: 9, totalTokens: 45, cachedInputTokens: 20 },
      WITHOUT_WRITTEN,
    ],
    [
      'AI SDK 6 and 7',
      {
        inputTokens: 36,
        outputTokens: 9,
        inputTokenDetails: { noCacheTokens: 11, cacheReadTokens: 20, cacheWriteTokens: 5 },
      },
      COUNTS,
    ],
    [
      'a model of the AI SDK',
      {
        inputTokens: { total: 36, noCache: 11, cacheRead: 20, cacheWrite: 5 },
        outputTokens: { total: 9 },
      },
      COUNTS,
    ],
    [
      'chat completions',
      {
        prompt_tokens: 36,
        completion_tokens: 9,
        prompt_tokens_details: { cached_tokens: 20 },
      },
      WITHOUT_WRITTEN,
    ],
    [
      'responses',
      { input_tokens: 36, output_tokens: 9, input_tokens_details: { cached_tokens: 20 } },
      WITHOUT_WRITTEN,
    ],
    [
      'Anthropic, whose input is without cache',
      {
        input_tokens: 11,
        output_tokens: 9,
        cache_read_input_tokens: 20,
        cache_creation_input_tokens: 5,
      },
      COUNTS,
    ],
  ] as const) {
    it(form, () => assert.deepEqual(givenUsage(usage), expected));
  }

  it('none of these', () => {
    for (const given of [undefined, null, 'many', [], {}, { tokens: 9 }, { inputTokens: -1 }]) {
      assert.equal(givenUsage(given), undefined);
    }
  });
});
