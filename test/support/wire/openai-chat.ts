import { sse, type Script } from './wire-server.ts';

/** The chat completions format, as its imitators send it. */
export interface ChatWire {
  readonly model: string;
  readonly usage: object;
  /** Put into the last chunk of a stream. */
  readonly streamUsage: object;
}

const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

export function chatPlain({ model, usage }: ChatWire): Script {
  return {
    body: JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_790_000_000,
      model,
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: TEXT.join('') },
          finish_reason: 'stop',
          logprobs: null,
        },
      ],
      usage,
    }),
  };
}

export function chatStream({ model, streamUsage }: ChatWire): Script {
  const chunk = (delta: object, finishReason: string | null, more: object = {}): string =>
    sse({
      id: 'chatcmpl-1',
      object: 'chat.completion.chunk',
      created: 1_790_000_000,
      model,
      choices: [{ index: 0, delta, finish_reason: finishReason, logprobs: null }],
      ...more,
    });
  return {
    pieces: [
      chunk({ role: 'assistant', content: '' }, null),
      ...TEXT.map((content) => chunk({ content }, null)),
      chunk({}, 'stop', streamUsage),
      sse('[DONE]'),
    ],
  };
}

export function chatBareStream(wire: ChatWire): Script {
  return chatStream({ ...wire, streamUsage: {} });
}

export const chatError: Script = {
  status: 429,
  headers: { 'retry-after': '0' },
  body: JSON.stringify({ error: { message: 'Rate limit reached', type: 'tokens', code: 'rate' } }),
};

export function embeddingsReply(model: string, usage: object | undefined): Script {
  return {
    body: JSON.stringify({
      object: 'list',
      model,
      data: [{ object: 'embedding', index: 0, embedding: [0.1, 0.2] }],
      usage,
    }),
  };
}
