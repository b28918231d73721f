import assert from 'node:assert/strict';
import { countTokens } from '../../../src/tokens/index.ts';

describe('tokens: one run of 100 MB', () => {
  it('is counted in bounded memory', () => {
    const length = 100 * 2 ** 20;
    const tokens = countTokens('a'.repeat(length));
    assert.ok(Math.abs(tokens - length / 8) < 100, `${tokens}`);
    assert.ok(process.memoryUsage().arrayBuffers < 100 * 2 ** 20);
  });
});
