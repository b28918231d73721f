import assert from 'node:assert/strict';
import { observeResponse } from '../../src/call/observed-response.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { CHUNKS, onlyRecord, startChat, USAGE } from '../support/watched-call.ts';

const EVENTS = CHUNKS.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
const WHOLE = [...EVENTS, 'data: [DONE]\n\n'].join('');

/**
 * The kind of body was guessed from its first piece, however small, and one line that was no JSON took the
 * rest of its piece along.
 */
describe('a raw event stream', () => {
  let metering: Metering;
  before(() => {
    metering = startMetering();
    metering.on();
  });
  after(() => {
    metering.off();
    metering.close();
  });

  async function read(...pieces: readonly string[]): Promise<void> {
    const bytes = pieces.map((piece) => new TextEncoder().encode(piece));
    const response = new Response(ReadableStream.from(bytes));
    observeResponse(response, startChat(metering), () => false);
    let received = '';
    const decoder = new TextDecoder();
    for await (const piece of response.body ?? []) received += decoder.decode(piece);
    assert.equal(received, pieces.join(''));
    const record = await onlyRecord(metering);
    assert.deepEqual(
      [record.outcome, record.inputTokens, record.outputTokens, record.tokenSource],
      ['ok', USAGE.prompt_tokens, USAGE.completion_tokens, 'provider'],
    );
  }

  for (let first = 1; first <= 8; first += 1) {
    it(`whose first piece has ${first} bytes`, () =>
      read(WHOLE.slice(0, first), WHOLE.slice(first)));
  }

  it('that arrives byte by byte', () => read(...Array.from(WHOLE)));

  it('that opens with a comment, a retry time and an empty line', () =>
    read('\n', ': PROCESSING\n\nretry: 10\n\n', WHOLE));

  it('with a line that is no JSON before the rest', () =>
    read([EVENTS[0], 'data: please wait\n\n', ...EVENTS.slice(1)].join('')));

  for (const end of ['\r\n', '\r']) {
    it(`with line ends ${JSON.stringify(end)}, cut between any two bytes`, () =>
      read(...Array.from(WHOLE.replaceAll('\n', end))));
  }

  it('with an event of several lines', () =>
    read(
      CHUNKS.map(
        (chunk) => `data: ${JSON.stringify(chunk, null, 1).replaceAll('\n', '\ndata: ')}\n\n`,
      ).join(''),
    ));

  it('without an empty line at the end', () => read(WHOLE.trimEnd().replace('data: [DONE]', '')));

  it('without any empty line', () => read(WHOLE.replaceAll('\n\n', '\n')));

  it('is one reply when it is none', async () => {
    const body = JSON.stringify({ id: 'chatcmpl-1', choices: [], usage: USAGE });
    await read(...Array.from(body));
  });
});
