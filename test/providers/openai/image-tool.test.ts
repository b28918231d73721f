import assert from 'node:assert/strict';
import type * as OpenAiModule from 'openai';
import { withUsageContext } from '../../../src/context.ts';
import { Prices } from '../../../src/prices/prices.ts';
import { openai } from '../../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs } from '../../support/sdk-versions.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import { sse, startWireServer, type WireServer } from '../../support/wire/wire-server.ts';

const IMAGES = {
  input_tokens: 50,
  output_tokens: 4000,
  total_tokens: 4050,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  output_tokens_details: { text_tokens: 0, image_tokens: 4000 },
};
const NONE = {
  input_tokens: 0,
  output_tokens: 0,
  total_tokens: 0,
  input_tokens_details: { text_tokens: 0, image_tokens: 0 },
};

function response(images: object | undefined, more: object = {}): object {
  return {
    id: 'resp_1',
    object: 'response',
    status: 'completed',
    model: 'gpt-5-2025-08-07',
    tools: [{ type: 'image_generation', model: 'gpt-image-1' }],
    output: [{ type: 'image_generation_call', id: 'ig_1', status: 'completed', result: 'AAAA' }],
    usage: { input_tokens: 1000, output_tokens: 100, total_tokens: 1100 },
    tool_usage: images && { image_gen: images, web_search: { num_requests: 0 } },
    ...more,
  };
}

describe('the image generation tool of responses', () => {
  let server: WireServer;
  let metering: Metering;
  let client: OpenAiModule.OpenAI;
  const warnings: string[] = [];
  const onWarning = ({ message }: Error): void => void warnings.push(message);
  before(async () => {
    process.on('warning', onWarning);
    server = await startWireServer();
    metering = startMetering();
    metering.on();
    const module = (await loadCjs('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
  });
  after(async () => {
    process.off('warning', onWarning);
    metering.off();
    metering.close();
    await server.close();
  });
  const request = { model: 'gpt-5', input: 'a tide table', tools: [{ type: 'image_generation' }] };
  const create = (): Promise<unknown> => client.responses.create(request as never);

  it('is a record of its own, of its model and for the same user', async () => {
    server.play({ body: JSON.stringify(response(IMAGES)) });
    await withUsageContext({ userId: 'anna' }, create);
    const { records, spans, started } = await metering.take();
    const [chat, images, ...more] = records;
    assert.deepEqual([more.length, spans.length, started], [0, 2, 2]);
    assert.partialDeepStrictEqual(chat, {
      operation: 'chat',
      responseId: 'resp_1',
      inputTokens: 1000,
      userId: 'anna',
    });
    assert.equal(chat?.attributes['token_meter.usage.generated_images'], undefined);
    assert.partialDeepStrictEqual(images, {
      operation: 'image_generation',
      provider: 'openai',
      requestModel: 'gpt-image-1',
      userId: 'anna',
      inputTokens: 50,
      outputTokens: 4000,
      tokenSource: 'provider',
      outcome: 'ok',
      attributes: {
        'gen_ai.usage.image.input_tokens': 40,
        'gen_ai.usage.image.output_tokens': 4000,
        'token_meter.usage.generated_images': 1,
      },
    });
    assert.equal(images?.responseId, undefined);
    const prices = new Prices();
    await prices.load();
    // 10 × 5 + 40 × 10 + 4,000 × 40
    assert.deepEqual(images && prices.price(images), { costUsd: 0.16045, costSource: 'list' });
  });

  it('the same of a stream', async () => {
    const events = [
      { type: 'response.created', response: response(undefined, { status: 'in_progress' }) },
      { type: 'response.completed', response: response(IMAGES) },
    ];
    server.play({ pieces: events.map((event) => sse(event, event.type)) });
    const stream = await client.responses.create({ ...request, stream: true } as never);
    for await (const _event of stream as unknown as AsyncIterable<unknown>);
    const { records } = await metering.take();
    assert.deepEqual(
      records.map(({ operation, outputTokens }) => [operation, outputTokens]),
      [
        ['chat', 100],
        ['image_generation', 4000],
      ],
    );
  });

  it('images without tokens are counted in the response', async () => {
    server.play({ body: JSON.stringify(response(undefined)) });
    await create();
    const record = await onlyRecord(metering);
    assert.equal(record.attributes['token_meter.usage.generated_images'], 1);
  });

  it('counts of 0 are no use, and no reason for a warning', async () => {
    server.play({ body: JSON.stringify(response(NONE, { output: [] })) });
    await create();
    assert.equal((await onlyRecord(metering)).inputTokens, 1000);
    assert.deepEqual(warnings, []);
  });

  it('an unnamed model stays unknown', async () => {
    server.play({
      body: JSON.stringify(response(IMAGES, { tools: [{ type: 'image_generation' }] })),
    });
    await create();
    const { records } = await metering.take();
    assert.deepEqual(
      records.map(({ requestModel }) => requestModel),
      ['gpt-5', 'unknown'],
    );
  });

  it('without token statistics there is only the call that was made', async () => {
    metering.tokenStatistics(false);
    server.play({ body: JSON.stringify(response(IMAGES)) });
    await create();
    metering.tokenStatistics(true);
    assert.equal((await onlyRecord(metering)).inputTokens, undefined);
  });
});
