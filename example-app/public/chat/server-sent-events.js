// @ts-check
import { createParser } from '../eventsource-parser.js';

/**
 * Events of a response to a POST, which `EventSource` cannot send. Their data is JSON.
 *
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<{ event: string, data: any }>}
 */
export async function* serverSentEvents(body) {
  /** @type {{ event: string, data: any }[]} */
  const received = [];
  const parser = createParser({
    onEvent: ({ event = 'message', data }) => received.push({ event, data: JSON.parse(data) }),
  });
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    parser.feed(value);
    yield* received.splice(0);
  }
}
