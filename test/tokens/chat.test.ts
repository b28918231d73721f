import assert from 'node:assert/strict';
import { countChat, countMessageTokens } from '../../src/tokens/index.ts';
import {
  COOKBOOK_MESSAGES,
  COOKBOOK_TOOL_MESSAGES,
  COOKBOOK_TOOLS,
} from '../fixtures/tokens/cookbook.ts';

describe('tokens/chat', () => {
  describe('the cookbook sample, as the API billed it', () => {
    for (const [model, messages, tools] of [
      ['gpt-3.5-turbo', 129, 105],
      ['gpt-4-0613', 129, 105],
      ['gpt-4o', 124, 101],
      ['gpt-4o-mini', 124, 101],
    ] as const) {
      it(`${model}: ${messages}, with tools ${tools}`, () => {
        assert.equal(countMessageTokens(COOKBOOK_MESSAGES, model), messages);
        assert.equal(countChat({ messages: COOKBOOK_MESSAGES }, model).quality, 'exact');
        assert.equal(
          countMessageTokens(COOKBOOK_TOOL_MESSAGES, model, { tools: COOKBOOK_TOOLS }),
          tools,
        );
      });
    }
  });

  it('counts a responses request like the chat it stands for', () => {
    const asResponses = countChat(
      { instructions: 'Be brief.', input: [{ role: 'user', content: 'Hi there' }] },
      'gpt-4o',
    );
    const asChat = countChat(
      {
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Hi there' },
        ],
      },
      'gpt-4o',
    );
    assert.deepEqual(asResponses, asChat);
  });
});
