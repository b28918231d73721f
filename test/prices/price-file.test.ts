import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { billedAttributes, type BilledUsage } from '../../src/domain/billed-usage.ts';
import { TokenMeterError } from '../../src/errors.ts';
import { costInOrder } from '../../src/prices/cost-in-order.ts';
import { priceParts } from '../../src/prices/price-parts.ts';
import type { CallCost, PricedCall } from '../../src/prices/priced-call.ts';
import { Prices } from '../../src/prices/prices.ts';

const call = (usage: BilledUsage = {}, over: Partial<PricedCall> = {}): PricedCall => {
  const tokens = { inputTokens: 1000, outputTokens: 100, ...usage };
  return {
    provider: 'openai',
    requestModel: 'gpt-4o',
    time: '2026-11-01T00:00:00.000000000Z',
    ...tokens,
    ...over,
    attributes: { ...billedAttributes(tokens), ...over.attributes },
  };
};

describe('a price file', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'token-meter-price-file-'));
  });
  after(() => rmSync(folder, { recursive: true }));

  const load = async (content: unknown): Promise<Prices> => {
    const overridesFile = join(folder, 'prices.json');
    writeFileSync(overridesFile, JSON.stringify(content));
    const prices = new Prices({ overridesFile });
    await prices.load();
    return prices;
  };
  /** gpt-4o of the list: 1,000 × 2.5 + 100 × 10. */
  const LIST = 0.0035;

  it('prices every kind of usage, each once', async () => {
    const prices = await load({
      prices: [
        {
          model: 'gpt-4o',
          perMillionTokens: {
            input: 2,
            output: 8,
            cacheRead: 1,
            cacheWrite: 3,
            cacheWrite1h: 5,
            reasoning: 9,
            audioInput: 40,
            audioCacheRead: 20,
            audioOutput: 80,
            imageInput: 4,
          },
          perThousand: { webSearches: 10, generatedImages: 40 },
          perMinute: { audioInput: 0.006 },
          perMillionCharacters: { input: 15 },
        },
      ],
    });
    const cost = prices.price(
      call({
        inputTokens: 1000,
        cacheReadTokens: 300,
        cacheWriteTokens: 200,
        cacheWrite1hTokens: 50,
        audioInputTokens: 150,
        audioCacheReadTokens: 100,
        imageInputTokens: 60,
        outputTokens: 100,
        reasoningTokens: 20,
        audioOutputTokens: 30,
        webSearches: 2,
        generatedImages: 1,
        audioInputSeconds: 90,
        inputCharacters: 1000,
      }),
    );
    // 390 text, 60 images, 50 audio; 200 + 100 cached; 150 + 50 written; 50 + 20 + 30 of output.
    const tokens =
      390 * 2 +
      60 * 4 +
      50 * 40 +
      200 * 1 +
      100 * 20 +
      150 * 3 +
      50 * 5 +
      50 * 8 +
      20 * 9 +
      30 * 80;
    const others = 0.02 + 0.04 + 0.009 + 0.015;
    assert.deepEqual(cost, {
      costUsd: Math.round(tokens * 1000 + others * 1e9) / 1e9,
      costSource: 'contract',
    });
  });

  it('names what a contract has no price for, and never bills audio as text', async () => {
    const prices = await load({
      prices: [{ model: 'm', perMillionTokens: { input: 1, output: 2 } }],
    });
    const usage = {
      inputTokens: 1000,
      audioInputTokens: 400,
      imageInputTokens: 100,
      webSearches: 1,
    };
    assert.deepEqual(prices.price(call(usage, { requestModel: 'm' })), {
      costUsd: (600 * 1 + 100 * 2) / 1e6,
      costSource: 'contract',
      costMissing: ['audio_input_tokens', 'web_searches'],
    });
  });

  it('has no cost, and not one of 0, where no part of a call has a price', async () => {
    const entry = { model: 'gpt-4o', perMillionTokens: { input: 2, output: 8 } };
    const prices = await load({ prices: [entry] });
    const audio = { inputTokens: 50, audioInputTokens: 50, outputTokens: 0 };
    assert.equal(prices.price(call(audio)), undefined);
    assert.equal(prices.price(call({ inputTokens: 0, outputTokens: 0 }))?.costUsd, 0);
    assert.equal(prices.unknown.length, 1);
  });

  it('adds prices to the list where an entry has none of input and output', async () => {
    const prices = await load({
      prices: [
        {
          model: 'gpt-4o',
          perMillionTokens: { audioInput: 40 },
          perThousand: { codeExecutions: 30 },
        },
        { model: 'house-tts', perMillionCharacters: { input: 10 } },
      ],
    });
    assert.deepEqual(prices.price(call()), { costUsd: LIST, costSource: 'list' });
    assert.deepEqual(prices.price(call({ audioInputTokens: 200, codeExecutions: 1 })), {
      costUsd: 0.041,
      costSource: 'contract',
    });
    const spoken = { provider: 'x', requestModel: 'house-tts', time: '2026-11-01T00:00:00Z' };
    const attributes = { 'token_meter.usage.input_characters': 2000 };
    assert.deepEqual(prices.price({ ...spoken, attributes }), {
      costUsd: 0.02,
      costSource: 'contract',
    });
    // Of a model that the list does not know, the tokens are named.
    assert.deepEqual(prices.price({ ...spoken, attributes, inputTokens: 10, outputTokens: 5 }), {
      costUsd: 0.02,
      costSource: 'contract',
      costMissing: ['input_tokens', 'output_tokens'],
    });
  });

  it('halves tokens in a batch, but not what tools cost', async () => {
    const prices = await load({
      prices: [
        { model: 'm', perMillionTokens: { input: 1, output: 2 }, perThousand: { webSearches: 10 } },
      ],
    });
    const batch = call({ webSearches: 1 }, { requestModel: 'm', serviceTier: 'batch' });
    assert.equal(prices.costOf(batch), (1000 * 1 + 100 * 2) / 2e6 + 0.01);
  });

  it('is for a team, or any other attribute', async () => {
    const prices = await load({
      prices: [
        {
          model: 'gpt-4o',
          attributes: { team: 'search', canary: true },
          perMillionTokens: { input: 1, output: 1 },
        },
      ],
    });
    const of = (attributes: NonNullable<PricedCall['attributes']>): number | undefined =>
      prices.costOf(call({}, { attributes }));
    assert.equal(of({ team: 'search', canary: true }), 0.0011);
    assert.equal(of({ team: 'search' }), LIST);
    assert.equal(of({ team: 'chat', canary: true }), LIST);
  });

  it('takes discounts off the list and puts margins on everything that is computed', async () => {
    const prices = await load({
      prices: [{ model: 'own', perMillionTokens: { input: 1, output: 1 } }],
      discounts: [
        { provider: 'openai', model: 'gpt-4o*', percent: 12, until: '2027-01-01' },
        { provider: 'openai', percent: 50 },
      ],
      margins: [{ attributes: { team: 'search' }, percent: 5 }],
    });
    const costs = (over: Partial<PricedCall>): CallCost | undefined => prices.price(call({}, over));
    const contract = (costUsd: number): CallCost => ({ costUsd, costSource: 'contract' });
    assert.deepEqual(costs({}), contract(0.00308));
    assert.deepEqual(costs({ time: '2027-01-01T00:00:00Z' }), contract(0.00175));
    assert.deepEqual(costs({ attributes: { team: 'search' } }), contract(0.003234));
    // A contract is what is paid: no discount, but the margin.
    assert.deepEqual(costs({ requestModel: 'own' }), contract(0.0011));
    assert.deepEqual(
      costs({ requestModel: 'own', attributes: { team: 'search' } }),
      contract(0.001155),
    );
    const anthropic = { provider: 'anthropic', requestModel: 'claude-sonnet-4-5' };
    assert.equal(costs(anthropic)?.costSource, 'list');
    const guessed = prices.price({ ...call(), tokenSource: 'estimated' });
    assert.equal(guessed?.costSource, 'estimated');
  });

  it('has free tiers, which are used up in the order of the calls', async () => {
    const prices = await load({
      freeTiers: [
        { provider: 'openai', model: 'gpt-4o', per: 'month', tokens: 2500 },
        { model: 'gemini*', per: 'day', calls: 1 },
      ],
    });
    assert.equal(prices.costOf(call()), LIST, 'a call alone has the full cost');
    const cost = costInOrder(prices, new Date('2026-11-01T00:00:00Z'));
    const at = (time: string, over: Partial<PricedCall> = {}): number | undefined =>
      cost(call({}, { time, ...over }))?.costUsd;
    assert.equal(at('2026-11-01T00:00:00Z'), 0);
    assert.equal(at('2026-11-02T00:00:00Z'), 0);
    // 300 of 1,100 tokens are free.
    assert.equal(at('2026-11-03T00:00:00Z'), Math.round((LIST * 1e9 * 800) / 1100) / 1e9);
    assert.equal(at('2026-11-30T00:00:00Z'), LIST);
    assert.equal(at('2026-12-01T00:00:00Z'), 0, 'a new month');
    assert.notEqual(at('2026-12-01T00:00:00Z', { requestModel: 'gpt-4.1' }), 0);
    const gemini = { provider: 'gcp.gemini', requestModel: 'gemini-2.5-pro' };
    assert.equal(at('2026-12-01T00:00:00Z', gemini), 0);
    assert.notEqual(at('2026-12-01T23:00:00Z', gemini), 0);
    assert.equal(at('2026-12-02T00:00:00Z', gemini), 0);
  });

  it('refuses to apply a free tier from within its period', async () => {
    const prices = await load({ freeTiers: [{ per: 'month', calls: 10 }] });
    assert.throws(
      () => costInOrder(prices, new Date('2026-11-02T00:00:00Z')),
      (error: unknown) => error instanceof TokenMeterError && error.code === 'INVALID_OPTION',
    );
    costInOrder(prices, undefined);
    const daily = await load({ freeTiers: [{ per: 'day', calls: 10 }] });
    costInOrder(daily, new Date('2026-11-02T00:00:00Z'));
    assert.throws(() => costInOrder(daily, new Date('2026-11-02T00:00:01Z')));
  });

  it('has a rate with a date for each currency', async () => {
    const prices = await load({
      date: '2026-10-01',
      usdPer: { EUR: { rate: 1.08, date: '2026-11-01' }, CNY: 0.14 },
      prices: [{ model: 'gpt-4o', currency: 'EUR', perMillionTokens: { input: 1, output: 1 } }],
    });
    assert.equal(prices.costOf(call()), 0.001188);
    assert.deepEqual(prices.rateOf('EUR'), { code: 'EUR', usdPerUnit: 1.08, date: '2026-11-01' });
    assert.deepEqual(prices.rateOf('CNY'), { code: 'CNY', usdPerUnit: 0.14, date: '2026-10-01' });
    assert.deepEqual(prices.rateOf('USD'), { code: 'USD', usdPerUnit: 1 });
    assert.throws(() => prices.rateOf('CHF'), /currency CHF has no rate in usdPer/);
  });

  it('names the providers that records have where an entry has the name of the price list', async () => {
    const perMillionTokens = { input: 1, output: 2 };
    const recorded = async (provider: string): Promise<string | undefined> => {
      const { file } = await load({ prices: [{ model: 'm', provider, perMillionTokens }] });
      return /that records have as (.*)$/.exec(file.warnings[0] ?? '')?.[1];
    };
    assert.equal(await recorded('bedrock'), 'aws.bedrock');
    assert.equal(await recorded('google'), 'gcp.gemini or gcp.gen_ai or gcp.vertex_ai');
    for (const name of ['xai', 'x-ai']) assert.equal(await recorded(name), 'x_ai');
    for (const name of ['openai', 'x_ai', 'gcp.gemini'])
      assert.equal(await recorded(name), undefined);
  });

  it('names entries that can never apply', async () => {
    const perMillionTokens = { input: 1, output: 2 };
    const audio = { perMillionTokens: { audioInput: 9 } };
    const prices = await load({
      prices: [
        { model: 'gpt-4o*', perMillionTokens },
        { model: 'gpt-4o-mini', provider: 'openai', perMillionTokens },
        { model: 'gpt-4o-mini', ...audio },
        { model: 'gpt-5', perThousand: { webSearches: 5 } },
        { model: 'gpt-5', from: '2026-12-01', perThousand: { webSearches: 5 } },
        { model: 'gpt-5', perThousand: { webSearches: 4, fileSearches: 2 } },
        { model: 'claude-*', attributes: { team: 'a' }, perMillionTokens },
        { model: 'claude-opus', attributes: { team: 'a', tier: 1 }, perMillionTokens },
        { model: 'claude-opus', perMillionTokens },
        { model: 'o3', perMillionTokens: { cacheWrite1h: 1 } },
        { model: 'o3', perMillionTokens: { input: 1, output: 1, cacheWrite1h: 2 } },
        { model: 'm', provider: 'azure', perMillionTokens },
      ],
      discounts: [
        { model: 'gpt-4o', percent: 5 },
        { percent: 1 },
        { provider: 'openai', percent: 10 },
      ],
      margins: [{ until: '2027-01-01', percent: 1 }, { percent: 2 }],
    });
    const named = prices.file.warnings.map((warning) => /^\S+/.exec(warning)?.[0]);
    assert.deepEqual(named, [
      'prices[1]',
      'prices[4]',
      'prices[7]',
      'prices[9]',
      'discounts[0]',
      'discounts[2]',
      'prices[11].provider',
    ]);
    assert.equal(
      prices.file.warnings[0],
      'prices[1] never applies: prices[0] prices all its kinds for all its calls and comes first',
    );
    assert.match(
      prices.file.warnings.at(-1) ?? '',
      /is azure, .* as azure\.ai\.openai or azure\.ai\.inference$/,
    );
  });

  it('is split into parts that make the cost', async () => {
    const prices = await load({
      prices: [{ model: 'own', perMillionTokens: { input: 3, output: 7, audioInput: 40 } }],
      discounts: [{ provider: 'anthropic', percent: 10 }],
      margins: [{ percent: 3 }],
    });
    const claude = {
      provider: 'anthropic',
      requestModel: 'claude-sonnet-4-5',
      serviceTier: 'batch',
    };
    for (const one of [
      call(),
      call({ audioInputTokens: 200, cacheReadTokens: 100 }, { requestModel: 'own' }),
      call(
        { inputTokens: 250_000, cacheWriteTokens: 900, cacheWrite1hTokens: 300, webSearches: 3 },
        claude,
      ),
      call({}, { provider: 'perplexity', requestModel: 'sonar' }),
    ]) {
      const parts = priceParts(prices, one) ?? [];
      const sum = parts.reduce((total, part) => total + part.count * part.usdPerMillion * 1000, 0);
      const cost = (prices.costOf(one) ?? 0) * 1e9;
      assert.ok(Math.abs(sum - cost) <= 3, `${one.requestModel}: ${sum} for ${cost}`);
    }
    assert.equal(priceParts(prices, call({}, { requestModel: 'nobody' })), undefined);
  });

  for (const [what, content, message] of [
    [
      'a member of no meaning',
      { price: [] },
      /prices: price must be one of .*prices,discounts,margins,freeTiers/,
    ],
    [
      'an entry without prices',
      { prices: [{ model: 'm' }] },
      /prices\[0\]\.perMillionTokens must be/,
    ],
    [
      'input without output',
      { prices: [{ model: 'm', perMillionTokens: { input: 1 } }] },
      /prices\[0\]\.perMillionTokens\.output/,
    ],
    [
      'cached input alone',
      { prices: [{ model: 'm', perMillionTokens: { cacheRead: 1 } }] },
      /perMillionTokens\.input/,
    ],
    [
      'a kind in a wrong unit',
      { prices: [{ model: 'm', perThousand: { input: 1 } }] },
      /perThousand\.input must be one of webSearches/,
    ],
    [
      'a typing error in an entry',
      { prices: [{ model: 'm', perMilionTokens: {}, perMinute: { audioInput: 1 } }] },
      /prices\[0\]\.perMilionTokens must be one of provider/,
    ],
    [
      'attributes that are no values',
      { discounts: [{ percent: 1, attributes: { team: ['a'] } }] },
      /discounts\[0\]\.attributes\.team/,
    ],
    [
      'a discount of more than everything',
      { discounts: [{ percent: 101 }] },
      /discounts\[0\]\.percent must be a number from 0 to 100/,
    ],
    ['a margin that is a text', { margins: [{ percent: '5' }] }, /margins\[0\]\.percent/],
    [
      'a free tier without an amount',
      { freeTiers: [{ per: 'month' }] },
      /freeTiers\[0\] must be an object with one of calls,tokens/,
    ],
    [
      'a free tier with two amounts',
      { freeTiers: [{ per: 'month', calls: 1, tokens: 1 }] },
      /freeTiers\[0\]/,
    ],
    [
      'a free tier of a year',
      { freeTiers: [{ per: 'year', calls: 1 }] },
      /freeTiers\[0\]\.per must be day or month/,
    ],
    ['a rate of nothing', { usdPer: { EUR: 0 } }, /usdPer\.EUR must be US dollars per unit/],
    [
      'a rate with a date that is none',
      { usdPer: { EUR: { rate: 1, date: 'x' } } },
      /usdPer\.EUR\.date/,
    ],
    ['a currency that is none', { usdPer: { euro: 1 } }, /usdPer\.euro must be a currency code/],
    ['a rate of the dollar', { usdPer: { USD: 1 } }, /usdPer\.USD/],
    [
      'an entry with an object of no prices',
      { prices: [{ model: 'm', perMillionTokens: {} }] },
      /prices\[0\]\.perMillionTokens must be an object with input/,
    ],
    [
      'a start that no month has',
      { discounts: [{ percent: 1, from: '2026-02-30' }] },
      /discounts\[0\]\.from must be a date/,
    ],
    [
      'a time without an offset',
      { margins: [{ percent: 1, until: '2026-01-31T08:00' }] },
      /margins\[0\]\.until must be a date such as .* or a time/,
    ],
    [
      'an end before the start',
      { discounts: [{ percent: 1, from: '2026-12-01', until: '2026-12-01' }] },
      /discounts\[0\]\.until must be later than from, which is 2026-12-01/,
    ],
    ['no provider name', { margins: [{ percent: 1, provider: '' }] }, /margins\[0\]\.provider/],
    ['a list that is none', { discounts: {} }, /discounts must be a list/],
  ] as const) {
    it(`with ${what} is reported with its entry, and list prices apply`, async () => {
      const overridesFile = join(folder, 'bad.json');
      writeFileSync(overridesFile, JSON.stringify(content));
      const prices = new Prices({ overridesFile });
      await assert.rejects(prices.load(), (error: unknown) => {
        assert.ok(error instanceof TokenMeterError);
        assert.equal(error.code, 'INVALID_CONFIG');
        assert.match(error.message, message);
        return true;
      });
      assert.equal(prices.costOf(call()), LIST);
    });
  }
});
