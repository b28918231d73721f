import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { analyseCosts } from '../../src/prices/cost-analysis.ts';
import { usageRecord } from '../support/usage-logs.ts';

const NOON = Date.parse('2026-11-20T12:00:00Z');

const call = (over: Partial<UsageRecord> = {}, at = NOON): UsageRecord =>
  usageRecord(at, {
    provider: 'openai',
    requestModel: 'gpt-4o',
    inputTokens: 1000,
    outputTokens: 100,
    totalTokens: 1100,
    tokenSource: 'provider',
    costUsd: 0.0035,
    costSource: 'list',
    ...over,
  });
const claude = { provider: 'anthropic', requestModel: 'claude-opus-4-6' } as const;

describe('analysis of costs', () => {
  describe('what caching saved', () => {
    it('is the input price less the cache price, and the premium of writing is taken off', async () => {
      const { caching } = await analyseCosts([
        // 10,000 tokens at 0.5 in place of 5
        call({ ...claude, userId: 'alice', inputTokens: 11_000, cacheReadTokens: 10_000 }),
        // 4,000 at 6.25 in place of 5, of these 1,000 at 10
        call({
          ...claude,
          userId: 'bob',
          inputTokens: 5000,
          cacheWriteTokens: 4000,
          attributes: { 'token_meter.usage.cache_write_1h_tokens': 1000 },
        }),
        call({ userId: 'alice', cacheReadTokens: 400 }),
        call({ userId: 'carol' }),
      ]);
      const claudeSaved = 0.045;
      const premium = (3000 * 1.25 + 1000 * 5) / 1e6;
      const gptSaved = (400 * 1.25) / 1e6;
      assert.deepEqual(caching, {
        calls: 3,
        unknownCalls: 0,
        readSavedUsd: claudeSaved + gptSaved,
        writePremiumUsd: premium,
        savedUsd: 0.03675,
        byModel: [
          {
            model: 'claude-opus-4-6',
            calls: 2,
            unknownCalls: 0,
            readSavedUsd: claudeSaved,
            writePremiumUsd: premium,
            savedUsd: 0.03625,
          },
          {
            model: 'gpt-4o',
            calls: 1,
            unknownCalls: 0,
            readSavedUsd: gptSaved,
            writePremiumUsd: 0,
            savedUsd: gptSaved,
          },
        ],
        byUser: [
          {
            user: 'alice',
            calls: 2,
            unknownCalls: 0,
            readSavedUsd: claudeSaved + gptSaved,
            writePremiumUsd: 0,
            savedUsd: claudeSaved + gptSaved,
          },
          {
            user: 'bob',
            calls: 1,
            unknownCalls: 0,
            readSavedUsd: 0,
            writePremiumUsd: premium,
            savedUsd: -premium,
          },
        ],
      });
    });

    it('claims nothing for a call with a part whose price is not known', async () => {
      const bedrock = {
        provider: 'aws.bedrock',
        requestModel: 'global.anthropic.claude-sonnet-4-5-20250929-v1:0',
        inputTokens: 5000,
        cacheWriteTokens: 4000,
        attributes: { 'token_meter.usage.cache_write_1h_tokens': 4000 },
      };
      const unknown = { provider: 'acme', requestModel: 'house', cacheReadTokens: 500 };
      const { caching } = await analyseCosts([call(bedrock), call(unknown)]);
      assert.deepEqual([caching.calls, caching.unknownCalls, caching.savedUsd], [2, 2, 0]);
    });

    it('is half of it in a batch', async () => {
      const { caching } = await analyseCosts([
        call({ cacheReadTokens: 1000, serviceTier: 'batch' }),
      ]);
      assert.equal(caching.savedUsd, (1000 * 1.25) / 2 / 1e6);
    });
  });

  it('sums up what calls without a whole reply cost, and which were tried again', async () => {
    const alice = { userId: 'alice', conversationId: 'c-1' };
    const analysis = await analyseCosts([
      // Newest first.
      call({ ...alice, durationMs: 1000 }, NOON + 21_000),
      call(
        { ...alice, outcome: 'aborted', tokenSource: 'estimated', costUsd: 0.002 },
        NOON + 10_000,
      ),
      call({ ...alice, outcome: 'error', costUsd: 0.001, costMissing: ['web_searches'] }, NOON),
      // Too long before the call that succeeded.
      call({ ...alice, outcome: 'aborted', costUsd: 0.0005 }, NOON - 600_000),
      // Of another conversation, and of nobody.
      call({ userId: 'alice', conversationId: 'c-2', outcome: 'error', costUsd: 0.1 }, NOON),
      usageRecord(NOON, { outcome: 'ok' }),
      usageRecord(NOON - 1000, { outcome: 'error' }),
    ]);
    assert.deepEqual(analysis.failed, {
      calls: 3,
      costUsd: 0.101,
      partialCostCalls: 1,
      unpricedCalls: 0,
      estimatedCalls: 0,
      retried: {
        calls: 1,
        costUsd: 0.001,
        partialCostCalls: 1,
        unpricedCalls: 0,
        estimatedCalls: 0,
      },
    });
    assert.deepEqual(analysis.aborted, {
      calls: 2,
      costUsd: 0.0025,
      partialCostCalls: 0,
      unpricedCalls: 0,
      estimatedCalls: 1,
      retried: {
        calls: 1,
        costUsd: 0.002,
        partialCostCalls: 0,
        unpricedCalls: 0,
        estimatedCalls: 1,
      },
    });
  });

  describe('what another model would have cost', () => {
    it('is the same tokens at its prices, kind by kind', async () => {
      const { whatIf } = await analyseCosts(
        [
          call({ inputTokens: 10_000, cacheReadTokens: 4000, costUsd: 99, costSource: 'provider' }),
          call({
            requestModel: 'our-deployment',
            responseModel: 'gpt-4o',
            attributes: { 'token_meter.usage.web_searches': 2 },
          }),
          call({ requestModel: 'gpt-4o-mini' }),
        ],
        { whatIf: [{ from: 'gpt-4o', to: 'gpt-4.1-mini' }] },
      );
      const now = {
        input: (7000 * 2.5) / 1e6,
        cacheReads: (4000 * 1.25) / 1e6,
        cacheWrites: 0,
        output: (200 * 10) / 1e6,
        modalitiesAndTools: 0.02,
      };
      const then = {
        input: (7000 * 0.4) / 1e6,
        cacheReads: (4000 * 0.1) / 1e6,
        cacheWrites: 0,
        output: (200 * 1.6) / 1e6,
        modalitiesAndTools: 0.02,
      };
      assert.deepEqual(whatIf, [
        {
          from: 'gpt-4o',
          to: 'gpt-4.1-mini',
          calls: 2,
          comparedCalls: 2,
          unpricedCalls: 0,
          unpricedThen: 0,
          costUsd: 0.0445,
          costThenUsd: 0.02352,
          savedUsd: 0.02098,
          byKind: now,
          byKindThen: then,
          missing: {},
          missingThen: {},
          otherTokenizer: false,
        },
      ]);
    });

    it('makes up the whole to the nano-dollar, also at prices that depend on the size', async () => {
      const records = [199_999, 200_001, 350_000].map((inputTokens) =>
        call({
          provider: 'anthropic',
          requestModel: 'claude-sonnet-4-5',
          inputTokens,
          cacheReadTokens: 77_777,
          cacheWriteTokens: 33_333,
          reasoningTokens: 13,
          attributes: { 'token_meter.usage.cache_write_1h_tokens': 111 },
        }),
      );
      const { whatIf } = await analyseCosts(records, {
        whatIf: [{ from: 'claude-sonnet-4-5', to: 'claude-haiku-4-5' }],
      });
      const [answer] = whatIf;
      for (const [total, kinds] of [
        [answer?.costUsd, answer?.byKind],
        [answer?.costThenUsd, answer?.byKindThen],
      ] as const) {
        const nanos = Object.values(kinds ?? {}).map((usd) => Math.round(usd * 1e9));
        assert.equal(
          nanos.reduce((sum, part) => sum + part, 0),
          Math.round((total ?? 0) * 1e9),
        );
        assert.ok(nanos.every((part) => part >= 0));
      }
    });

    it('names what cannot be priced, and compares no call without both prices', async () => {
      const searched = call({ attributes: { 'token_meter.usage.web_searches': 1 } });
      const { whatIf } = await analyseCosts([searched, call({ ...claude }), call()], {
        whatIf: [
          { from: 'gpt-4o', to: 'gemini-2.5-flash' },
          { from: 'gpt-4o', to: 'no-such-model' },
          { from: 'never-called', to: 'gpt-4o' },
          { from: 'claude-opus-4-6', to: 'claude-haiku-4-5' },
        ],
      });
      const [gemini, unknown, unused, haiku] = whatIf;
      assert.partialDeepStrictEqual(gemini, {
        calls: 2,
        comparedCalls: 2,
        missing: {},
        missingThen: { web_searches: 1 },
        otherTokenizer: true,
      });
      // Of another vendor than the calls.
      assert.equal(gemini?.byKindThen?.output, (200 * 2.5) / 1e6);
      assert.deepEqual(unknown, {
        from: 'gpt-4o',
        to: 'no-such-model',
        calls: 2,
        comparedCalls: 0,
        unpricedCalls: 0,
        unpricedThen: 2,
        missing: {},
        missingThen: {},
        otherTokenizer: true,
      });
      assert.deepEqual([unused?.calls, unused?.costUsd], [0, undefined]);
      // No tokenizer of Claude is published.
      assert.deepEqual([haiku?.comparedCalls, haiku?.otherTokenizer], [1, true]);
    });

    it('takes contract prices where there are some', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'token-meter-analysis-'));
      const pricesFile = join(folder, 'prices.json');
      const prices = [{ model: 'house-1', perMillionTokens: { input: 1, output: 2 } }];
      writeFileSync(pricesFile, JSON.stringify({ date: '2026-11-01', prices }));
      try {
        const { whatIf, prices: source } = await analyseCosts([call()], {
          pricesFile,
          whatIf: [{ from: 'gpt-4o', to: 'house-1' }],
        });
        assert.equal(whatIf[0]?.costThenUsd, 0.0012);
        assert.equal(source?.overrides, '2026-11-01');
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  });

  it('compares no failed call with another model, and takes none for unpriced', async () => {
    const failed = usageRecord(NOON, { outcome: 'error', requestModel: 'gpt-4o' });
    const { whatIf } = await analyseCosts([call(), failed], {
      whatIf: [{ from: 'gpt-4o', to: 'gpt-4.1-mini' }],
    });
    assert.partialDeepStrictEqual(whatIf[0], {
      calls: 1,
      comparedCalls: 1,
      unpricedCalls: 0,
      unpricedThen: 0,
    });
  });

  it('takes seconds and images without a price for unpriced', async () => {
    const attributes = { 'token_meter.usage.generated_images': 1 };
    const image = usageRecord(NOON, { requestModel: 'dall-e-3', attributes });
    const { total } = await analyseCosts([image]);
    assert.equal(total.unpricedCalls, 1);
  });

  it('counts calls without tokens, and takes none of them for unpriced', async () => {
    async function* records(): AsyncGenerator<UsageRecord> {
      yield usageRecord(NOON, { outcome: 'ok' });
      yield call({ provider: 'acme', requestModel: 'house', costUsd: 0 });
      await Promise.resolve();
    }
    const { total } = await analyseCosts(records());
    assert.deepEqual(total, {
      calls: 2,
      costUsd: 0,
      partialCostCalls: 0,
      unpricedCalls: 0,
      estimatedCalls: 0,
    });
  });
});
