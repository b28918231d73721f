import { sse, type Script } from './wire-server.ts';

const USAGE = {
  prompt_tokens: 12,
  completion_tokens: 9,
  total_tokens: 21,
  num_cached_tokens: 4,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];
const HEAD = { id: 'cmpl-1', created: 1_790_000_000, model: 'mistral-large-2512' };

export const mistralPlain: Script = {
  body: JSON.stringify({
    ...HEAD,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: TEXT.join(''), tool_calls: null },
        finish_reason: 'stop',
      },
    ],
    usage: USAGE,
  }),
};

export const mistralFailed: Script = {
  body: String(mistralPlain.body).replace('"finish_reason":"stop"', '"finish_reason":"error"'),
};

function stream(last: object): Script {
  const chunk = (delta: object, finishReason: string | null, more: object = {}): string =>
    sse({
      ...HEAD,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finishReason }],
      ...more,
    });
  return {
    pieces: [
      chunk({ role: 'assistant', content: '' }, null),
      ...TEXT.map((content) => chunk({ content }, null)),
      chunk({ content: '' }, 'stop', last),
      sse('[DONE]'),
    ],
  };
}

export const mistralStream: Script = stream({ usage: USAGE });
export const mistralBareStream: Script = stream({});

export const mistralEmbeddings: Script = {
  body: JSON.stringify({
    id: 'embd-1',
    object: 'list',
    model: 'mistral-embed',
    data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
    usage: { prompt_tokens: 3, completion_tokens: 0, total_tokens: 3 },
  }),
};

export const mistralConversation: Script = {
  body: JSON.stringify({
    object: 'conversation.response',
    conversation_id: 'conv-1',
    outputs: [
      {
        object: 'entry',
        type: 'message.output',
        id: 'msg-1',
        role: 'assistant',
        model: 'mistral-large-2512',
        content: TEXT.join(''),
      },
    ],
    usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 26, connector_tokens: 5 },
  }),
};

export const mistralError: Script = {
  status: 422,
  body: JSON.stringify({ detail: [{ loc: ['body'], msg: 'Field required', type: 'missing' }] }),
};

/** Events of a streamed conversation. */
export const mistralConversationStream: Script = {
  pieces: [
    conversationEvent({ type: 'conversation.response.started', conversation_id: 'conv-1' }),
    ...TEXT.map((content) =>
      conversationEvent({
        type: 'message.output.delta',
        id: 'msg-1',
        role: 'assistant',
        model: 'mistral-large-2512',
        content,
      }),
    ),
    conversationEvent({
      type: 'conversation.response.done',
      usage: { prompt_tokens: 12, completion_tokens: 9, total_tokens: 26, connector_tokens: 5 },
    }),
  ],
};

function conversationEvent(data: {
  readonly type: string;
  readonly [key: string]: unknown;
}): string {
  return sse({ created_at: '2026-11-01T00:00:00Z', output_index: 0, ...data }, data.type);
}
