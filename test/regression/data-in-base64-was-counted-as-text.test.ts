import assert from 'node:assert/strict';
import { messagesCountable } from '../../src/providers/anthropic/messages-request.ts';
import { generateCountable } from '../../src/providers/google/generate-request.ts';
import { countChat, type TokenCount } from '../../src/tokens/index.ts';
import type { CountableInput } from '../../src/domain/call-shape.ts';

const PDF = Buffer.from(
  `%PDF-1.4\n<< /Type /Pages >>\n<< /Type /Page >>\n<< /Type/Page >>\n${'x'.repeat(9000)}`,
).toString('base64');
/** A second: 16,000 bytes of it at 16,000 bytes a second. */
const WAV = Buffer.alloc(16_044);
WAV.write('RIFF');
WAV.writeUInt32LE(16_000, 28);

function counted(countable: CountableInput, model: string): TokenCount {
  assert.equal(countable.kind, 'chat');
  return countChat((countable as { readonly request: unknown }).request, model);
}

/** A document of one page made a request of 12,900 tokens; 1,615 were billed. */
describe('regression: data in base64 was counted as text', () => {
  it('a PDF of two pages: 1,600 a page of Claude, 258 of Gemini', () => {
    const source = { type: 'base64', media_type: 'application/pdf', data: PDF };
    const content = [{ type: 'document', source }];
    const asked = messagesCountable({ messages: [{ role: 'user', content }] });
    const ofClaude = counted(asked, 'claude-sonnet-4-5').parts;
    assert.equal(ofClaude.files?.tokens, 2 * 1600);
    assert.equal(ofClaude.text, undefined);
    const inlineData = { mimeType: 'application/pdf', data: PDF };
    const ofGemini = counted(
      generateCountable({ contents: [{ role: 'user', parts: [{ inlineData }] }] }),
      'gemini-2.5-flash',
    ).parts;
    assert.equal(ofGemini.files?.tokens, 2 * 258);
    assert.equal(ofGemini.images, undefined);
  });

  it('a large PDF is not searched whole', () => {
    const page = '<< /Type /Page >>';
    const data = Buffer.from((page + ' '.repeat(10_000 - page.length)).repeat(3000));
    const source = { type: 'base64', media_type: 'application/pdf', data: data.toString('base64') };
    const content = [{ type: 'document', source }];
    const asked = messagesCountable({ messages: [{ role: 'user', content }] });
    const tokens = counted(asked, 'claude-sonnet-4-5').parts.files?.tokens ?? 0;
    assert.ok(Math.abs(tokens / (3000 * 1600) - 1) < 0.02, `${tokens}`);
  });

  it('audio of Gemini: 32 a second', () => {
    const inlineData = { mimeType: 'audio/wav', data: WAV.toString('base64') };
    const { parts } = counted(
      generateCountable({ contents: [{ role: 'user', parts: [{ inlineData }] }] }),
      'gemini-2.5-flash',
    );
    assert.equal(parts.files?.tokens, 32);
  });

  it('a document of plain text: its text', () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'high tide' };
    const content = [{ type: 'document', source }];
    const asked = messagesCountable({ messages: [{ role: 'user', content }] });
    assert.equal(counted(asked, 'claude-sonnet-4-5').parts.text?.tokens, 2);
  });

  it('data in a part that is not known', () => {
    const part = { type: 'mystery', payload: { data: PDF } };
    const { parts } = countChat({ messages: [{ role: 'user', content: [part] }] }, 'gpt-4o');
    assert.ok((parts.text?.tokens ?? 0) < 30);
    assert.equal(parts.text?.quality, 'estimated');
  });

  it('thoughts before the last question of a chat with Claude are not billed', () => {
    const thought = { type: 'thinking', thinking: 'They ask for the tide.', signature: PDF };
    const hidden = { type: 'redacted_thinking', data: PDF };
    const said = { type: 'text', text: 'at noon' };
    const ask = (text: string) => ({ role: 'user', content: text });
    const of = (messages: readonly object[]) =>
      counted(messagesCountable({ messages }), 'claude-sonnet-4-5').tokens;
    const without = of([ask('when'), { role: 'assistant', content: [said] }, ask('why')]);
    const answer = { role: 'assistant', content: [thought, hidden, said] };
    assert.equal(of([ask('when'), answer, ask('why')]), without);
    // In the loop of a tool they are shown again.
    const call = { type: 'tool_use', id: '1', name: 'tide', input: {} };
    const result = { type: 'tool_result', tool_use_id: '1', content: 'noon' };
    const loop = (content: readonly object[]) => [
      ask('when'),
      { role: 'assistant', content },
      { role: 'user', content: [result] },
    ];
    assert.ok(of(loop([thought, call])) > of(loop([call])));
  });
});
