import assert from 'node:assert/strict';
import { countChat, countTokens, type TokenCount } from '../../src/tokens/index.ts';

function countPart(part: object, model = 'gpt-4o'): TokenCount {
  return countChat({ messages: [{ role: 'user', content: [part] }] }, model);
}

describe('tokens: parts of a chat', () => {
  it('audio is estimated by its length: ten tokens a second', () => {
    const wav = Buffer.alloc(44 + 2 * 32_000);
    wav.write('RIFF');
    wav.write('WAVEfmt ', 8);
    wav.writeUInt32LE(32_000, 28);
    const input_audio = { data: wav.toString('base64'), format: 'wav' };
    const { parts } = countPart({ type: 'input_audio', input_audio }, 'gpt-4o-audio-preview');
    assert.equal(parts.audio?.quality, 'estimated');
    assert.ok(Math.abs((parts.audio?.tokens ?? 0) - 20) <= 1);
    const mp3 = { data: Buffer.alloc(16_000 * 3).toString('base64'), format: 'mp3' };
    const compressed = countPart({ type: 'input_audio', input_audio: mp3 });
    assert.equal(compressed.parts.audio?.tokens, 30);
  });

  it('of a text file its text is counted, of a PDF its pages, both with the name and estimated', () => {
    const text = 'name,age\nAda,36\n'.repeat(50);
    const file_data = `data:text/csv;base64,${Buffer.from(text).toString('base64')}`;
    const { parts } = countPart({ type: 'file', file: { filename: 'people.csv', file_data } });
    const expected = countTokens(text, 'gpt-4o') + countTokens('people.csv', 'gpt-4o');
    assert.deepEqual(parts.files, { tokens: expected, quality: 'estimated' });
    const pdf = { filename: 'a.pdf', file_data: `data:application/pdf;base64,${'A'.repeat(9999)}` };
    const inPdf = countPart({ type: 'input_file', ...pdf }).parts.files;
    const page = 750;
    const tokens = countTokens('a.pdf', 'gpt-4o') + page;
    assert.deepEqual(inPdf, { tokens, quality: 'estimated' });
  });

  it('a schema for the reply is a part of its own, in both request shapes', () => {
    const schema = { type: 'object', properties: { city: { type: 'string' } } };
    const named = { name: 'place', schema, strict: true };
    const messages = [{ role: 'user', content: 'Where?' }];
    const chat = countChat(
      { messages, response_format: { type: 'json_schema', json_schema: named } },
      'gpt-4o',
    );
    const responses = countChat(
      { input: messages, text: { format: { type: 'json_schema', ...named } } },
      'gpt-4o',
    );
    // Name, 14 tokens of the schema without what is not billed, and 14 of framing (7 in Responses).
    const said = '{"type":"object","properties":{"city":{"type":"string"}}}';
    const tokens = countTokens('place', 'gpt-4o') + countTokens(said, 'gpt-4o');
    assert.deepEqual(chat.parts.structuredOutput, { tokens: tokens + 14, quality: 'estimated' });
    assert.deepEqual(responses.parts.structuredOutput, {
      tokens: tokens + 7,
      quality: 'estimated',
    });
    assert.equal(chat.quality, 'estimated');
    const text = countChat({ messages, response_format: { type: 'text' } }, 'gpt-4o');
    assert.equal(text.parts.structuredOutput, undefined);
  });

  describe('calls of tools and their results', () => {
    const call = (id: string, name: string, args: string) => ({
      id,
      type: 'function',
      function: { name, arguments: args },
    });
    const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content });
    const asked = (...calls: object[]) => ({ role: 'assistant', content: null, tool_calls: calls });
    const n = (text: string) => countTokens(text, 'gpt-4o');

    it('a call and its result: the name twice, and 12', () => {
      const messages = [asked(call('c1', 'f', '{"a": 1}')), result('c1', 'done')];
      const { parts } = countChat({ messages }, 'gpt-4o');
      const tokens = n('functions.f') + n('{"a":1}') + n('f') + 12;
      assert.deepEqual(parts.toolCalls, { tokens, quality: 'exact' });
      assert.deepEqual(parts.text, { tokens: 1, quality: 'exact' });
    });

    it('parallel calls: the call of a wrapper, and results as JSON in ASCII', () => {
      const messages = [
        asked(call('c1', 'f', '{"a": 1}'), call('c2', 'g', '{}')),
        result('c1', 'done'),
        result('c2', 'é😀'),
      ];
      const { parts } = countChat({ messages }, 'gpt-4o');
      const uses =
        '{"tool_uses":[{"recipient_name":"functions.f","parameters":{"a":1}},' +
        '{"recipient_name":"functions.g","parameters":{}}]}';
      assert.deepEqual(parts.toolCalls, { tokens: n(uses) + 20, quality: 'estimated' });
      const results = String.raw`["done", "\u00e9\ud83d\ude00"]`;
      assert.deepEqual(parts.text, { tokens: n(results), quality: 'estimated' });
    });

    it('is never exact for a call without result, a result without call, arguments that are no JSON', () => {
      for (const messages of [
        [asked(call('c1', 'f', '{}'))],
        [result('c1', 'done')],
        [asked(call('c1', 'f', '{')), result('c1', 'done')],
        [{ ...asked(call('c1', 'f', '{}')), content: 'Wait.' }, result('c1', 'done')],
      ]) {
        assert.equal(countChat({ messages }, 'gpt-4o').quality, 'estimated');
      }
    });

    it('items of the Responses API: 10 besides the texts, estimated', () => {
      const items = [
        { type: 'function_call', name: 'f', arguments: '{"a":1}', call_id: 'c1' },
        { type: 'function_call_output', call_id: 'c1', output: 'done' },
      ];
      const tokens = n('functions.f') + n('{"a":1}') + n('f') + 10;
      assert.deepEqual(countChat({ input: items }, 'gpt-4o').parts.toolCalls, {
        tokens,
        quality: 'estimated',
      });
    });
  });

  it('the sum is exact only when every part is', () => {
    const exact = countChat({ messages: [{ role: 'user', content: 'Hi' }] }, 'gpt-4o');
    assert.equal(exact.quality, 'exact');
    assert.equal(countPart({ type: 'mystery', data: 1 }).quality, 'estimated');
    assert.equal(
      countChat({ messages: [{ role: 'user', content: 'Hi' }] }, 'gpt-5').quality,
      'estimated',
    );
    for (const { tokens, parts } of [exact]) {
      assert.equal(
        tokens,
        Object.values(parts).reduce((sum, part) => sum + part.tokens, 0),
      );
    }
  });
});
