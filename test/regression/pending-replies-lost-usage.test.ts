import assert from 'node:assert/strict';
import type { OpenAI as OpenAIClient } from 'openai';
import type { GoogleGenAI as GoogleClient } from '@google/genai';
import { google } from '../../src/providers/google/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import {
  responsesPending,
  responsesPlain,
  responsesStream,
} from '../support/wire/openai-responses.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const WIRE = {
  model: 'gpt-4o',
  usage: { input_tokens: 500, output_tokens: 900, total_tokens: 1400 },
};
const WHOLE: Partial<UsageRecord> = {
  outcome: 'ok',
  tokenSource: 'provider',
  inputTokens: 500,
  outputTokens: 900,
};
const queued = responsesPending(WIRE, 'queued');
const done = responsesPlain(WIRE);
const later: Script = { status: 500, body: '{"error": {"message": "later"}}' };
const gone: Script = { status: 404, body: '{"error": {"message": "no such response"}}' };
const cut: Script = { pieces: [], cut: true };
const withStatus = (status: string): Script => ({
  body: JSON.stringify({ id: 'resp_1', object: 'response', model: 'gpt-4o', status, output: [] }),
});
const ASK = {
  model: 'gpt-4o',
  input: 'How often does the tide come in?',
  background: true,
} as const;

const INTERACTION = { id: 'int_1', model: 'gemini-3-pro', object: 'interaction', steps: [] };
const interaction = (status: string, more: object = {}): Script => ({
  body: JSON.stringify({ ...INTERACTION, status, ...more }),
});
const BIG = { total_input_tokens: 250_000, total_output_tokens: 15_000 };

/** Replies made in the background were ended by whatever cut the first connection or a poll. */
describe('a reply that the provider goes on with', () => {
  let server: WireServer;
  let metering: Metering;
  let OpenAI: typeof OpenAIClient;
  let GoogleGenAI: typeof GoogleClient;

  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    const module = (await loadCjs('openai')()) as { OpenAI: typeof OpenAI };
    const genai = (await loadCjs('@google/genai')()) as { GoogleGenAI: typeof GoogleGenAI };
    assert.equal(openai.patch(module, metering.current), 'patched');
    assert.equal(google.patch(genai, metering.current), 'patched');
    ({ OpenAI } = module);
    ({ GoogleGenAI } = genai);
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  const client = () => new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  const gemini = () =>
    new GoogleGenAI({ apiKey: 'test', httpOptions: { baseUrl: server.url } }).interactions;

  async function leftOne(expected: Partial<UsageRecord>): Promise<void> {
    const { records } = await metering.take();
    assert.equal(records.length, 1);
    assert.partialDeepStrictEqual(records[0], expected);
    assert.equal(metering.open, 0);
  }

  it('OpenAI: a stream that is left, then fetched', async () => {
    server.play(responsesStream(WIRE), done);
    for await (const _event of await client().responses.create({ ...ASK, stream: true })) break;
    assert.deepEqual((await metering.take()).records, []);
    await client().responses.retrieve('resp_1');
    await leftOne(WHOLE);
  });

  it('OpenAI: a stream that is cut, then read again from its beginning', async () => {
    const stream = responsesStream(WIRE);
    server.play({ ...stream, pieces: (stream.pieces ?? []).slice(0, 3), cut: true }, stream);
    await assert.rejects(async () => {
      for await (const _event of await client().responses.create({ ...ASK, stream: true }));
    });
    for await (const _event of await client().responses.retrieve('resp_1', { stream: true }));
    await leftOne(WHOLE);
  });

  it('OpenAI: polls that fail or are cut leave it pending', async () => {
    server.play(queued, later, cut, { body: '{"id":' }, done);
    await client().responses.create(ASK);
    for (let polls = 0; polls < 3; polls += 1) {
      await assert.rejects(async () => await client().responses.retrieve('resp_1'));
    }
    await client().responses.retrieve('resp_1');
    await leftOne(WHOLE);
  });

  it('OpenAI: cancelled, expired, and gone', async () => {
    server.play(queued, withStatus('cancelled'));
    await client().responses.create(ASK);
    await client().responses.cancel('resp_1');
    await leftOne({ outcome: 'aborted' });
    server.play(queued, withStatus('expired'));
    await client().responses.create(ASK);
    await client().responses.retrieve('resp_1');
    await leftOne({ outcome: 'aborted' });
    server.play(queued, gone);
    await client().responses.create(ASK);
    await assert.rejects(async () => await client().responses.retrieve('resp_1'));
    await leftOne({ outcome: 'error', errorType: 'NotFoundError' });
  });

  it('OpenAI: a stream that is not in the background ends when it is left', async () => {
    server.play(responsesStream(WIRE));
    const { background: _background, ...ask } = ASK;
    for await (const _event of await client().responses.create({ ...ask, stream: true })) break;
    await leftOne({ outcome: 'aborted' });
  });

  it('Gemini: an interaction in the background is counted when it is whole', async () => {
    server.play(
      interaction('in_progress'),
      later,
      interaction('in_progress'),
      interaction('completed', { usage: BIG }),
    );
    await gemini().create({ model: 'gemini-3-pro', input: 'When?', background: true });
    await assert.rejects(async () => await gemini().get('int_1', {}, { maxRetries: 0 } as never));
    await gemini().get('int_1');
    assert.deepEqual((await metering.take()).records, []);
    await gemini().get('int_1');
    await leftOne({ outcome: 'ok', inputTokens: 250_000, outputTokens: 15_000 });
  });

  it('Gemini: cancelled and failed', async () => {
    for (const [status, outcome] of [
      ['cancelled', 'aborted'],
      ['failed', 'error'],
    ] as const) {
      server.play(interaction('in_progress'), interaction(status));
      await gemini().create({ model: 'gemini-3-pro', input: 'When?', background: true });
      if (status === 'cancelled') await gemini().cancel('int_1');
      else await gemini().get('int_1');
      await leftOne({ outcome });
    }
  });
});
