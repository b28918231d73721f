import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { BILLED_KINDS, billedAttributes, type BilledUsage } from '../../src/domain/billed-usage.ts';
import { priceParts } from '../../src/prices/price-parts.ts';
import { Prices } from '../../src/prices/prices.ts';

const MODELS = [
  ['openai', 'gpt-4o'],
  ['openai', 'own'],
  ['openai', 'gpt-5'],
  ['openai', 'gpt-image-1'],
  ['openai', 'gpt-4o-audio-preview'],
  ['anthropic', 'claude-sonnet-4-5'],
  ['gcp.gemini', 'gemini-2.5-pro'],
  ['perplexity', 'sonar'],
  ['cohere', 'rerank-v3.5'],
] as const;

/** Counts of which none is part of another one that it does not belong to. */
const usages = fc
  .record({
    text: fc.nat(300_000),
    cached: fc.nat(5000),
    written: fc.nat(5000),
    written1h: fc.nat(500),
    audio: fc.nat(900),
    audioCached: fc.nat(400),
    image: fc.nat(900),
    output: fc.nat(3000),
    reasoning: fc.nat(900),
    audioOutput: fc.nat(900),
    imageOutput: fc.nat(900),
    others: fc.array(fc.nat(4), { minLength: BILLED_KINDS.length, maxLength: BILLED_KINDS.length }),
  })
  .map((of): BilledUsage => {
    const others = BILLED_KINDS.map(({ field, within }, index) =>
      within === undefined ? { [field]: of.others[index] ?? 0 } : {},
    );
    return Object.assign(
      {
        inputTokens:
          of.text + of.cached + of.audioCached + of.written + of.written1h + of.audio + of.image,
        cacheReadTokens: of.cached + of.audioCached,
        cacheWriteTokens: of.written + of.written1h,
        cacheWrite1hTokens: of.written1h,
        audioInputTokens: of.audio + of.audioCached,
        audioCacheReadTokens: of.audioCached,
        imageInputTokens: of.image,
        outputTokens: of.output + of.reasoning + of.audioOutput + of.imageOutput,
        reasoningTokens: of.reasoning,
        audioOutputTokens: of.audioOutput,
        imageOutputTokens: of.imageOutput,
      },
      ...others,
    ) as BilledUsage;
  });

describe('the parts of a price', () => {
  it('make the cost of any call, by list or contract, in any tier', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'token-meter-parts-'));
    const overridesFile = join(folder, 'prices.json');
    const own = { input: 1.37, output: 7.77, cacheRead: 0.123, audioInput: 40, imageOutput: 30 };
    writeFileSync(
      overridesFile,
      JSON.stringify({
        prices: [{ model: 'own', perMillionTokens: own, perThousand: { webSearches: 9.99 } }],
        discounts: [{ provider: 'anthropic', percent: 7.5 }],
        margins: [{ percent: 3.3 }],
      }),
    );
    const prices = new Prices({ overridesFile });
    await prices.load();
    rmSync(folder, { recursive: true });
    fc.assert(
      fc.property(
        fc.constantFrom(...MODELS),
        usages,
        fc.boolean(),
        ([provider, model], usage, batch) => {
          const call = {
            provider,
            requestModel: model,
            operation: model === 'gpt-image-1' ? 'image_generation' : 'chat',
            time: '2026-11-15T12:00:00Z',
            ...usage,
            attributes: billedAttributes(usage),
            ...(batch && { serviceTier: 'batch' }),
          };
          const cost = prices.costOf(call);
          if (cost === undefined) return;
          const parts = priceParts(prices, call) ?? [];
          const sum = parts.reduce(
            (total, part) => total + part.count * part.usdPerMillion * 1000,
            0,
          );
          assert.ok(Math.abs(sum - cost * 1e9) <= parts.length + 2, `${sum} for ${cost * 1e9}`);
        },
      ),
      { numRuns: 1000 },
    );
  });
});
