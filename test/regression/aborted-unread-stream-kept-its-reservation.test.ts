import assert from 'node:assert/strict';
import type { OpenAI as OpenAIClient } from 'openai';
import { budgetStatus, flush } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { until } from '../support/until.ts';
import { chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const WIRE = { model: 'gpt-4o', usage: {}, streamUsage: {} };
const ASK = {
  model: 'gpt-4o',
  messages: [{ role: 'user' as const, content: 'When is high tide?' }],
  stream: true as const,
};

/** Whose reader left it without a word: only garbage collection ended such a call. */
describe('a stream that is aborted and not read any further', function () {
  this.timeout(20_000);
  let server: WireServer;
  let calls: RecordedCalls;
  let OpenAI: typeof OpenAIClient;
  before(async () => {
    server = await startWireServer();
    calls = startRecording();
    ({ OpenAI } = (await loadCjs('openai')()) as { OpenAI: typeof OpenAIClient });
    assert.ok(calls.instrumentation.instrument('openai', OpenAI));
    calls.instrumentation.applyBudgets([
      { id: 'one', window: 'day', limit: { tokens: 100_000 }, mode: 'block' },
    ]);
  });
  beforeEach(() => {
    calls.reset();
    const { held: _held, ...stream } = chatStream(WIRE);
    const pieces = (stream.pieces ?? []).slice(0, -2);
    server.play({ ...stream, pieces, held: pieces.at(-1) ?? '' });
  });
  after(async () => {
    calls.instrumentation.applyBudgets([]);
    await calls.close();
    await server.close();
  });

  const completions = () =>
    new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 }).chat.completions;
  const reserved = async (): Promise<number> => (await budgetStatus())[0]?.reserved ?? Number.NaN;

  async function ended(): Promise<void> {
    assert.ok((await reserved()) > 0);
    await until(async () => (await reserved()) === 0);
    await flush();
    const record = await calls.only();
    assert.equal(record.outcome, 'aborted');
    assert.ok((record.inputTokens ?? 0) > 0);
  }

  it('is recorded and returns what was set aside, aborted by its own controller', async () => {
    const stream = await completions().create(ASK);
    stream.controller.abort();
    await ended();
    assert.ok(stream);
  });

  it('by the signal of its request', async () => {
    const host = new AbortController();
    const stream = await completions().create(ASK, { signal: host.signal });
    host.abort();
    await ended();
    assert.ok(stream);
  });

  it('and after some of it was read', async () => {
    const stream = await completions().create(ASK);
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    stream.controller.abort();
    await ended();
    assert.ok(iterator);
  });
});
