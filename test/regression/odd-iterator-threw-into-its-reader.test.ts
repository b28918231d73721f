import assert from 'node:assert/strict';
import type { ReplySink } from '../../src/call/reply-sink.ts';
import { observeReadableStream } from '../../src/call/observed-readable.ts';
import { observeResponse } from '../../src/call/observed-response.ts';
import { observeAsyncIterable, observeGenerator } from '../../src/call/observed-stream.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { CHUNKS, onlyRecord, startChat, USAGE } from '../support/watched-call.ts';

type Step = IteratorResult<unknown>;

/** An iterator whose steps are made by `wrap`: as plain objects, as thenables … */
function iterable(wrap: (step: Step) => unknown): AsyncIterable<unknown> {
  return {
    [Symbol.asyncIterator]() {
      let at = 0;
      return {
        next: () => {
          const done = at >= CHUNKS.length;
          return wrap({ done, value: CHUNKS[at++] } as Step) as Promise<Step>;
        },
      };
    },
  };
}

async function chunksOf(stream: AsyncIterable<unknown>): Promise<number> {
  let count = 0;
  for await (const chunk of stream) if (chunk !== undefined) count += 1;
  return count;
}

async function* generated(): AsyncGenerator<unknown> {
  yield* CHUNKS;
}

/**
 * `next()` was expected to give a promise, and every iterator to take properties; one given to two readers
 * was watched twice, and counted twice from then on.
 */
