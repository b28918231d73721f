import assert from 'node:assert/strict';
import { toolCall } from '../../src/usage/emit/message-parts.ts';
import { contentAttributes } from '../../src/usage/emit/content.ts';
import type { EndedCall } from '../../src/domain/ended-call.ts';
import type { SemconvGeneration } from '../../src/otel/semconv.ts';

const UNKNOWN_SHAPE = { countable: () => ({ kind: 'unknown' }) };

function contentOf(
  request: unknown,
  reply: Partial<EndedCall['reply']> = {},
  generations: readonly SemconvGeneration[] = ['latest'],
): Record<string, unknown> {
  const ended = { request, shape: UNKNOWN_SHAPE, reply: { closed: true, outputs: [], ...reply } };
  const attributes = contentAttributes(ended as unknown as EndedCall, generations);
  return Object.fromEntries(
    Object.entries(attributes).map(([name, json]) => [
      name.replace('gen_ai.', ''),
      JSON.parse(String(json)),
    ]),
  );
}

const SYSTEM = [{ type: 'text', content: 'Be brief.' }];
const TOOLS = [{ type: 'function', name: 'tide' }];
const CALL = { type: 'tool_call', id: 'call_1', name: 'tide', arguments: { port: 'Brest' } };
const RESULT = { type: 'tool_call_response', id: 'call_1', response: 'noon' };
const CONVERSATION = [
  { role: 'user', parts: [{ type: 'text', content: 'High tide?' }] },
  { role: 'assistant', parts: [CALL] },
  { role: 'tool', parts: [RESULT] },
];

