import assert from 'node:assert/strict';
import type { OpenAI as OpenAIClient } from 'openai';
import { flush, shutdown } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { chatPlain, chatStream } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const WIRE = { model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } };
const ASK = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'When?' }] };
const OK = { outcome: 'ok', inputTokens: 18, outputTokens: 9, tokenSource: 'provider' } as const;

/** A flush at the end of one request ended the replies of others: `aborted`, without output. */
describe('flush() beside calls that run', () => {
  let server: WireServer;
  let calls: RecordedCalls;
  let OpenAI: typeof OpenAIClient;
  before(async () => {
    server = await startWireServer();
    calls = startRecording();
    ({ OpenAI } = (await loadCjs('openai')()) as { OpenAI: typeof OpenAIClient });
    assert.ok(calls.instrumentation.instrument('openai', OpenAI));
  });
  beforeEach(() => calls.reset());
  after(async () => {
    await calls.close();
    await server.close();
  });
  const completions = () =>
    new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 }).chat.completions;

  it('leaves a reply that is not awaited yet, and one that is read raw later', async () => {
    server.play(chatPlain(WIRE), chatPlain(WIRE));
    const promise = completions().create(ASK);
    const response = await completions().create(ASK).asResponse();
    await server.served();
    await flush();
    assert.deepEqual(calls.records, []);
    await promise;
    await response.json();
    await flush();
    assert.equal(calls.records.length, 2);
    for (const record of calls.records) assert.partialDeepStrictEqual(record, OK);
  });

  it('leaves a stream before it is read and while it is', async () => {
    server.play(chatStream(WIRE));
    const stream = await completions().create({ ...ASK, stream: true });
    await flush();
    for await (const _chunk of stream) await flush();
    assert.partialDeepStrictEqual(await calls.only(), OK);
  });

  it('unlike shutdown(), after which the reader goes on unmetered', async () => {
    server.play(chatStream(WIRE));
    const stream = await completions().create({ ...ASK, stream: true });
    let chunks = 0;
    for await (const _chunk of stream) if ((chunks += 1) === 3) await shutdown();
    assert.ok(chunks > 3);
    const record = await calls.only();
    assert.equal(record.outcome, 'aborted');
    assert.ok((record.outputTokens ?? 0) > 0);
  });
});
