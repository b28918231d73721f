import assert from 'node:assert/strict';
import type { OpenAI as OpenAIClient } from 'openai';
import { budgetStatus, flush } from '../../src/index.ts';
import { startRecording, type RecordedCalls } from '../support/recorded-calls.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { until } from '../support/until.ts';
import { responsesPending, responsesPlain } from '../support/wire/openai-responses.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { input_tokens: 500, output_tokens: 900, total_tokens: 1400 };
const WIRE = { model: 'gpt-4o', usage: USAGE };
const ASK = {
  model: 'gpt-4o',
  input: 'How often does the tide come in?',
  max_output_tokens: 2000,
  background: true,
} as const;

describe('budgets and a reply that the provider makes in the background', () => {
  let server: WireServer;
  let calls: RecordedCalls;
  let OpenAI: typeof OpenAIClient;
  before(async () => {
    server = await startWireServer();
    calls = startRecording();
    ({ OpenAI } = (await loadCjs('openai')()) as { OpenAI: typeof OpenAIClient });
    assert.ok(calls.instrumentation.instrument('openai', OpenAI));
    calls.instrumentation.applyBudgets([
      { id: 'all', window: 'day', limit: { tokens: 5000 }, mode: 'block' },
    ]);
  });
  after(async () => {
    calls.instrumentation.applyBudgets([]);
    await calls.close();
    await server.close();
  });

  it('set its room aside until it is fetched as a whole, and charge it once', async () => {
    const { responses } = new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    const amounts = async (): Promise<readonly number[]> => {
      const [status] = await budgetStatus();
      return [status?.spent ?? Number.NaN, Math.sign(status?.reserved ?? Number.NaN)];
    };
    const queued = responsesPending(WIRE, 'queued');
    server.play(queued, queued, responsesPlain(WIRE), responsesPlain(WIRE));
    const { id } = await responses.create(ASK);
    assert.deepEqual(await amounts(), [0, 1]);
    await responses.retrieve(id);
    assert.deepEqual(await amounts(), [0, 1]);
    await assert.rejects(responses.create({ ...ASK, max_output_tokens: 4000 }), {
      code: 'budget_exceeded',
      isReserved: true,
    });
    await responses.retrieve(id);
    await until(async () => (await amounts())[0] === 1400);
    await responses.retrieve(id);
    await flush();
    assert.deepEqual(await amounts(), [1400, 0]);
    assert.deepEqual(
      calls.records.map(({ outcome }) => outcome),
      ['blocked', 'ok'],
    );
  });
});
