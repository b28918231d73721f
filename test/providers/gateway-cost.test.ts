import assert from 'node:assert/strict';
import type { OpenAI } from 'openai';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { gatewayCost } from '../../src/providers/gateway-cost.ts';
import { generateContent } from '../../src/providers/google/shapes.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { generate } from '../../src/providers/vercel-ai/language-model.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, loadEsm } from '../support/sdk-versions.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const HEADER = 'x-litellm-response-cost';
const USAGE = { prompt_tokens: 1000, completion_tokens: 100, total_tokens: 1100 };
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Tide?' }] };

describe('the cost that a LiteLLM proxy reports in a header', () => {
  let server: WireServer;
  let metering: Metering;
  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  it('is a number of at least 0 and nothing else', () => {
    for (const [header, cost] of [
      ['0.00123', 0.00123],
      ['5.85e-06', 0.00000585],
      ['1E-3', 0.001],
      ['0', 0],
      ['0.0', 0],
      ['12', 12],
    ] as const) {
      assert.equal(gatewayCost(header), cost, header);
    }
    for (const header of [
      '',
      ' ',
      'None',
      'null',
      'NaN',
      'Infinity',
      '-0.5',
      '-1',
      '+1',
      '0x10',
      '1,5',
      '1e999',
      '$0.1',
      '0.1 ',
      '0.1, 0.2',
      null,
      undefined,
      0.5,
      ['0.5'],
    ]) {
      assert.equal(gatewayCost(header), undefined, String(header));
    }
  });

  const record = async (
    header: string | undefined,
    { stream = false, cost }: { stream?: boolean; cost?: number } = {},
    load = loadCjs('openai'),
  ): Promise<UsageRecord | undefined> => {
    const module = await load();
    openai.patch(module, metering.current);
    const { OpenAI: Client } = module as { OpenAI: typeof OpenAI };
    const client = new Client({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    const usage = { ...USAGE, ...(cost !== undefined && { cost }) };
    const body = { id: 'c', model: 'gpt-4o', usage };
    const choice = { index: 0, finish_reason: 'stop' };
    server.play({
      headers: {
        'content-type': stream ? 'text/event-stream' : 'application/json',
        ...(header !== undefined && { [HEADER]: header }),
      },
      body: stream
        ? `data: ${JSON.stringify({ ...body, choices: [{ ...choice, delta: {} }] })}\n\ndata: [DONE]\n\n`
        : JSON.stringify({ ...body, choices: [{ ...choice, message: { content: 'Twice.' } }] }),
    });
    const reply = await client.chat.completions.create({ ...REQUEST, stream });
    if (stream) for await (const chunk of reply as AsyncIterable<unknown>) assert.ok(chunk);
    const { records } = await metering.take();
    assert.equal(records.length, 1);
    return records[0];
  };

  for (const [version, load] of [
    ['7', loadCjs('openai')],
    ['4', loadEsm('openai/index.mjs', 'openai-4')],
  ] as const) {
    it(`openai ${version}: wins over a computed cost`, async () => {
      const { costUsd, costSource } = (await record('0.00042', {}, load)) ?? {};
      assert.deepEqual([costUsd, costSource], [0.00042, 'provider']);
    });
  }

  it('may be 0, as for a reply from the cache', async () => {
    assert.equal((await record('0.0'))?.costUsd, 0);
  });

  it('gives way to what the reply itself says', async () => {
    assert.equal((await record('0.00042', { cost: 0.5 }))?.costUsd, 0.5);
  });

  it('is left out where it is none, or comes before a stream', async () => {
    for (const header of ['-1', 'None', undefined]) {
      assert.equal((await record(header))?.costSource, undefined);
    }
    assert.equal((await record('0.00042', { stream: true }))?.costSource, undefined);
    assert.equal((await record('0.00042', { stream: true, cost: 0.25 }))?.costUsd, 0.25);
  });

  it('is read from what the AI SDK and the Gemini SDK keep of the response', () => {
    const model = generate.reader({ usage: true, output: false });
    model.whole({
      content: [],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: { inputTokens: { total: 5 }, outputTokens: { total: 2 } },
      response: { headers: { [HEADER]: '0.003' } },
    });
    assert.equal(model.result().costUsd, 0.003);
    const gemini = generateContent.reader({ usage: true, output: false });
    gemini.whole({
      sdkHttpResponse: { headers: { [HEADER]: '0.004', 'x-gemini-service-tier': 'flex' } },
      usageMetadata: { promptTokenCount: 5 },
    });
    assert.equal(gemini.result().costUsd, 0.004);
    assert.equal(gemini.result().serviceTier, 'flex');
  });
});