describe('content on spans', () => {
  it('reads a conversation with a tool in the form of OpenAI Chat', () => {
    assert.deepEqual(
      contentOf({
        messages: [
          { role: 'user', content: 'High tide?' },
          {
            role: 'assistant',
            content: null,
            tool_calls: [
              {
                id: 'call_1',
                type: 'function',
                function: { name: 'tide', arguments: '{"port":"Brest"}' },
              },
            ],
          },
          { role: 'tool', tool_call_id: 'call_1', content: 'noon' },
        ],
        tools: [
          { type: 'function', function: { name: 'tide', description: 'long', parameters: {} } },
        ],
      }),
      { 'input.messages': CONVERSATION, 'tool.definitions': TOOLS },
    );
  });

  it('reads the same in the form of OpenAI Responses', () => {
    assert.deepEqual(
      contentOf({
        instructions: 'Be brief.',
        input: [
          { role: 'user', content: [{ type: 'input_text', text: 'High tide?' }] },
          { type: 'function_call', call_id: 'call_1', name: 'tide', arguments: '{"port":"Brest"}' },
          { type: 'function_call_output', call_id: 'call_1', output: 'noon' },
        ],
        tools: [{ type: 'function', name: 'tide' }, { type: 'web_search' }],
      }),
      {
        system_instructions: SYSTEM,
        'input.messages': CONVERSATION,
        'tool.definitions': [...TOOLS, { type: 'web_search', name: 'web_search' }],
      },
    );
  });

  it('reads the same in the form of Anthropic', () => {
    const content = contentOf({
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [
        { role: 'user', content: 'High tide?' },
        {
          role: 'assistant',
          content: [{ type: 'tool_use', id: 'call_1', name: 'tide', input: { port: 'Brest' } }],
        },
        {
          role: 'user',
          content: [{ type: 'tool_result', tool_use_id: 'call_1', content: 'noon' }],
        },
      ],
      tools: [
        { name: 'tide', input_schema: {} },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
    });
    assert.deepEqual(content, {
      system_instructions: SYSTEM,
      'input.messages': [...CONVERSATION.slice(0, 2), { role: 'user', parts: [RESULT] }],
      'tool.definitions': [...TOOLS, { type: 'web_search_20250305', name: 'web_search' }],
    });
  });

  it('reads the same in the forms of Gemini and Bedrock', () => {
    const gemini = contentOf({
      contents: [
        { role: 'user', parts: [{ text: 'High tide?' }] },
        {
          role: 'model',
          parts: [{ functionCall: { id: 'call_1', name: 'tide', args: { port: 'Brest' } } }],
        },
        {
          role: 'tool',
          parts: [{ functionResponse: { id: 'call_1', name: 'tide', response: 'noon' } }],
        },
      ],
      config: {
        systemInstruction: { parts: [{ text: 'Be brief.' }] },
        tools: [{ functionDeclarations: [{ name: 'tide' }] }],
      },
    });
    const bedrock = contentOf({
      system: [{ text: 'Be brief.' }],
      messages: [
        { role: 'user', content: [{ text: 'High tide?' }] },
        {
          role: 'assistant',
          content: [{ toolUse: { toolUseId: 'call_1', name: 'tide', input: { port: 'Brest' } } }],
        },
        { role: 'tool', content: [{ toolResult: { toolUseId: 'call_1', content: 'noon' } }] },
      ],
      toolConfig: { tools: [{ toolSpec: { name: 'tide' } }] },
    });
    const expected = {
      system_instructions: SYSTEM,
      'input.messages': CONVERSATION,
      'tool.definitions': TOOLS,
    };
    assert.deepEqual(gemini, expected);
    assert.deepEqual(bedrock, expected);
  });

  it('tells references, uploaded files and inline data apart', () => {
    const parts = (content: object[]): unknown =>
      (
        contentOf({ messages: [{ role: 'user', content }] })['input.messages'] as {
          parts: unknown;
        }[]
      )[0]?.parts;
    assert.deepEqual(
      parts([
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
        { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'BBBB' } },
        { type: 'input_audio', input_audio: { data: 'CCCC', format: 'wav' } },
        { type: 'file', file: { file_id: 'file-1' } },
        { inlineData: { mimeType: 'video/mp4', data: 'DDDD' } },
        { image: { format: 'png', source: { bytes: new Uint8Array([1, 2, 3]) } } },
        { document: { format: 'pdf', source: { s3Location: { uri: 's3://a/b.pdf' } } } },
        { type: 'file', mediaType: 'audio/mpeg', data: new Uint8Array([1, 2, 3]) },
        { type: 'something_new', value: 1 },
      ]),
      [
        { type: 'uri', modality: 'image', uri: 'https://example.com/a.png' },
        { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AAAA' },
        { type: 'blob', modality: 'image', mime_type: 'image/jpeg', content: 'BBBB' },
        { type: 'blob', modality: 'audio', mime_type: 'audio/wav', content: 'CCCC' },
        { type: 'file', modality: 'document', file_id: 'file-1' },
        { type: 'blob', modality: 'video', mime_type: 'video/mp4', content: 'DDDD' },
        { type: 'blob', modality: 'image', mime_type: 'image/png', content: 'AQID' },
        { type: 'uri', modality: 'document', mime_type: 'application/pdf', uri: 's3://a/b.pdf' },
        { type: 'blob', modality: 'audio', mime_type: 'audio/mpeg', content: 'AQID' },
        { type: 'something_new', value: 1 },
      ],
    );
  });

  it('has one output message a choice, with a finish reason in the old generation alone', () => {
    const reply = {
      finishReasons: ['stop', undefined],
      outputs: [
        { text: 'At noon.', reasoning: 'The moon.' },
        { toolCalls: [{ name: 'tide', arguments: '{"port":' }] },
      ],
    };
    const parts = [
      [
        { type: 'reasoning', content: 'The moon.' },
        { type: 'text', content: 'At noon.' },
      ],
      [{ type: 'tool_call', name: 'tide', arguments: '{"port":' }],
    ];
    assert.deepEqual(contentOf({}, reply)['output.messages'], [
      { role: 'assistant', parts: parts[0] },
      { role: 'assistant', parts: parts[1] },
    ]);
    assert.deepEqual(contentOf({}, reply, ['v1_41'])['output.messages'], [
      { role: 'assistant', parts: parts[0], finish_reason: 'stop' },
      { role: 'assistant', parts: parts[1], finish_reason: 'error' },
    ]);
  });

  it('writes bytes as base64 wherever they are', () => {
    const bytes = Buffer.from([1, 2, 3]);
    assert.deepEqual(
      contentOf({
        messages: [
          { role: 'user', content: [{ type: 'something_new', bytes }] },
          { role: 'tool', tool_call_id: 'call_1', content: [{ image: { bytes } }] },
        ],
      })['input.messages'],
      [
        { role: 'user', parts: [{ type: 'something_new', bytes: 'AQID' }] },
        {
          role: 'tool',
          parts: [
            { type: 'tool_call_response', id: 'call_1', response: [{ image: { bytes: 'AQID' } }] },
          ],
        },
      ],
    );
  });

  it('survives what is no message', () => {
    for (const request of [
      undefined,
      null,
      'text',
      { messages: 7 },
      { messages: [null, 7, { content: [null, 7] }] },
      { contents: {} },
      { tools: [null], system: 7 },
    ]) {
      assert.doesNotThrow(() => contentOf(request), JSON.stringify(request));
    }
    assert.deepEqual(toolCall(undefined, undefined, undefined), {
      type: 'tool_call',
      name: '',
      arguments: undefined,
    });
  });
});
