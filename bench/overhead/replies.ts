import { chatPlain, chatUsageStream, type ChatWire } from '../../test/support/wire/openai-chat.ts';
import { sse, type Script } from '../../test/support/wire/wire-server.ts';

const USAGE = {
  prompt_tokens: 22,
  completion_tokens: 9,
  total_tokens: 31,
  prompt_tokens_details: { cached_tokens: 4 },
  completion_tokens_details: { reasoning_tokens: 2 },
};

export const WIRE: ChatWire = {
  model: 'gpt-4o-mini-2024-07-18',
  usage: USAGE,
  streamUsage: { usage: USAGE },
};

/** Text chunks in the measured stream, in addition to usage and closing chunks. */
export const CHUNKS = 200;

const plain: Script = chatPlain(WIRE);

function longStream(): Script {
  const { pieces = [], ...rest } = chatUsageStream(WIRE);
  const text = sse({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 1_790_000_000,
    model: WIRE.model,
    choices: [{ index: 0, delta: { content: ' tide' }, finish_reason: null, logprobs: null }],
  });
  return { ...rest, pieces: [pieces[0] ?? '', ...Array(CHUNKS).fill(text), ...pieces.slice(-3)] };
}

export const REPLIES: Readonly<Record<'plain' | 'stream', Script>> = {
  plain,
  stream: longStream(),
};

/** `fetch` for the SDK without a network, so that only SDK and instrumentation are measured. */
export function inProcessFetch(which: () => 'plain' | 'stream'): typeof fetch {
  const encoder = new TextEncoder();
  const pieces = (REPLIES.stream.pieces ?? []).map((piece) => encoder.encode(String(piece)));
  return () => {
    if (which() === 'plain') {
      return Promise.resolve(
        new Response(String(plain.body), { headers: { 'content-type': 'application/json' } }),
      );
    }
    let sent = 0;
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const piece = pieces[sent];
        sent += 1;
        if (piece === undefined) controller.close();
        else controller.enqueue(piece);
      },
    });
    return Promise.resolve(
      new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
    );
  };
}
