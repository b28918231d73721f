import { sse, type Script } from './wire-server.ts';

const USAGE = {
  billed_units: { input_tokens: 7, output_tokens: 9 },
  tokens: { input_tokens: 71, output_tokens: 9 },
  cached_tokens: 16,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

export const coherePlain: Script = {
  body: JSON.stringify({
    id: 'chat-1',
    finish_reason: 'COMPLETE',
    message: { role: 'assistant', content: [{ type: 'text', text: TEXT.join('') }] },
    usage: USAGE,
  }),
};

export const cohereFailed: Script = {
  body: String(coherePlain.body).replace('COMPLETE', 'ERROR'),
};

function event(data: { readonly type: string; readonly [key: string]: unknown }): string {
  return sse(data, data.type);
}

function stream(usage: object | undefined): Script {
  return {
    pieces: [
      event({ id: 'chat-1', type: 'message-start', delta: { message: { role: 'assistant' } } }) +
        event({
          type: 'content-start',
          index: 0,
          delta: { message: { content: { type: 'text', text: '' } } },
        }),
      ...TEXT.map((text) =>
        event({ type: 'content-delta', index: 0, delta: { message: { content: { text } } } }),
      ),
      event({ type: 'content-end', index: 0 }) +
        event({
          type: 'message-end',
          delta: { finish_reason: 'COMPLETE', ...(usage && { usage }) },
        }),
      sse('[DONE]'),
    ],
  };
}

export const cohereStream: Script = stream(USAGE);
export const cohereBareStream: Script = stream(undefined);

export const cohereToolStream: Script = {
  pieces: [
    event({ id: 'chat-1', type: 'message-start', delta: { message: { role: 'assistant' } } }),
    event({
      type: 'tool-call-start',
      index: 0,
      delta: {
        message: {
          tool_calls: { id: 'tide_1', type: 'function', function: { name: 'tide', arguments: '' } },
        },
      },
    }),
    event({
      type: 'tool-call-delta',
      index: 0,
      delta: { message: { tool_calls: { function: { arguments: '{"place": "Brest"}' } } } },
    }),
    event({ type: 'message-end', delta: { finish_reason: 'TOOL_CALL' } }),
    sse('[DONE]'),
  ],
};

export const cohereLegacyPlain: Script = {
  body: JSON.stringify({
    text: TEXT.join(''),
    generation_id: 'gen-1',
    finish_reason: 'COMPLETE',
    meta: { billed_units: { input_tokens: 7, output_tokens: 9 } },
  }),
};

export const cohereEmbed: Script = {
  body: JSON.stringify({
    id: 'emb-1',
    response_type: 'embeddings_by_type',
    embeddings: { float: [[0.1, 0.2]] },
    texts: ['The tide'],
    meta: { billed_units: { input_tokens: 2 } },
  }),
};

export const cohereError: Script = {
  status: 429,
  body: JSON.stringify({ message: 'trial token rate limit exceeded' }),
};

function legacyEvent(data: object): string {
  return `${JSON.stringify(data)}\n`;
}

export const cohereLegacyStream: Script = {
  headers: { 'content-type': 'application/stream+json' },
  pieces: [
    legacyEvent({ event_type: 'stream-start', generation_id: 'gen-1', is_finished: false }),
    ...TEXT.map((text) => legacyEvent({ event_type: 'text-generation', text, is_finished: false })),
    legacyEvent({
      event_type: 'stream-end',
      is_finished: true,
      finish_reason: 'COMPLETE',
      response: {
        text: TEXT.join(''),
        generation_id: 'gen-1',
        finish_reason: 'COMPLETE',
        meta: { billed_units: { input_tokens: 7, output_tokens: 9 } },
      },
    }),
  ],
};
