import { sse, type Script } from './wire-server.ts';

/** The Chat Completions format, including variants of compatible servers. */
export interface ChatWire {
  readonly model: string;
  readonly usage: object;
  /** Added to the last chunk of a stream. */
  readonly streamUsage: object;
}

const TEXT = ['The tide ', 'comes in ', 'twice ', 'a day.'];

export function chatPlain(wire: ChatWire, contents: readonly string[] = [TEXT.join('')]): Script {
  return chatReply(
    wire,
    contents.map((content) => ({ message: { role: 'assistant', content }, finish_reason: 'stop' })),
  );
}

/** `choices`: message and finish reason per choice. */
export function chatReply({ model, usage }: ChatWire, choices: readonly object[]): Script {
  return {
    headers: { 'x-request-id': 'req_c1' },
    body: JSON.stringify({
      id: 'chatcmpl-1',
      object: 'chat.completion',
      created: 1_790_000_000,
      model,
      choices: choices.map((choice, index) => ({ index, logprobs: null, ...choice })),
      usage,
    }),
  };
}

/** A reply that calls one function. */
export function chatToolCall(wire: ChatWire, name: string, args: object): Script {
  const call = {
    id: 'call_1',
    type: 'function',
    function: { name, arguments: JSON.stringify(args) },
  };
  return chatReply(wire, [
    {
      message: { role: 'assistant', content: null, tool_calls: [call] },
      finish_reason: 'tool_calls',
    },
  ]);
}

export function chatStream({ model, streamUsage }: ChatWire, n = 1): Script {
  const chunk = chunkOf(model);
  const choices = Array.from({ length: n }, (_, index) => index);
  return {
    headers: { 'x-request-id': 'req_c1' },
    pieces: [
      ...choices.map((index) => chunk(index, { role: 'assistant', content: '' })),
      ...TEXT.flatMap((content) => choices.map((index) => chunk(index, { content }))),
      ...choices.map((index) =>
        chunk(index, {}, 'stop', index === n - 1 ? streamUsage : undefined),
      ),
      sse('[DONE]'),
    ],
  };
}

/** Text, reasoning and a tool call in deltas, then `finish`. */
export function chatMixedStream({ model, streamUsage }: ChatWire): Script {
  const chunk = chunkOf(model);
  const tool = (call: object): object => ({ tool_calls: [{ index: 0, ...call }] });
  return {
    pieces: [
      chunk(0, { role: 'assistant', content: '', reasoning_content: 'The moon pulls twice.' }),
      chunk(0, { content: TEXT[0] }),
      chunk(0, tool({ id: 'call_1', type: 'function', function: { name: 'tide', arguments: '' } })),
      chunk(0, tool({ function: { arguments: '{"port":' } })),
      chunk(0, tool({ function: { arguments: '"Brest"}' } })),
      chunk(0, {}, 'tool_calls', streamUsage),
      sse('[DONE]'),
    ],
  };
}

/** With `include_usage` OpenAI sends a separate last chunk without choices. */
export function chatUsageStream(wire: ChatWire, n = 1): Script {
  const { pieces = [], ...rest } = chatStream({ ...wire, streamUsage: { usage: null } }, n);
  const last = { ...CHUNK, model: wire.model, choices: [], usage: wire.usage };
  return { ...rest, pieces: [...pieces.slice(0, -1), sse(last), sse('[DONE]')] };
}

/** Moonshot sends usage in the final choice. */
export function chatChoiceUsageStream(wire: ChatWire): Script {
  const { pieces = [], ...rest } = chatBareStream(wire);
  const choice = { index: 0, delta: {}, finish_reason: 'stop', usage: wire.usage };
  const last = { ...CHUNK, model: wire.model, choices: [choice] };
  return { ...rest, pieces: [...pieces.slice(0, -2), sse(last), sse('[DONE]')] };
}

const CHUNK = { id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1_790_000_000 };

function chunkOf(model: string) {
  return (
    index: number,
    delta: object,
    finishReason: string | null = null,
    more?: object,
  ): string =>
    sse({
      ...CHUNK,
      model,
      choices: [{ index, delta, finish_reason: finishReason, logprobs: null }],
      ...more,
    });
}

export function chatBareStream(wire: ChatWire): Script {
  return chatStream({ ...wire, streamUsage: {} });
}

/** What servers of this format send when they fail in the middle of a reply. */
export function chatFailedStream(wire: ChatWire): Script {
  const { pieces = [], ...rest } = chatBareStream(wire);
  const error = { message: 'The model is overloaded', type: 'server_error', code: 'overloaded' };
  return { ...rest, pieces: [...pieces.slice(0, 2), sse({ error })] };
}

export const chatError: Script = {
  status: 429,
  headers: { 'retry-after': '0' },
  body: JSON.stringify({ error: { message: 'Rate limit reached', type: 'tokens', code: 'rate' } }),
};

/** Every reply that the conformance suite asks for. */
export interface ChatScripts {
  readonly plain: Script;
  readonly stream: Script;
  readonly bareStream: Script;
  readonly error: Script;
}

export function chatScripts(wire: ChatWire, stream: Script = chatStream(wire)): ChatScripts {
  return { plain: chatPlain(wire), stream, bareStream: chatBareStream(wire), error: chatError };
}

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
