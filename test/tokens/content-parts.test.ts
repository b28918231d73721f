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

  it('of a text file its text is counted, of others the name; both estimated', () => {
    const text = 'name,age\nAda,36\n'.repeat(50);
    const file_data = `data:text/csv;base64,${Buffer.from(text).toString('base64')}`;
    const { parts } = countPart({ type: 'file', file: { filename: 'people.csv', file_data } });
    const expected = countTokens(text, 'gpt-4o') + countTokens('people.csv', 'gpt-4o');
    assert.deepEqual(parts.files, { tokens: expected, quality: 'estimated' });
    const pdf = { filename: 'a.pdf', file_data: `data:application/pdf;base64,${'A'.repeat(9999)}` };
    const inPdf = countPart({ type: 'input_file', ...pdf }).parts.files;
    assert.deepEqual(inPdf, { tokens: countTokens('a.pdf', 'gpt-4o'), quality: 'estimated' });
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
    assert.equal(chat.parts.structuredOutput?.quality, 'estimated');
    assert.ok((chat.parts.structuredOutput?.tokens ?? 0) > 15);
    assert.deepEqual(responses.parts, chat.parts);
    assert.equal(chat.quality, 'estimated');
    const text = countChat({ messages, response_format: { type: 'text' } }, 'gpt-4o');
    assert.equal(text.parts.structuredOutput, undefined);
  });

  it('tool calls and their results are counted, estimated', () => {
    const call = { id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } };
    const messages = [
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ];
    const { parts } = countChat({ messages }, 'gpt-4o');
    const inCall = countTokens('f', 'gpt-4o') + countTokens('{"a":1}', 'gpt-4o') + 3;
    assert.deepEqual(parts.toolCalls, { tokens: inCall, quality: 'estimated' });
    assert.deepEqual(parts.text, { tokens: 1, quality: 'exact' });
    const items = [
      { type: 'function_call', name: 'f', arguments: '{"a":1}', call_id: 'c1' },
      { type: 'function_call_output', call_id: 'c1', output: 'done' },
    ];
    assert.deepEqual(countChat({ input: items }, 'gpt-4o').parts.toolCalls, parts.toolCalls);
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
