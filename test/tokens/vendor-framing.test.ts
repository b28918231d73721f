import assert from 'node:assert/strict';
import { countChat, countTokens } from '../../src/tokens/index.ts';

const USER = { role: 'user', content: 'when is high tide' };
const SYSTEM = { role: 'system', content: 'be brief' };
const SAID = { role: 'assistant', content: 'at noon' };
const TOOL = { name: 'tide', description: 'tells the tide', parameters: { type: 'object' } };
const TOOLS = [{ type: 'function', function: TOOL }];
const json = countTokens(JSON.stringify({ type: 'function', function: TOOL }), 'gpt-4o');

const framing = (model: string, messages: readonly object[]) =>
  countChat({ messages }, model).parts.framing?.tokens;
const tools = (model: string, choice?: unknown) =>
  countChat({ messages: [USER], tools: TOOLS, tool_choice: choice }, model).parts.tools?.tokens;

/** Every rule is an estimate; these are the bills it was worked out from. */
describe('tokens/vendor-framing', () => {
  for (const [model, one, three, withSystem] of [
    ['claude-sonnet-4-5-20250929', 7, 13, 7],
    ['claude-opus-4-8', 8, 14, 8],
    ['us.anthropic.claude-haiku-4-5-20251001-v1:0', 7, 13, 7],
    ['gemini-2.5-flash', 0, 0, 0],
    ['gemini-3-flash-preview', 1, 3, 1],
    ['deepseek-v4-flash', 4, 8, 4],
    ['mistral-small-latest', 15, 19, 19],
    ['mistral-large-latest', 3, 7, 7],
    ['qwen3', 10, 22, 17],
    ['grok-4-1-fast-non-reasoning', 0, 10, 0],
    ['grok-4.3', 192, 202, 192],
    ['command-a-03-2025', 0, 0, 0],
    ['openai/gpt-oss-120b', 67, 77, 75],
    ['us.amazon.nova-2-lite-v1:0', 46, 50, 46],
    ['meta-llama/Llama-3.3-70B-Instruct-Turbo', 35, 45, 40],
  ] as const) {
    it(`${model}: ${one} for a question, ${three} for three messages`, () => {
      assert.equal(framing(model, [USER]), one);
      assert.equal(framing(model, [USER, SAID, USER]), three);
      assert.equal(framing(model, [SYSTEM, USER]), withSystem);
      assert.equal(countChat({ messages: [USER] }, model).quality, 'estimated');
    });
  }

  it("Claude's prompt for tools depends on the model and the choice", () => {
    for (const [model, auto, chosen] of [
      ['claude-3-opus-20240229', 530, 281],
      ['claude-3-sonnet-20240229', 159, 235],
      ['claude-3-haiku-20240307', 264, 340],
      ['claude-sonnet-4-5', 495, 595],
    ] as const) {
      assert.equal(tools(model), Math.round(auto + 1.3 * json));
      assert.equal(tools(model, { type: 'any' }), Math.round(chosen + 1.3 * json));
      assert.equal(tools(model, { type: 'tool', name: 'tide' }), Math.round(chosen + 1.3 * json));
    }
  });

  it('thinking and a schema of the reply add to a request of Claude', () => {
    const request = { messages: [USER], thinking: { type: 'enabled', budget_tokens: 1024 } };
    const plain = framing('claude-sonnet-4-5', [USER]) ?? 0;
    assert.equal(countChat(request, 'claude-sonnet-4-5').parts.framing?.tokens, plain + 29);
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const said = countTokens(JSON.stringify(schema), 'gpt-4o');
    const format = { type: 'json_schema', json_schema: { schema } };
    const { parts } = countChat({ messages: [USER], response_format: format }, 'claude-opus-4-6');
    assert.equal(parts.structuredOutput?.tokens, Math.round(125 + 1.3 * said));
  });

  it('a schema is not billed by most, thinking of DeepSeek in Responses is', () => {
    const format = { type: 'json_schema', json_schema: { schema: { type: 'object' } } };
    const { parts } = countChat(
      { messages: [USER], response_format: format },
      'mistral-large-2512',
    );
    assert.equal(parts.structuredOutput, undefined);
    const asked = countChat({ input: [USER] }, 'deepseek-v4-flash').parts.framing?.tokens;
    assert.equal(asked, (framing('deepseek-v4-flash', [USER]) ?? 0) + 79);
  });

  it("Gemini's tools take their texts, and constants per tool and property, at any depth", () => {
    const place = { type: 'object', properties: { of: { type: 'string', enum: ['bay'] } } };
    const nested = { name: 'tide', parameters: { type: 'object', properties: { place } } };
    const of = (model: string) =>
      countChat({ messages: [USER], tools: [nested] }, model).parts.tools?.tokens ?? 0;
    // tide, place, of and bay: 5 tokens.
    assert.ok(Math.abs(of('gemini-2.5-flash') - (21 + 2 * 10 + 5)) <= 1);
    assert.equal(of('gemini-3-flash-preview') - of('gemini-2.5-flash'), 2 * (16 - 10));
  });

  it('a call takes its name, its arguments and the framing', () => {
    const call = { type: 'function', function: { name: 'tide', arguments: '{}' } };
    const messages = [USER, { role: 'assistant', tool_calls: [call] }];
    const { parts } = countChat({ messages }, 'claude-sonnet-4-5');
    assert.ok((parts.toolCalls?.tokens ?? 0) >= 48 + 2);
  });
});
