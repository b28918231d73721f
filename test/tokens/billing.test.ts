import assert from 'node:assert/strict';
import { countChat } from '../../src/tokens/index.ts';
import { MEASURED_CALLS, MEASURED_MESSAGES, MEASURED_TOOLS } from '../fixtures/tokens/measured.ts';

describe('tokens: what the API was measured to bill', () => {
  for (const { what, request, tokens, gpt4o } of MEASURED_MESSAGES) {
    it(`${what}: ${tokens}`, () => {
      for (const model of ['gpt-3.5-turbo', 'gpt-4']) {
        const counted = countChat(request, model);
        assert.equal(counted.tokens, tokens);
        assert.equal(counted.quality, 'exact');
      }
      assert.equal(countChat(request, 'gpt-4o').tokens, gpt4o);
    });
  }

  for (const { what, request, tokens, off } of MEASURED_TOOLS) {
    it(`a tool with ${what}: ${tokens}`, () => {
      const { tokens: counted, parts } = countChat(request, 'gpt-3.5-turbo');
      assert.equal(Math.abs(counted - tokens), off ?? 0);
      assert.equal(parts.tools?.quality, off === undefined ? 'exact' : 'estimated');
    });
  }

  for (const { what, request, tokens } of MEASURED_CALLS) {
    it(`${what}: ${tokens}`, () => {
      assert.equal(countChat(request, 'gpt-3.5-turbo').tokens, tokens);
    });
  }
});
