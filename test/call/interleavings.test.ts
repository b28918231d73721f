import assert from 'node:assert/strict';
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import type { OpenAI } from 'openai';
import { meterChat, withUsageContext } from '../../src/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadEsm } from '../support/sdk-versions.ts';
import { chatUsageStream } from '../support/wire/openai-chat.ts';

/** How a server ends its reply, once all pieces are out. */
type Ending = 'done' | 'cut' | 'error event' | 'no JSON';
/** What the caller does with the stream, from its n-th chunk on. */
type Reader =
  | 'all'
  | 'break'
  | 'throw'
  | 'controller'
  | 'signal'
  | 'unread'
  | 'tee'
  | 'raw'
  | 'again';

interface Call {
  readonly status: 200 | 429;
  readonly pieces: number;
  readonly ending: Ending;
  readonly reader: Reader;
  readonly after: number;
  readonly layer: Layer;
}

/** Layers of the application's own around a call. */
type Layer = 'none' | 'meterChat' | 'meterChat of another model';

/** One turn of the event loop each. `at`: which call, or which state of which switch. */
interface Step {
  readonly kind: 'start' | 'piece' | 'enabled' | 'tokenStatistics' | 'flush' | 'shutdown';
  readonly at: number;
}

interface Scenario {
  readonly calls: readonly Call[];
  readonly steps: readonly Step[];
}

const scenarios: fc.Arbitrary<Scenario> = fc.record({
  calls: fc.array(
    fc.record({
      status: fc.constantFrom(200 as const, 200 as const, 200 as const, 429 as const),
      pieces: fc.nat(7),
      ending: fc.constantFrom<Ending>('done', 'done', 'cut', 'error event', 'no JSON'),
      reader: fc.constantFrom<Reader>(
        'all',
        'break',
        'throw',
        'controller',
        'signal',
        'unread',
        'tee',
        'raw',
        'again',
      ),
      after: fc.integer({ min: 1, max: 4 }),
      layer: fc.constantFrom<Layer>('none', 'none', 'meterChat', 'meterChat of another model'),
    }),
    { minLength: 1, maxLength: 4 },
  ),
  steps: fc.array(
    fc.record({
      kind: fc.constantFrom<Step['kind']>(
        'start',
        'start',
        'piece',
        'piece',
        'piece',
        'enabled',
        'tokenStatistics',
        'flush',
        'shutdown',
      ),
      at: fc.nat(3),
    }),
    { maxLength: 40 },
  ),
});

const WIRE = {
  model: 'gpt-4o',
  usage: { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 },
  streamUsage: {},
};
const PIECES = (chatUsageStream(WIRE).pieces ?? []).map(String);

/** A reply that goes on by one piece whenever it is told to. */
class Reply {
  readonly #call: Call;
  readonly #body = new TransformStream<Uint8Array, Uint8Array>(undefined, undefined, {
    highWaterMark: 100,
  });
  readonly #writer = this.#body.writable.getWriter();
  #sent = 0;

  constructor(call: Call) {
    this.#call = call;
    this.#writer.closed.catch(() => undefined);
  }

  response(): Response {
    if (this.#call.status === 429) {
      return Response.json({ error: { message: 'Slow down' } }, { status: 429 });
    }
    return new Response(this.#body.readable, { headers: { 'content-type': 'text/event-stream' } });
  }

  /** False when there is nothing more to come. */
  go(): boolean {
    if (this.#sent > this.#call.pieces) return false;
    if (this.#sent < this.#call.pieces) this.#write(PIECES[this.#sent] ?? '');
    else this.#end();
    this.#sent += 1;
    return true;
  }

  #end(): void {
    const { ending } = this.#call;
    if (ending === 'cut') {
      void this.#writer.abort(new TypeError('terminated')).catch(() => undefined);
      return;
    }
    if (ending === 'error event') this.#write('data: {"error":{"message":"Overloaded"}}\n\n');
    else if (ending === 'no JSON') this.#write('data: {"id":\n\n');
    else this.#write('data: [DONE]\n\n');
    void this.#writer.close().catch(() => undefined);
  }

  #write(text: string): void {
    this.#writer.write(new TextEncoder().encode(text)).catch(() => undefined);
  }
}

