import { sse, type Script } from './wire-server.ts';

const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

/** The Responses format. */
export interface ResponsesWire {
  readonly model: string;
  readonly usage: object;
}

function response({ model }: ResponsesWire, more: object): object {
  return {
    id: 'resp_1',
    object: 'response',
    created_at: 1_790_000_000,
    model,
    parallel_tool_calls: true,
    temperature: 1,
    tool_choice: 'auto',
    tools: [],
    top_p: 1,
    error: null,
    incomplete_details: null,
    ...more,
  };
}

function message(text: string): object {
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    status: 'completed',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
}

export function responsesPlain(wire: ResponsesWire, text: string = TEXT.join('')): Script {
  return {
    headers: { 'x-request-id': 'req_r1' },
    body: JSON.stringify(
      response(wire, { status: 'completed', output: [message(text)], usage: wire.usage }),
    ),
  };
}

/** A background response that is not complete yet. */
export function responsesPending(wire: ResponsesWire, status: 'queued' | 'in_progress'): Script {
  return { body: JSON.stringify(response(wire, { status, output: [], usage: null })) };
}

export function responsesFailed(wire: ResponsesWire): Script {
  const error = { code: 'server_error', message: 'The model is overloaded' };
  return { body: JSON.stringify(response(wire, { status: 'failed', error, output: [] })) };
}

/** `usage` undefined: the closing event has no usage. */
export function responsesStream(wire: ResponsesWire, usage: object | null = wire.usage): Script {
  const event = (type: string, more: object): string =>
    sse({ type, sequence_number: 0, ...more }, type);
  const open = response(wire, { status: 'in_progress', output: [], usage: null });
  const place = { output_index: 0, item_id: 'msg_1', content_index: 0 };
  return {
    headers: { 'x-request-id': 'req_r1' },
    pieces: [
      event('response.created', { response: open }),
      event('response.output_item.added', {
        output_index: 0,
        item: {
          id: 'msg_1',
          type: 'message',
          role: 'assistant',
          status: 'in_progress',
          content: [],
        },
      }),
      event('response.content_part.added', {
        ...place,
        part: { type: 'output_text', text: '', annotations: [] },
      }),
      ...TEXT.map((delta) => event('response.output_text.delta', { ...place, delta })),
      event('response.output_item.done', { output_index: 0, item: message(TEXT.join('')) }),
      event('response.completed', {
        response: response(wire, { status: 'completed', output: [message(TEXT.join(''))], usage }),
      }),
    ],
  };
}

/** A response that failed in the model; the SDK throws no error for it. */
export function responsesFailedStream(wire: ResponsesWire): Script {
  return {
    pieces: [
      sse({ type: 'response.created', response: response(wire, { status: 'in_progress' }) }),
      sse({
        type: 'response.failed',
        response: response(wire, {
          status: 'failed',
          output: [],
          error: { code: 'server_error', message: 'The model failed' },
          usage: wire.usage,
        }),
      }),
    ],
  };
}
