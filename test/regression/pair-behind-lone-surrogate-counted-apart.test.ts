import assert from 'node:assert/strict';
import { countTokens } from '../../src/tokens/index.ts';

/** A lone high surrogate at the end of a chunk took the first half of the next pair with it. */
describe('regression: a surrogate pair behind a lone surrogate at a chunk seam', () => {
  // As tiktoken counts them; the seam is at 8192.
  for (const [before, tokens] of [
    [8190, 4098],
    [8191, 4099],
    [8192, 4099],
  ] as const) {
    it(`${before} characters before it`, () => {
      const text = `${'a '.repeat(5000).slice(0, before)}\uD800🎄`;
      assert.equal(countTokens(text, 'gpt-4o'), tokens);
    });
  }
});
