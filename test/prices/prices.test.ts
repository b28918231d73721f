import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Prices } from '../../src/prices/prices.ts';
import type { PricedCall } from '../../src/prices/priced-call.ts';

const call = (over: Partial<PricedCall> = {}): PricedCall => ({
  provider: 'openai',
  requestModel: 'gpt-4o',
  inputTokens: 1000,
  outputTokens: 100,
  time: '2026-11-01T00:00:00.000000000Z',
  ...over,
});

describe('cost of a call', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-prices-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const withFile = async (content: unknown): Promise<Prices> => {
    const overridesFile = join(folder, 'prices.json');
    writeFileSync(overridesFile, JSON.stringify(content));
    const prices = new Prices({ overridesFile });
    await prices.load();
    return prices;
  };

  it('knows nothing before it is loaded, and loads once', async () => {
    const prices = new Prices();
    assert.equal(prices.costOf(call()), undefined);
    await Promise.all([prices.load(), prices.load()]);
    assert.equal(prices.costOf(call()), 0.0035);
  });

  it('prices cached, cache-write and reasoning tokens apart', async () => {
    const prices = new Prices();
    await prices.load();
    assert.equal(prices.costOf(call({ cacheReadTokens: 400 })), 0.003);
    const claude = { provider: 'anthropic', requestModel: 'claude-3-5-sonnet-20241022' };
    assert.equal(
      prices.costOf(call({ ...claude, cacheReadTokens: 200, cacheWriteTokens: 300 })),
      0.004185,
    );
  });

  it("prices a call without a provider as the model's maker does", async () => {
    const prices = new Prices();
    await prices.load();
    const asked = (provider: string, requestModel: string): number | undefined =>
      prices.costOf(call({ provider, requestModel }));
    for (const [maker, model] of [
      ['openai', 'gpt-4o'],
      ['anthropic', 'claude-3-5-sonnet-20241022'],
    ] as const) {
      assert.equal(asked('unknown', model), asked(maker, model));
      assert.notEqual(asked('unknown', model), undefined);
    }
    assert.equal(asked('unknown', 'tide-1'), undefined);
    assert.equal(asked('my-gateway', 'gpt-4o'), undefined);
  });

  it('leaves an unknown price absent and lists it once', async () => {
    const seen: string[] = [];
    const prices = new Prices({
      onUnknown: (provider, model) => seen.push(`${provider}/${model}`),
    });
    await prices.load();
    for (let i = 0; i < 3; i++) {
      assert.equal(prices.costOf(call({ requestModel: 'our-own-llama' })), undefined);
    }
    assert.deepEqual(seen, ['openai/our-own-llama']);
    assert.deepEqual(prices.unknown, [{ provider: 'openai', model: 'our-own-llama' }]);
  });

  it('has no cost for unknown or contradicting counts', async () => {
    const prices = new Prices();
    await prices.load();
    const { inputTokens: _, ...unknownInput } = call();
    const { outputTokens: __, ...unknownOutput } = call();
    assert.equal(prices.costOf(unknownInput), undefined);
    assert.equal(prices.costOf(unknownOutput), undefined);
    assert.equal(prices.costOf(call({ cacheReadTokens: 2000 })), undefined);
    assert.deepEqual(prices.unknown, []);
    const embedding = { ...unknownOutput, requestModel: 'text-embedding-3-small' };
    assert.equal(prices.costOf({ ...embedding, operation: 'embeddings' }), 0.00002);
  });

  it('knows the providers by their OpenTelemetry names', async () => {
    const prices = new Prices();
    await prices.load();
    for (const [provider, requestModel] of [
      ['azure.ai.openai', 'gpt-4o'],
      ['aws.bedrock', 'anthropic.claude-3-5-sonnet-20241022-v2:0'],
      ['gcp.gemini', 'gemini-2.5-pro'],
      ['gcp.vertex_ai', 'gemini-2.5-pro'],
      ['mistral_ai', 'mistral-large-latest'],
      ['x_ai', 'grok-4'],
      ['deepseek', 'deepseek-chat'],
      ['groq', 'llama-3.3-70b-versatile'],
      ['cohere', 'command-r-plus'],
    ] as const) {
      assert.ok(prices.costOf(call({ provider, requestModel })), `${provider} ${requestModel}`);
    }
  });

  it('prefers the model that answered over the alias that was asked', async () => {
    const prices = new Prices();
    await prices.load();
    const aliased = call({ requestModel: 'my-deployment', responseModel: 'gpt-4o-2024-08-06' });
    assert.equal(prices.costOf(aliased), 0.0035);
  });

  it('says which prices these are', async () => {
    const prices = new Prices();
    await prices.load();
    assert.match(prices.source?.name ?? '', /^genai-prices \d+\.\d+\.\d+$/);
    assert.match(prices.source?.date ?? '', /^20\d\d-\d\d-\d\d$/);
  });

  it('takes own contracts first, in other currencies, by model prefix and date', async () => {
    const prices = await withFile({
      date: '2026-10-01',
      usdPer: { EUR: 1.1 },
      prices: [
        {
          provider: 'openai',
          model: 'gpt-4o*',
          from: '2026-10-01',
          until: '2026-12-01',
          currency: 'EUR',
          perMillionTokens: { input: 1, output: 2, cacheRead: 0.1, reasoning: 3 },
        },
        { model: 'our-own-llama', perMillionTokens: { input: 0, output: 0 } },
      ],
    });
    assert.equal(prices.source?.overrides, '2026-10-01');
    const contract = call({ cacheReadTokens: 500, reasoningTokens: 40 });
    assert.equal(prices.costOf(contract), 0.000869);
    assert.equal(prices.costOf({ ...contract, time: '2026-12-01T00:00:00Z' }), 0.002875);
    assert.equal(prices.costOf(call({ requestModel: 'our-own-llama' })), 0);
  });

  it('keeps whole nano-dollars exact where floats drift', async () => {
    const prices = await withFile({
      prices: [{ model: 'm', perMillionTokens: { input: 0.1, output: 0.7 } }],
    });
    const big = call({ requestModel: 'm', inputTokens: 123_456_789, outputTokens: 987_654_321 });
    assert.equal(prices.costOf(big), (123_456_789 * 100 + 987_654_321 * 700) / 1e9);
  });

  it('names what is wrong in a price file, and works with the bundled prices on', async () => {
    for (const [content, message] of [
      [[], /prices: the file must be an object/],
      [{ prices: [{ model: '' }] }, /prices\[0\]\.model/],
      [{ prices: [{ model: 'm', perMillionTokens: { input: -1 } }] }, /perMillionTokens\.input/],
      [
        { prices: [{ model: 'm', perMillionTokens: { input: 1, output: 1, cached: 1 } }] },
        /perMillionTokens\.cached/,
      ],
      [
        { prices: [{ model: 'm', currency: 'CNY', perMillionTokens: { input: 1, output: 1 } }] },
        /currency .*usdPer/,
      ],
      [{ prices: [{ model: 'm', from: 'soon' }] }, /from must be a date/],
    ] as const) {
      const overridesFile = join(folder, 'bad.json');
      writeFileSync(overridesFile, JSON.stringify(content));
      const prices = new Prices({ overridesFile });
      await assert.rejects(prices.load(), message);
      assert.equal(prices.costOf(call()), 0.0035);
    }
    await assert.rejects(new Prices({ overridesFile: join(folder, 'none') }).load(), /cannot read/);
  });

  it('takes the price of the whole prompt, also where a part of it has no price', async () => {
    const prices = new Prices();
    await prices.load();
    const long = call({
      provider: 'anthropic',
      requestModel: 'claude-sonnet-4-5',
      inputTokens: 200_400,
      outputTokens: 100,
      attributes: { 'gen_ai.usage.audio.input_tokens': 900 },
    });
    // Above 200,000 tokens: $6 and $22.50 a million.
    assert.deepEqual(prices.price(long), {
      costUsd: (199_500 * 6000 + 100 * 22_500) / 1e9,
      costSource: 'list',
      costMissing: ['audio_input_tokens'],
    });
  });
});