async function consume(client: OpenAI, { reader, after }: Call, name: string): Promise<unknown> {
  const controller = new AbortController();
  const request = {
    model: name,
    messages: [{ role: 'user' as const, content: 'How often?' }],
    stream: true as const,
  };
  const promise = client.chat.completions.create(request, { signal: controller.signal });
  if (reader === 'raw') return (await promise.asResponse()).text();
  const stream = await promise;
  if (reader === 'unread') return 'unread';
  const seen: unknown[] = [];
  const sources = reader === 'tee' ? stream.tee() : [stream];
  for (const source of reader === 'again' ? [stream, stream] : sources) {
    for await (const chunk of source) {
      seen.push(chunk);
      if (seen.length < after) continue;
      if (reader === 'break') break;
      if (reader === 'throw') throw new Error('the caller had enough');
      if (reader === 'controller') stream.controller.abort();
      if (reader === 'signal') controller.abort();
    }
  }
  return seen;
}

/** The call within its layers, for a user of its own. */
function layered(client: OpenAI, call: Call, name: string): Promise<unknown> {
  const ask = (_input: { model: string }): Promise<unknown> => consume(client, call, name);
  const asked = { model: call.layer === 'meterChat' ? name : OTHER };
  return withUsageContext({ userId: `user-${name}` }, () =>
    call.layer === 'none' ? ask(asked) : meterChat(ask)(asked),
  );
}

const OTHER = 'another';

describe('any interleaving of chunks, ends, layers, flushes and switches', function () {
  this.timeout(60_000);
  let metering: Metering;
  let Client: typeof OpenAI;
  const complaints = { error: console.error };

  before(async () => {
    // The SDK tells on the console what it could not parse.
    console.error = () => undefined;
    const module = (await loadEsm('openai')()) as { OpenAI: typeof OpenAI };
    Client = module.OpenAI;
    metering = startMetering();
    assert.notEqual(openai.patch(module, metering.current), 'unfit');
  });
  after(() => {
    console.error = complaints.error;
    metering.off();
    metering.close();
  });

  /** What each caller saw, and which calls began while metering was on. */
  async function run(
    { calls, steps }: Scenario,
    metered: boolean,
  ): Promise<{ seen: readonly unknown[]; expected: readonly string[] }> {
    const replies = calls.map((call) => new Reply(call));
    const fetch = ((_url: unknown, init: RequestInit) => {
      const { model } = JSON.parse(init.body as string) as { model: string };
      return Promise.resolve(replies[Number(model)]?.response());
    }) as typeof globalThis.fetch;
    const client = new Client({ apiKey: 'test', baseURL: 'http://test', maxRetries: 0, fetch });
    const results = new Map<number, Promise<unknown>>();
    const expected: string[] = [];
    let on = metered;
    let statistics = true;
    if (on) metering.on();
    const start = (at: number): void => {
      const call = calls[at];
      if (call === undefined || results.has(at)) return;
      if (on) {
        expected.push(`${at} user-${at}`);
        if (call.layer === 'meterChat of another model') expected.push(`${OTHER} user-${at}`);
      }
      const result = layered(client, call, String(at)).catch((error: unknown) => {
        const { name, message } = error as Error;
        return { name, message };
      });
      results.set(at, result);
    };
    for (const { kind, at } of steps) {
      if (kind === 'start') start(at);
      else if (kind === 'piece') replies[at]?.go();
      else if (kind === 'flush') await metering.take(false);
      else if (kind === 'shutdown') metering.shutdown();
      else if (kind === 'tokenStatistics') metering.tokenStatistics((statistics = !statistics));
      else if (metered) {
        on = !on;
        if (on) metering.on();
        else metering.off();
      }
      await turn();
    }
    for (const at of calls.keys()) start(at);
    await turn();
    for (const reply of replies) while (reply.go()) await turn();
    const seen = await Promise.all(calls.map(async (_call, at) => await results.get(at)));
    metering.tokenStatistics(true);
    metering.off();
    return { seen, expected };
  }

  it('changes nothing for the caller and makes one record a call', async () => {
    await fc.assert(
      fc.asyncProperty(scenarios, async (scenario) => {
        const bare = await run(scenario, false);
        assert.equal((await metering.take()).started, 0);
        const { seen, expected } = await run(scenario, true);
        metering.shutdown();
        const { records, spans, started } = await metering.take();
        assert.deepEqual(seen, bare.seen);
        assert.deepEqual(
          records.map(({ requestModel, userId }) => `${requestModel} ${userId}`).toSorted(),
          expected.toSorted(),
        );
        assert.deepEqual([started, spans.length], [expected.length, expected.length]);
        for (const record of records) {
          const call = scenario.calls[Number(record.requestModel)];
          if (call === undefined) continue;
          if (call.status === 429) assert.notEqual(record.outcome, 'ok');
          if (record.outcome === 'ok') assert.equal(call.status, 200);
        }
        assert.deepEqual([metering.unread, metering.open], [0, 0]);
      }),
      { numRuns: 300 },
    );
  });
});
