import assert from 'node:assert/strict';
import { messages } from '../../src/providers/anthropic/index.ts';
import { converse } from '../../src/providers/bedrock/converse.ts';
import { invokeModel } from '../../src/providers/bedrock/invoke-model.ts';
import { chat as cohereChat, legacyChat } from '../../src/providers/cohere/shapes.ts';
import { interaction } from '../../src/providers/google/interaction.ts';
import { generateContent } from '../../src/providers/google/shapes.ts';
import { chatModel } from '../../src/providers/langchain/chat-model.ts';
import { chat as mistralChat, conversation } from '../../src/providers/mistral/shapes.ts';
import { chat as ollamaChat } from '../../src/providers/ollama/shapes.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import type { CallShape } from '../../src/providers/provider.ts';
import { generate } from '../../src/providers/vercel-ai/language-model.ts';

const SYSTEM = 'You know the tides.';
const QUESTION = 'How often does the tide come in?';
const THOUGHT = 'They ask for the tide.';
const ANSWER = 'Twice a day.';
const SCHEMA = { type: 'object', properties: { place: { type: 'string' } } };
const ABOUT = 'Tells the tide of a place.';
const ARGS = { place: 'Brest' };
const RESULT = { high: '06:12' };
const PNG = 'iVBORw0KGgo=';
const TOOL = { name: 'tide', description: ABOUT, parameters: SCHEMA };
const CALLED = { name: 'tide', arguments: JSON.stringify(ARGS) };

/** What a request may hold that costs input tokens. */
type Piece = 'system' | 'image' | 'tool' | 'call' | 'result' | 'reasoning';
const ALL: readonly Piece[] = ['system', 'image', 'tool', 'call', 'result'];

interface Case {
  readonly shape: CallShape;
  /** A request with each of `pieces`, in the provider's own form. */
  readonly request: object;
  readonly pieces: readonly Piece[];
  /** A whole reply without usage: a thought, an answer and a tool call. */
  readonly reply: object;
  /** The same as events of a stream. */
  readonly events: readonly object[];
  /** Not every format has a place for thoughts. */
  readonly thoughts?: false;
}

const openaiMessages = [
  { role: 'system', content: SYSTEM },
  {
    role: 'user',
    content: [
      { type: 'text', text: QUESTION },
      { type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } },
    ],
  },
  { role: 'assistant', tool_calls: [{ id: '1', type: 'function', function: CALLED }] },
  { role: 'tool', tool_call_id: '1', content: JSON.stringify(RESULT) },
];
const openaiTools = [{ type: 'function', function: TOOL }];

const claudeRequest = {
  system: SYSTEM,
  messages: [
    {
      role: 'user',
      content: [
        { type: 'text', text: QUESTION },
        { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PNG } },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: THOUGHT, signature: 's' },
        { type: 'tool_use', id: '1', name: 'tide', input: ARGS },
      ],
    },
    {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: '1', content: JSON.stringify(RESULT) }],
    },
  ],
  tools: [{ name: 'tide', description: ABOUT, input_schema: SCHEMA }],
};
const claudeReply = {
  type: 'message',
  content: [
    { type: 'thinking', thinking: THOUGHT },
    { type: 'text', text: ANSWER },
    { type: 'tool_use', id: '1', name: 'tide', input: ARGS },
  ],
};
const claudeEvents = [
  { type: 'message_start', message: {} },
  { type: 'content_block_start', index: 0, content_block: { type: 'thinking', thinking: '' } },
  { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: THOUGHT } },
  { type: 'content_block_delta', index: 1, delta: { type: 'text_delta', text: ANSWER } },
  {
    type: 'content_block_start',
    index: 2,
    content_block: { type: 'tool_use', id: '1', name: 'tide', input: {} },
  },
  {
    type: 'content_block_delta',
    index: 2,
    delta: { type: 'input_json_delta', partial_json: CALLED.arguments },
  },
];

const aiSdkParts = [
  { type: 'reasoning', text: THOUGHT },
  { type: 'text', text: ANSWER },
  { type: 'tool-call', toolCallId: '1', toolName: 'tide', input: CALLED.arguments },
];