describe('iterators of a shape that the watcher did not expect', () => {
  let metering: Metering;
  before(() => {
    metering = startMetering();
    metering.on();
  });
  after(() => {
    metering.off();
    metering.close();
  });

  async function assertWhole(): Promise<void> {
    const record = await onlyRecord(metering);
    assert.deepEqual(
      [record.outcome, record.inputTokens, record.outputTokens, record.tokenSource],
      ['ok', USAGE.prompt_tokens, USAGE.completion_tokens, 'provider'],
    );
  }

  async function assertUnwatchable(): Promise<void> {
    const record = await onlyRecord(metering);
    assert.deepEqual(
      [record.outcome, record.errorType, record.outputTokens],
      ['aborted', 'UnwatchableReply', undefined],
    );
  }

  function thenable(step: Step): PromiseLike<Step> {
    // oxlint-disable-next-line unicorn/no-thenable -- what is tested
    return { then: (onValue) => Promise.resolve(step).then(onValue) };
  }

  for (const [title, wrap] of [
    ['plain objects', (step: Step) => step],
    ['thenables', thenable],
    ['promises of a class of its own', (step: Step) => SubPromise.resolve(step)],
  ] as const) {
    it(`whose steps are ${title}`, async () => {
      const stream = iterable(wrap);
      observeAsyncIterable(stream, startChat(metering));
      assert.equal(await chunksOf(stream), CHUNKS.length);
      await assertWhole();
    });
  }

  it('keeps the promise of a step the object it is', async () => {
    const stream = iterable((step) => SubPromise.resolve(step));
    observeAsyncIterable(stream, startChat(metering));
    const iterator = stream[Symbol.asyncIterator]();
    assert.ok(iterator.next() instanceof SubPromise);
    // A call that is left open has its record when the stream is collected.
    while ((await iterator.next()).done !== true);
    await onlyRecord(metering);
  });

  it('whose step is nothing at all', async () => {
    const stream = iterable(() => undefined);
    observeAsyncIterable(stream, startChat(metering));
    assert.equal(stream[Symbol.asyncIterator]().next(), undefined);
    assert.equal((await onlyRecord(metering)).errorType, 'TypeError');
  });

  it('whose next() throws at once', async () => {
    const stream = iterable(() => {
      throw new RangeError('no next');
    });
    observeAsyncIterable(stream, startChat(metering));
    await assert.rejects(chunksOf(stream), RangeError);
    const { outcome, errorType } = await onlyRecord(metering);
    assert.deepEqual([outcome, errorType], ['error', 'RangeError']);
  });

  const frozen: Readonly<Record<string, (sink: ReplySink) => Promise<void>>> = {
    'a frozen iterator': async (sink) => {
      const iterator = Object.freeze(generated());
      const stream = { [Symbol.asyncIterator]: () => iterator };
      observeAsyncIterable(stream, sink);
      assert.equal(stream[Symbol.asyncIterator](), iterator);
      assert.equal(await chunksOf(stream), CHUNKS.length);
    },
    'a frozen generator': async (sink) => {
      const stream = Object.freeze(generated());
      observeGenerator(stream, sink);
      assert.equal(await chunksOf(stream), CHUNKS.length);
    },
    'a frozen stream': async (sink) => {
      const stream = Object.freeze({ [Symbol.asyncIterator]: generated });
      observeAsyncIterable(stream, sink);
      assert.equal(await chunksOf(stream), CHUNKS.length);
    },
    'a frozen web stream': async (sink) => {
      const stream = Object.freeze(ReadableStream.from(CHUNKS));
      observeReadableStream(stream, sink);
      assert.equal(await chunksOf(stream), CHUNKS.length);
    },
  };
  for (const [title, read] of Object.entries(frozen)) {
    it(`${title} is read as it is, and recorded as not watched`, async () => {
      await read(startChat(metering));
      await assertUnwatchable();
    });
  }

  it('a frozen response is read as it is, and recorded as not watched', async () => {
    const response = Object.freeze(new Response('{"id":"chatcmpl-1"}'));
    observeResponse(response, startChat(metering), () => false);
    assert.deepEqual(await response.json(), { id: 'chatcmpl-1' });
    await assertUnwatchable();
  });

  it('a response with a body of its own keeps it', async () => {
    const response = { body: ReadableStream.from(['{"usage":', '{"prompt_tokens":18}}']) };
    observeResponse(response, startChat(metering), () => false);
    assert.equal(await chunksOf(response.body), 2);
    assert.equal((await onlyRecord(metering)).inputTokens, 18);
  });

  it('one iterator given to two readers is counted once', async () => {
    const iterator = generated();
    const stream = { [Symbol.asyncIterator]: () => iterator };
    const events: unknown[] = [];
    const call = startChat(metering);
    observeAsyncIterable(stream, spying(call, events));
    await stream[Symbol.asyncIterator]().next();
    assert.equal(await chunksOf(stream), CHUNKS.length - 1);
    assert.deepEqual(events, CHUNKS);
    await assertWhole();
  });

  it('a stream that goes on behind a peek is counted to its end', async () => {
    for (const peek of [byReleasedReader, byKeptIterator, byPendingRead, byPreventedPipe]) {
      const stream = ReadableStream.from(CHUNKS);
      const events: unknown[] = [];
      observeReadableStream(stream, spying(startChat(metering), events));
      const peeked = await peek(stream);
      assert.equal(peeked + (await chunksOf(stream)), CHUNKS.length, peek.name);
      assert.deepEqual(events, CHUNKS, peek.name);
      await assertWhole();
    }
  });

  it('a body given to two BYOB readers', async () => {
    const text = CHUNKS.map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`).join('');
    const response = new Response(text);
    observeResponse(response, startChat(metering), () => false);
    const branches = (response.body as ReadableStream<Uint8Array<ArrayBuffer>>).tee();
    assert.deepEqual(await Promise.all(branches.map(bytesByView)), [text.length, text.length]);
    await assertWhole();
  });
});

class SubPromise<T> extends Promise<T> {}

function spying(call: ReplySink, events: unknown[]): ReplySink {
  return {
    get ended() {
      return call.ended;
    },
    arrived: (handle) => call.arrived(handle),
    reading: (handle) => call.reading(handle),
    event: (event) => {
      events.push(event);
      call.event(event);
    },
    streamEnded: (done) => call.streamEnded(done),
    failed: (error) => call.failed(error),
  };
}

async function byReleasedReader(stream: ReadableStream<unknown>): Promise<number> {
  const reader = stream.getReader();
  await reader.read();
  reader.releaseLock();
  return 1;
}

async function byKeptIterator(stream: ReadableStream<unknown>): Promise<number> {
  for await (const _chunk of stream.values({ preventCancel: true })) break;
  return 1;
}

/** A read that is refused because its reader is released takes nothing. */
async function byPendingRead(stream: ReadableStream<unknown>): Promise<number> {
  const reader = stream.getReader();
  const pending = reader.read().then(
    () => 1,
    () => 0,
  );
  reader.releaseLock();
  return await pending;
}

async function byPreventedPipe(stream: ReadableStream<unknown>): Promise<number> {
  let taken = 0;
  const target = new WritableStream({
    write(_chunk, controller) {
      taken += 1;
      controller.error(new Error('enough'));
    },
  });
  await stream.pipeTo(target, { preventCancel: true }).catch(() => undefined);
  return taken;
}

async function bytesByView(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<number> {
  const reader = stream.getReader({ mode: 'byob' });
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read(new Uint8Array(7));
    bytes += value?.byteLength ?? 0;
    if (done) return bytes;
  }
}
