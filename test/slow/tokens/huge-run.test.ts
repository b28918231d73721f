import assert from 'node:assert/strict';
import { countTokens } from '../../../src/tokens/index.ts';

describe('tokens: one run of 100 MB', () => {
  for (const [unit, perToken] of [
    ['a', 8],
    ['\n', 16],
  ] as const) {
    it(`${JSON.stringify(unit)} is counted in bounded memory`, () => {
      const length = 100 * 2 ** 20;
      const tokens = countTokens(unit.repeat(length));
      assert.ok(Math.abs(tokens - length / perToken) < 100, `${tokens}`);
      assert.ok(process.memoryUsage().arrayBuffers < 100 * 2 ** 20);
    });
  }
});