const CASES: Readonly<Record<string, Case>> = {
  'groq and together': {
    shape: chatCompletions(),
    request: { model: 'm', messages: openaiMessages, tools: openaiTools },
    pieces: ALL,
    reply: {
      choices: [
        {
          message: {
            reasoning: THOUGHT,
            content: ANSWER,
            tool_calls: [{ function: CALLED }],
          },
        },
      ],
    },
    events: [
      { choices: [{ index: 0, delta: { reasoning: THOUGHT } }] },
      { choices: [{ index: 0, delta: { content: ANSWER } }] },
      { choices: [{ index: 0, delta: { tool_calls: [{ index: 0, function: CALLED }] } }] },
    ],
  },
  anthropic: {
    shape: messages,
    request: claudeRequest,
    pieces: [...ALL, 'reasoning'],
    reply: claudeReply,
    events: claudeEvents,
  },
  'bedrock, converse': {
    shape: converse,
    request: {
      system: [{ text: SYSTEM }],
      messages: [
        {
          role: 'user',
          content: [
            { text: QUESTION },
            { image: { format: 'png', source: { bytes: Buffer.from(PNG, 'base64') } } },
          ],
        },
        {
          role: 'assistant',
          content: [
            { reasoningContent: { reasoningText: { text: THOUGHT } } },
            { toolUse: { toolUseId: '1', name: 'tide', input: ARGS } },
          ],
        },
        {
          role: 'user',
          content: [{ toolResult: { toolUseId: '1', content: [{ json: RESULT }] } }],
        },
      ],
      toolConfig: {
        tools: [{ toolSpec: { name: 'tide', description: ABOUT, inputSchema: { json: SCHEMA } } }],
      },
    },
    pieces: [...ALL, 'reasoning'],
    reply: {
      output: {
        message: {
          content: [
            { reasoningContent: { reasoningText: { text: THOUGHT } } },
            { text: ANSWER },
            { toolUse: { toolUseId: '1', name: 'tide', input: ARGS } },
          ],
        },
      },
    },
    events: [
      {
        contentBlockDelta: {
          contentBlockIndex: 0,
          delta: { reasoningContent: { text: THOUGHT } },
        },
      },
      { contentBlockDelta: { contentBlockIndex: 1, delta: { text: ANSWER } } },
      { contentBlockStart: { contentBlockIndex: 2, start: { toolUse: { name: 'tide' } } } },
      {
        contentBlockDelta: {
          contentBlockIndex: 2,
          delta: { toolUse: { input: CALLED.arguments } },
        },
      },
    ],
  },
  'bedrock, InvokeModel of Claude': {
    shape: invokeModel,
    request: {
      modelId: 'anthropic.claude-opus-5',
      body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', ...claudeRequest }),
    },
    pieces: [...ALL, 'reasoning'],
    reply: { output: { body: Buffer.from(JSON.stringify(claudeReply)) } },
    events: claudeEvents.map((event) => ({
      chunk: { bytes: Buffer.from(JSON.stringify(event)) },
    })),
  },
  'google, generateContent': {
    shape: generateContent,
    request: {
      model: 'm',
      contents: [
        {
          role: 'user',
          parts: [{ text: QUESTION }, { inlineData: { mimeType: 'image/png', data: PNG } }],
        },
        { role: 'model', parts: [{ functionCall: { name: 'tide', args: ARGS } }] },
        { role: 'user', parts: [{ functionResponse: { name: 'tide', response: RESULT } }] },
      ],
      config: {
        systemInstruction: SYSTEM,
        tools: [{ functionDeclarations: [TOOL] }],
      },
    },
    pieces: ALL,
    reply: {
      candidates: [
        {
          content: {
            parts: [
              { thought: true, text: THOUGHT },
              { text: ANSWER },
              { functionCall: { name: 'tide', args: ARGS } },
            ],
          },
        },
      ],
    },
    events: [
      { candidates: [{ content: { parts: [{ thought: true, text: THOUGHT }] } }] },
      { candidates: [{ content: { parts: [{ text: ANSWER }] } }] },
      {
        candidates: [{ content: { parts: [{ functionCall: { name: 'tide', args: ARGS } }] } }],
      },
    ],
  },
  'google, interactions': {
    shape: interaction,
    request: {
      model: 'm',
      system_instruction: SYSTEM,
      input: [
        {
          type: 'user_input',
          content: [
            { type: 'text', text: QUESTION },
            { type: 'image', data: PNG, mime_type: 'image/png' },
          ],
        },
        { type: 'function_call', id: '1', name: 'tide', arguments: ARGS },
        { type: 'function_result', call_id: '1', result: RESULT },
      ],
      tools: [{ type: 'function', ...TOOL }],
    },
    pieces: ALL,
    reply: {
      steps: [
        { type: 'thought', summary: [{ type: 'text', text: THOUGHT }] },
        { type: 'model_output', content: [{ type: 'text', text: ANSWER }] },
        { type: 'function_call', id: '1', name: 'tide', arguments: ARGS },
      ],
    },
    events: [
      {
        event_type: 'step.delta',
        index: 0,
        delta: { type: 'thought_summary', content: { type: 'text', text: THOUGHT } },
      },
      { event_type: 'step.delta', index: 1, delta: { type: 'text', text: ANSWER } },
      {
        event_type: 'step.start',
        index: 2,
        step: { type: 'function_call', name: 'tide', arguments: {} },
      },
      {
        event_type: 'step.delta',
        index: 2,
        delta: { type: 'arguments_delta', arguments: CALLED.arguments },
      },
    ],
  },
  'mistral, chat': {
    shape: mistralChat,
    request: {
      model: 'm',
      messages: [
        { role: 'system', content: SYSTEM },
        {
          role: 'user',
          content: [
            { type: 'text', text: QUESTION },
            { type: 'image_url', imageUrl: `data:image/png;base64,${PNG}` },
          ],
        },
        {
          role: 'assistant',
          content: [{ type: 'thinking', thinking: [{ type: 'text', text: THOUGHT }] }],
          toolCalls: [{ id: '1', function: { name: 'tide', arguments: ARGS } }],
        },
        { role: 'tool', content: JSON.stringify(RESULT) },
      ],
      tools: openaiTools,
    },
    pieces: [...ALL, 'reasoning'],
    reply: {
      choices: [
        {
          message: {
            content: [
              { type: 'thinking', thinking: [{ type: 'text', text: THOUGHT }] },
              { type: 'text', text: ANSWER },
            ],
            toolCalls: [{ function: CALLED }],
          },
        },
      ],
    },
    events: [
      {
        data: {
          choices: [
            {
              index: 0,
              delta: {
                content: [{ type: 'thinking', thinking: [{ type: 'text', text: THOUGHT }] }],
              },
            },
          ],
        },
      },
      { data: { choices: [{ index: 0, delta: { content: ANSWER } }] } },
      { data: { choices: [{ index: 0, delta: { toolCalls: [{ function: CALLED }] } }] } },
    ],
  },
  'mistral, conversations': {
    shape: conversation,
    request: {
      model: 'm',
      instructions: SYSTEM,
      inputs: [
        {
          role: 'user',
          content: [
            { type: 'text', text: QUESTION },
            { type: 'image_url', imageUrl: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
        { type: 'function.call', toolCallId: '1', name: 'tide', arguments: CALLED.arguments },
        { type: 'function.result', toolCallId: '1', result: JSON.stringify(RESULT) },
      ],
      tools: openaiTools,
    },
    pieces: ALL,
    reply: {
      outputs: [
        {
          type: 'message.output',
          content: [
            { type: 'thinking', thinking: [{ type: 'text', text: THOUGHT }] },
            { type: 'text', text: ANSWER },
          ],
        },
        { type: 'function.call', toolCallId: '1', name: 'tide', arguments: CALLED.arguments },
      ],
    },
    events: [
      {
        data: {
          type: 'message.output.delta',
          content: { type: 'thinking', thinking: [{ type: 'text', text: THOUGHT }] },
        },
      },
      { data: { type: 'message.output.delta', content: ANSWER } },
      {
        data: {
          type: 'function.call.delta',
          toolCallId: '1',
          name: 'tide',
          arguments: CALLED.arguments,
        },
      },
    ],
  },
  'cohere, v2': {
    shape: cohereChat,
    request: {
      model: 'm',
      messages: [
        { role: 'system', content: SYSTEM },
        {
          role: 'user',
          content: [
            { type: 'text', text: QUESTION },
            { type: 'image_url', imageUrl: { url: `data:image/png;base64,${PNG}` } },
          ],
        },
        {
          role: 'assistant',
          toolPlan: THOUGHT,
          toolCalls: [{ id: '1', type: 'function', function: CALLED }],
        },
        { role: 'tool', toolCallId: '1', content: JSON.stringify(RESULT) },
      ],
      tools: openaiTools,
    },
    pieces: [...ALL, 'reasoning'],
    reply: {
      message: {
        toolPlan: THOUGHT,
        content: [{ type: 'text', text: ANSWER }],
        toolCalls: [{ function: CALLED }],
      },
    },
    events: [
      { type: 'tool-plan-delta', delta: { message: { toolPlan: THOUGHT } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: ANSWER } } } },
      {
        type: 'tool-call-start',
        index: 0,
        delta: { message: { toolCalls: { function: CALLED } } },
      },
    ],
  },
  'cohere, v1': {
    shape: legacyChat,
    request: {
      model: 'm',
      preamble: SYSTEM,
      message: QUESTION,
      tools: [{ name: 'tide', description: ABOUT, parameterDefinitions: { place: {} } }],
      toolResults: [{ call: { name: 'tide', parameters: ARGS }, outputs: [RESULT] }],
    },
    pieces: ['system', 'tool', 'call', 'result'],
    reply: { text: ANSWER, toolCalls: [{ name: 'tide', parameters: ARGS }] },
    events: [
      { eventType: 'text-generation', text: ANSWER },
      { eventType: 'tool-calls-generation', toolCalls: [{ name: 'tide', parameters: ARGS }] },
    ],
    thoughts: false,
  },
  ollama: {
    shape: ollamaChat,
    request: {
      model: 'm',
      messages: [
        { role: 'system', content: SYSTEM },
        { role: 'user', content: QUESTION, images: [PNG] },
        {
          role: 'assistant',
          content: '',
          thinking: THOUGHT,
          tool_calls: [{ function: { name: 'tide', arguments: ARGS } }],
        },
        { role: 'tool', content: JSON.stringify(RESULT) },
      ],
      tools: openaiTools,
    },
    pieces: [...ALL, 'reasoning'],
    reply: {
      message: {
        thinking: THOUGHT,
        content: ANSWER,
        tool_calls: [{ function: { name: 'tide', arguments: ARGS } }],
      },
    },
    events: [
      { message: { thinking: THOUGHT } },
      { message: { content: ANSWER } },
      { message: { tool_calls: [{ function: { name: 'tide', arguments: ARGS } }] } },
    ],
  },
  'AI SDK': {
    shape: generate,
    request: {
      prompt: [
        { role: 'system', content: SYSTEM },
        {
          role: 'user',
          content: [
            { type: 'text', text: QUESTION },
            {
              type: 'file',
              mediaType: 'image/png',
              data: { type: 'data', data: Buffer.from(PNG, 'base64') },
            },
          ],
        },
        {
          role: 'assistant',
          content: [
            { type: 'reasoning', text: THOUGHT },
            { type: 'tool-call', toolCallId: '1', toolName: 'tide', input: ARGS },
          ],
        },
        {
          role: 'tool',
          content: [
            {
              type: 'tool-result',
              toolCallId: '1',
              toolName: 'tide',
              output: { type: 'json', value: RESULT },
            },
          ],
        },
      ],
      tools: [{ type: 'function', name: 'tide', description: ABOUT, inputSchema: SCHEMA }],
    },
    pieces: [...ALL, 'reasoning'],
    reply: { content: aiSdkParts },
    events: [
      { type: 'reasoning-delta', id: '0', delta: THOUGHT },
      { type: 'text-delta', id: '1', delta: ANSWER },
      { type: 'tool-input-start', id: '2', toolName: 'tide' },
      { type: 'tool-input-delta', id: '2', delta: CALLED.arguments },
      { type: 'tool-call', toolCallId: '2', toolName: 'tide', input: CALLED.arguments },
    ],
  },
  LangChain: {
    shape: chatModel,
    request: {
      messages: [
        { type: 'system', content: SYSTEM },
        {
          type: 'human',
          content: [
            { type: 'text', text: QUESTION },
            { type: 'image', data: PNG, mimeType: 'image/png' },
          ],
        },
        {
          type: 'ai',
          content: [{ type: 'reasoning', reasoning: THOUGHT }],
          tool_calls: [{ id: '1', name: 'tide', args: ARGS }],
        },
        { type: 'tool', content: JSON.stringify(RESULT) },
      ],
      tools: openaiTools,
    },
    pieces: [...ALL, 'reasoning'],
    reply: {
      generations: [
        {
          message: {
            content: [
              { type: 'reasoning', reasoning: THOUGHT },
              { type: 'text', text: ANSWER },
            ],
            tool_calls: [{ id: '1', name: 'tide', args: ARGS }],
          },
        },
      ],
    },
    events: [
      { content: [{ type: 'reasoning', reasoning: THOUGHT }] },
      { content: ANSWER },
      { content: '', tool_call_chunks: [{ index: 0, name: 'tide', args: CALLED.arguments }] },
    ],
  },
};

/** What is counted must be the whole of what was sent and received, in any provider's form. */
describe('what is counted when a provider reports nothing', () => {
  for (const [name, tested] of Object.entries(CASES)) {
    describe(name, () => {
      it('every piece of the request', () => {
        const countable = tested.shape.countable(tested.request);
        assert.equal(countable?.kind, 'chat');
        const { messages: sent, tools } = countable.request as {
          messages: readonly Record<string, unknown>[];
          tools: readonly unknown[];
        };
        const found: Record<Piece, boolean> = {
          system: sent.some(({ role, content }) => role === 'system' && holds(content, SYSTEM)),
          image: holds(sent, PNG) && holds(sent, 'image_url'),
          tool: holds(tools, 'tide') && holds(tools, ABOUT) && holds(tools, 'place'),
          call: sent.some(
            ({ role, tool_calls: calls }) =>
              role === 'assistant' && holds(calls, 'tide') && holds(calls, 'Brest'),
          ),
          result: sent.some(({ role, content }) => role === 'tool' && holds(content, '06:12')),
          reasoning: holds(sent, THOUGHT),
        };
        for (const piece of tested.pieces) assert.ok(found[piece], `${piece} is counted`);
        assert.ok(holds(sent, QUESTION));
      });

      const expected = {
        text: ANSWER,
        ...(tested.thoughts !== false && { reasoning: THOUGHT }),
        toolCalls: [CALLED],
      };

      it('every piece of a whole reply', () => {
        const reader = tested.shape.reader({ usage: true, output: true });
        reader.whole(tested.reply);
        assert.deepEqual(reader.result().outputs, [expected]);
      });

      it('every piece of a stream', () => {
        const reader = tested.shape.reader({ usage: true, output: true });
        for (const event of tested.events) reader.event(event);
        const { outputs, usage, closed } = reader.result();
        assert.deepEqual(outputs, [expected]);
        assert.equal(usage?.outputTokens, undefined);
        assert.equal(closed, false);
      });

      it('nothing is kept that is not needed', () => {
        const reader = tested.shape.reader({ usage: true, output: false });
        for (const event of tested.events) reader.event(event);
        assert.deepEqual(
          reader.result().outputs.filter((output) => Object.keys(output).length > 0),
          [],
        );
      });
    });
  }
});

function holds(value: unknown, text: string): boolean {
  return JSON.stringify(value ?? null).includes(text);
}
