import assert from 'node:assert/strict';
import type { DataPoint } from '@opentelemetry/sdk-metrics';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { OpenAI } from 'openai';
import {
  flush,
  recordUsage,
  TokenMeterInstrumentation,
  withUsageContext,
  type TokenMeterOptions,
} from '../../src/index.ts';
import { startTelemetry, type TestTelemetry } from '../support/telemetry.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const MODEL = 'gpt-4o-2024-08-06';
const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const REQUEST = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'High tide?' }] };

/** What spans and metrics say of single calls, beyond the tables of the conventions. */
describe('telemetry of a call', () => {
  let server: WireServer;
  let telemetry: TestTelemetry;
  let instrumentation: TokenMeterInstrumentation | undefined;
  before(async () => (server = await startWireServer()));
  after(() => server.close());
  beforeEach(() => (telemetry = startTelemetry()));
  afterEach(async () => {
    instrumentation?.disable();
    await telemetry.close();
  });

  function openai(options: TokenMeterOptions = {}): OpenAI {
    instrumentation = new TokenMeterInstrumentation({ metricNames: 'latest', ...options });
    instrumentation.instrument('openai', OpenAI);
    return new OpenAI({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
  }

  async function onlySpan(): Promise<ReadableSpan> {
    await flush();
    const [span, ...more] = telemetry.spans();
    assert.ok(span !== undefined && more.length === 0);
    return span;
  }

  async function points(name: string): Promise<readonly DataPoint<unknown>[]> {
    await flush();
    const metric = (await telemetry.metrics()).find(({ descriptor }) => descriptor.name === name);
    return metric?.dataPoints ?? [];
  }

  const COUNTED = 'gen_ai.client.inference.usage.input_tokens';

  it('counted tokens are in the ledger and on the span, and 0 on metrics', async () => {
    const client = openai();
    server.play(chatPlain({ model: MODEL, usage: {}, streamUsage: {} }));
    await client.chat.completions.create(REQUEST);
    const [point] = await points(COUNTED);
    assert.equal(point?.value, 0);
    assert.equal(point?.attributes['gen_ai.token.modality'], 'unknown');
    const span = await onlySpan();
    assert.ok(Number(span.attributes['gen_ai.usage.input_tokens']) > 0);
    assert.notEqual(span.attributes['token_meter.token_source'], 'provider');
  });

  it('counted tokens are on metrics where counting was set by somebody', async () => {
    const client = openai({ counting: 'missing' });
    server.play(chatPlain({ model: MODEL, usage: {}, streamUsage: {} }));
    await client.chat.completions.create(REQUEST);
    const [point] = await points(COUNTED);
    assert.equal(point?.value, (await onlySpan()).attributes['gen_ai.usage.input_tokens']);
  });

  it('a switched-off token statistic leaves no token metric, not even 0', async () => {
    const client = openai({ tokenStatistics: false });
    server.play(chatPlain({ model: MODEL, usage: USAGE, streamUsage: {} }));
    await client.chat.completions.create(REQUEST);
    assert.deepEqual(await points(COUNTED), []);
    assert.equal((await points('gen_ai.client.inference.duration')).length, 1);
  });

  it('splits input and cache reads by modality, as far as the provider does', async () => {
    const client = openai();
    server.play(
      chatPlain({
        model: MODEL,
        streamUsage: {},
        usage: {
          ...USAGE,
          prompt_tokens_details: { cached_tokens: 4, audio_tokens: 6 },
          completion_tokens_details: { audio_tokens: 2 },
        },
      }),
    );
    await client.chat.completions.create(REQUEST);
    const byModality = async (name: string) =>
      Object.fromEntries(
        (await points(`gen_ai.client.inference.usage.${name}`)).map(({ value, attributes }) => [
          attributes['gen_ai.token.modality'],
          value,
        ]),
      );
    assert.deepEqual(await byModality('input_tokens'), { text: 12, audio: 6 });
    assert.deepEqual(await byModality('output_tokens'), { text: 7, audio: 2 });
    assert.deepEqual(await byModality('cache_read.input_tokens'), { unknown: 4 });
    const { attributes } = await onlySpan();
    assert.equal(attributes['gen_ai.usage.text.input_tokens'], 12);
    assert.equal(attributes['gen_ai.usage.text.output_tokens'], 7);
    assert.equal(attributes['gen_ai.usage.text.cache_read.input_tokens'], undefined);
  });

  it('has the tier, the fingerprint and the kind of API of OpenAI', async () => {
    const client = openai();
    const { body } = chatPlain({ model: MODEL, usage: USAGE, streamUsage: {} });
    const reply = JSON.parse(String(body)) as object;
    server.play({
      body: JSON.stringify({ ...reply, service_tier: 'flex', system_fingerprint: 'fp_44709d6fcb' }),
    });
    await client.chat.completions.create({ ...REQUEST, service_tier: 'flex' });
    const { attributes } = await onlySpan();
    assert.equal(attributes['openai.request.service_tier'], 'flex');
    assert.equal(attributes['openai.response.service_tier'], 'flex');
    assert.equal(attributes['openai.response.system_fingerprint'], 'fp_44709d6fcb');
    assert.equal(attributes['openai.api.type'], 'chat_completions');
    const [duration] = await points('gen_ai.client.inference.duration');
    assert.equal(duration?.attributes['openai.response.service_tier'], 'flex');
  });

  it('says what was measured, whatever attributes the caller gives', async () => {
    const client = openai();
    server.play(chatPlain({ model: MODEL, usage: USAGE, streamUsage: {} }));
    const attributes = {
      'gen_ai.usage.input_tokens': 999,
      'gen_ai.provider.name': 'other',
      'error.type': 'other',
      'gen_ai.input.messages': 'leak',
      feature: 'search',
    };
    await withUsageContext({ attributes }, () => client.chat.completions.create(REQUEST));
    const span = await onlySpan();
    assert.equal(span.attributes['gen_ai.usage.input_tokens'], 18);
    assert.equal(span.attributes['gen_ai.provider.name'], 'openai');
    assert.equal('error.type' in span.attributes, false);
    assert.equal('gen_ai.input.messages' in span.attributes, false);
    assert.equal(span.attributes['feature'], 'search');
  });

  it('has no duration of a call that was recorded by hand without one, and no empty count', async () => {
    openai();
    const record = await recordUsage({ model: 'gpt-4o', inputTokens: 3, responseText: '' });
    assert.equal(record?.outputTokens, undefined);
    assert.deepEqual(await points('gen_ai.client.inference.duration'), []);
  });

  it('says error in place of the reason of a choice that was cut', async () => {
    const client = openai();
    const chunk = (index: number, finish: string | null) =>
      `data: ${JSON.stringify({
        id: 'chatcmpl-1',
        object: 'chat.completion.chunk',
        model: 'gpt-4o-2024-08-06',
        choices: [{ index, delta: { content: 'Noon.' }, finish_reason: finish }],
      })}\n\n`;
    server.play({
      pieces: [chunk(1, null), chunk(0, 'stop')],
      cut: true,
    });
    const stream = await client.chat.completions.create({ ...REQUEST, n: 2, stream: true });
    await assert.rejects(async () => {
      for await (const _ of stream);
    });
    const { attributes, status } = await onlySpan();
    assert.deepEqual(attributes['gen_ai.response.finish_reasons'], ['stop', 'error']);
    assert.equal(attributes['token_meter.outcome'], 'aborted');
    assert.equal(status.code, 2, 'the caller got an error');
  });

  it('reads prompt, compaction and level of reasoning from the request', async () => {
    const client = openai();
    server.play(chatPlain({ model: MODEL, usage: USAGE, streamUsage: {} }));
    await client.responses
      .create({
        model: 'gpt-5',
        prompt: { id: 'pmpt_1', version: '3' },
        previous_response_id: 'resp_0',
        reasoning: { effort: 'low' },
        input: [{ type: 'compaction', encrypted_content: 'x' }] as never,
      })
      .catch(() => undefined);
    const { attributes } = await onlySpan();
    assert.equal(attributes['gen_ai.prompt.name'], 'pmpt_1');
    assert.equal(attributes['gen_ai.prompt.version'], '3');
    assert.equal(attributes['gen_ai.conversation.compacted'], true);
    assert.equal(attributes['gen_ai.request.reasoning.level'], 'low');
    assert.equal(attributes['gen_ai.request.previous_response.id'], 'resp_0');
    assert.equal(attributes['openai.api.type'], 'responses');
  });
});
