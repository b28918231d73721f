import assert from 'node:assert/strict';
import { countChat, countTokens } from '../../src/tokens/index.ts';
import { profileOfModel } from '../../src/tokens/models.ts';
import { estimateTokens } from '../../src/tokens/text-weights.ts';
import { VENDOR_COUNTS } from '../fixtures/tokens/vendor-counts.ts';

const VOCABULARIES = ['llama3', 'qwen3', 'deepseek_v3', 'tekken'] as const;

describe('tokens/text-weights', () => {
  for (const [kind, { text, tokens }] of Object.entries(VENDOR_COUNTS)) {
    // Chinese texts differ most from each other.
    const limit = kind === 'chinese' ? 0.06 : 0.05;
    it(`${kind}: within ${100 * limit} % of the vocabulary itself, without it`, () => {
      for (const vocabulary of VOCABULARIES) {
        const counted = estimateTokens(text, countTokens(text, 'gpt-4o'), vocabulary);
        const error = counted / tokens[vocabulary] - 1;
        assert.ok(Math.abs(error) <= limit, `${vocabulary}: ${(100 * error).toFixed(1)} %`);
      }
    });
  }

  it('nothing is nothing, a letter at least one token', () => {
    for (const vocabulary of VOCABULARIES) {
      assert.equal(estimateTokens('', 0, vocabulary), 0);
      assert.ok(estimateTokens('a', 1, vocabulary) >= 0.9);
      assert.ok(estimateTokens('😀'.repeat(9), 9, vocabulary) >= 1);
    }
  });

  it('a long text is estimated from parts of it', () => {
    const text = (VENDOR_COUNTS['chinese']?.text ?? '').repeat(200);
    const tokens = countTokens(text, 'gpt-4o');
    const whole = (VENDOR_COUNTS['chinese']?.tokens.qwen3 ?? 0) * 200;
    assert.ok(Math.abs(estimateTokens(text, tokens, 'qwen3') / whole - 1) < 0.06);
  });

  it('is used where the vocabulary is not at hand, in texts and in chats', () => {
    const { text, tokens } = VENDOR_COUNTS['emoji'] ?? { text: '', tokens: { tekken: 0 } };
    assert.equal(profileOfModel('gemini-2.5-flash').estimated, 'gemini');
    assert.equal(profileOfModel('claude-sonnet-4-5').estimated, 'claude');
    assert.equal(profileOfModel('claude-opus-4-8').estimated, 'claude_new');
    assert.equal(profileOfModel('gpt-4o').estimated, undefined);
    const model = 'mistral-medium-latest';
    if (profileOfModel(model).estimated === undefined) return;
    const inChat = countChat({ messages: [{ role: 'user', content: text }] }, model).parts.text;
    assert.equal(inChat?.tokens, countTokens(text, model));
    assert.ok(Math.abs((inChat?.tokens ?? 0) / tokens.tekken - 1) < 0.05);
  });
});
