import { sse, type Script } from './wire-server.ts';

const USAGE = {
  input_tokens: 11,
  cache_read_input_tokens: 20,
  cache_creation_input_tokens: 5,
  output_tokens: 9,
};
const MESSAGE = {
  id: 'msg_01',
  type: 'message',
  role: 'assistant',
  model: 'claude-opus-5-20260801',
  stop_sequence: null,
};
const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

export const anthropicPlain: Script = {
  headers: { 'request-id': 'req_1' },
  body: JSON.stringify({
    ...MESSAGE,
    content: [{ type: 'text', text: TEXT.join('') }],
    stop_reason: 'end_turn',
    usage: USAGE,
  }),
};

function event(data: { readonly type: string; readonly [key: string]: unknown }): string {
  return sse(data, data.type);
}

function stream(start: object | undefined, end: object | undefined): Script {
  return {
    pieces: [
      event({
        type: 'message_start',
        message: { ...MESSAGE, content: [], stop_reason: null, ...(start && { usage: start }) },
      }),
      event({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      ...TEXT.map((text) =>
        event({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } }),
      ),
      event({ type: 'content_block_stop', index: 0 }) +
        event({
          type: 'message_delta',
          delta: { stop_reason: 'end_turn', stop_sequence: null },
          ...(end && { usage: end }),
        }),
      event({ type: 'message_stop' }),
    ],
  };
}

/** Usage is cumulative: a placeholder at the start, final at the end. */
export const anthropicStream: Script = stream(
  { ...USAGE, output_tokens: 1 },
  { input_tokens: null, output_tokens: 9 },
);

/** Not sent by Anthropic, but by some compatible servers. */
export const anthropicBareStream: Script = stream(undefined, undefined);

export const anthropicFailedStream: Script = {
  pieces: [
    ...(anthropicStream.pieces ?? []).slice(0, 4),
    event({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }),
  ],
};

export const anthropicTools: Script = {
  body: JSON.stringify({
    ...MESSAGE,
    content: [{ type: 'tool_use', id: 'toolu_1', name: 'tide', input: { place: 'Brest' } }],
    stop_reason: 'tool_use',
    usage: { ...USAGE, output_tokens: 31 },
  }),
};

export const anthropicError: Script = {
  status: 400,
  body: JSON.stringify({
    type: 'error',
    error: { type: 'invalid_request_error', message: 'max_tokens: field required' },
  }),
};
