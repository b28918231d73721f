import assert from 'node:assert/strict';
import { billedAttributes, type BilledUsage } from '../../src/domain/billed-usage.ts';

import type { CallCost, PricedCall } from '../../src/prices/priced-call.ts';
import { Prices } from '../../src/prices/prices.ts';

/**
 * Replies as they are billed, each worked out by hand from the public price pages of November 2026
 * (US dollars per million tokens unless said otherwise).
 */
interface Bill {
  readonly what: string;
  readonly call: Partial<PricedCall> & Pick<PricedCall, 'provider' | 'requestModel'>;
  readonly usage: BilledUsage;
  readonly costUsd: number | undefined;
  readonly missing?: readonly string[];
}

const anthropic = { provider: 'anthropic', requestModel: 'claude-sonnet-4-5' } as const;
const flash = { provider: 'gcp.gemini', requestModel: 'gemini-2.5-flash' } as const;
const gpt4o = { provider: 'openai', requestModel: 'gpt-4o' } as const;

const bills: readonly Bill[] = [
  {
    what: 'speech by the character at $15 a million: 2,000 × 0.000015',
    call: { provider: 'openai', requestModel: 'tts-1', operation: 'speech' },
    usage: { inputCharacters: 2000 },
    costUsd: 0.03,
  },
  {
    what: 'speech in high quality at $30 a million',
    call: { provider: 'openai', requestModel: 'tts-1-hd', operation: 'speech' },
    usage: { inputCharacters: 2000 },
    costUsd: 0.06,
  },
  {
    what: 'speech by tokens, whose output is audio at the price of output: 10 × 0.6 + 500 × 12',
    call: { provider: 'openai', requestModel: 'gpt-4o-mini-tts', operation: 'speech' },
    usage: { inputTokens: 10, outputTokens: 500, audioOutputTokens: 500 },
    costUsd: 0.006006,
  },
  {
    what: 'speech of a model that is billed by tokens, of which none are reported',
    call: { provider: 'openai', requestModel: 'gpt-4o-mini-tts', operation: 'speech' },
    usage: { inputCharacters: 2000 },
    costUsd: undefined,
  },
  {
    what: 'three images of Imagen 4 at 0.04',
    call: {
      provider: 'gcp.gemini',
      requestModel: 'imagen-4.0-generate-001',
      operation: 'image_generation',
    },
    usage: { generatedImages: 3 },
    costUsd: 0.12,
  },
  {
    what: 'an image embedded by Cohere: 1,610 × 0.47 + 4 × 0.12',
    call: { provider: 'cohere', requestModel: 'embed-v4.0', operation: 'embeddings' },
    usage: { inputTokens: 1614, imageInputTokens: 1610 },
    costUsd: 0.00075718,
  },
  {
    what: 'reranking of Voyage by tokens: 2,600 × 0.05',
    call: { provider: 'voyageai', requestModel: 'rerank-2.5', operation: 'rerank' },
    usage: { inputTokens: 2600 },
    costUsd: 0.00013,
  },
  {
    what: 'pages at $2 a thousand, by the model that answered',
    call: {
      provider: 'mistral_ai',
      requestModel: 'mistral-ocr-latest',
      responseModel: 'mistral-ocr-2512',
      operation: 'ocr',
    },
    usage: { pages: 7 },
    costUsd: 0.014,
  },
  {
    what: 'annotated pages, whose price is not known',
    call: { provider: 'mistral_ai', requestModel: 'mistral-ocr-2512', operation: 'ocr' },
    usage: { annotatedPages: 7 },
    costUsd: undefined,
  },
  {
    what: 'an image of the fast Imagen 4 on Vertex',
    call: {
      provider: 'gcp.vertex_ai',
      requestModel: 'imagen-4.0-fast-generate-001',
      operation: 'image_generation',
    },
    usage: { generatedImages: 1 },
    costUsd: 0.02,
  },
  {
    what: 'a realtime response: 300 × 32 + 200 × 0.4 + 100 × 4 + 50 × 0.4 + 20 × 16 + 200 × 64',
    call: { provider: 'openai', requestModel: 'gpt-realtime', operation: 'chat' },
    usage: {
      inputTokens: 650,
      outputTokens: 220,
      cacheReadTokens: 250,
      audioInputTokens: 500,
      audioCacheReadTokens: 200,
      audioOutputTokens: 200,
    },
    costUsd: 0.02322,
  },
  {
    what: 'a cache write kept for five minutes: 100,000 × 3.75 + 10 × 3 + 100 × 15',
    call: anthropic,
    usage: { inputTokens: 100_010, outputTokens: 100, cacheWriteTokens: 100_000 },
    costUsd: 0.37653,
  },
  {
    what: 'a cache write kept for an hour: 100,000 × 6 + 10 × 3 + 100 × 15',
    call: anthropic,
    usage: {
      inputTokens: 100_010,
      outputTokens: 100,
      cacheWriteTokens: 100_000,
      cacheWrite1hTokens: 100_000,
    },
    costUsd: 0.60153,
  },
  {
    what: 'writes of both lifetimes: 1,000 × 6 + 3,000 × 3.75 + 100 × 15',
    call: anthropic,
    usage: {
      inputTokens: 4000,
      outputTokens: 100,
      cacheWriteTokens: 4000,
      cacheWrite1hTokens: 1000,
    },
    costUsd: 0.01875,
  },
  {
    what: 'five web searches of Claude at $10 a thousand: 0.05 + 2,000 × 3 + 300 × 15',
    call: anthropic,
    usage: { inputTokens: 2000, outputTokens: 300, webSearches: 5 },
    costUsd: 0.0605,
  },
  {
    what: 'a Claude batch at half price, its search at the full one',
    call: { ...anthropic, serviceTier: 'batch' },
    usage: { inputTokens: 2000, outputTokens: 300, webSearches: 1 },
    costUsd: 0.01525,
  },
  {
    what: "Claude's priority tier, which has no list price: at least the standard one",
    call: { ...anthropic, serviceTier: 'priority' },
    usage: { inputTokens: 2000, outputTokens: 300 },
    costUsd: 0.0105,
    missing: ['priority_tier'],
  },
  {
    what: 'the standard tier by its name',
    call: { ...anthropic, serviceTier: 'standard' },
    usage: { inputTokens: 2000, outputTokens: 300 },
    costUsd: 0.0105,
  },
  {
    what: 'audio of Gemini 2.5 Flash at 1.00: 9,000 × 1 + 100 × 2.5',
    call: flash,
    usage: { inputTokens: 9000, outputTokens: 100, audioInputTokens: 9000 },
    costUsd: 0.00925,
  },
  {
    what: 'cached audio of Gemini at 0.10: 4,000 × 0.1 + 5,000 × 1 + 100 × 2.5',
    call: flash,
    usage: {
      inputTokens: 9000,
      outputTokens: 100,
      audioInputTokens: 9000,
      cacheReadTokens: 4000,
      audioCacheReadTokens: 4000,
    },
    costUsd: 0.00565,
  },
  {
    what: 'audio of Gemini 2.5 Pro, which costs what its text costs: 9,000 × 1.25 + 100 × 10',
    call: { ...flash, requestModel: 'gemini-2.5-pro' },
    usage: { inputTokens: 9000, outputTokens: 100, audioInputTokens: 9000 },
    costUsd: 0.01225,
  },
  {
    what: 'pictures and film of Gemini Flash, billed as text: 3,000 × 0.3 + 100 × 2.5',
    call: flash,
    usage: {
      inputTokens: 3000,
      outputTokens: 100,
      imageInputTokens: 1000,
      videoInputTokens: 1500,
    },
    costUsd: 0.00115,
  },
  {
    what: 'flex at half price: (1,000 × 2.5 + 100 × 10) / 2',
    call: { ...gpt4o, serviceTier: 'flex' },
    usage: { inputTokens: 1000, outputTokens: 100 },
    costUsd: 0.00175,
  },
  {
    what: 'predicted tokens, billed as output whether used or not: 1,000 × 2.5 + 100 × 10',
    call: gpt4o,
    usage: {
      inputTokens: 1000,
      outputTokens: 100,
      acceptedPredictionTokens: 30,
      rejectedPredictionTokens: 20,
    },
    costUsd: 0.0035,
  },
  {
    what: 'two web searches and a file search of gpt-5: 0.02 + 0.0025 + 1,000 × 1.25 + 100 × 10',
    call: { provider: 'openai', requestModel: 'gpt-5' },
    usage: { inputTokens: 1000, outputTokens: 100, webSearches: 2, fileSearches: 1 },
    costUsd: 0.02475,
  },
  {
    what: 'a code interpreter, for which the list has no price: named, and the tokens priced',
    call: { provider: 'openai', requestModel: 'gpt-5' },
    usage: { inputTokens: 1000, outputTokens: 100, codeExecutions: 1 },
    costUsd: 0.00225,
    missing: ['code_executions'],
  },
  {
    what: 'audio of gpt-4o, for which the list has no price: text alone, 200 × 2.5 + 50 × 10',
    call: gpt4o,
    usage: {
      inputTokens: 1200,
      outputTokens: 150,
      audioInputTokens: 1000,
      audioOutputTokens: 100,
    },
    costUsd: 0.001,
    missing: ['audio_input_tokens', 'audio_output_tokens'],
  },
  {
    what: 'transcription by tokens: 900 × 6 + 100 × 2.5 + 100 × 10',
    call: { provider: 'openai', requestModel: 'gpt-4o-transcribe' },
    usage: { inputTokens: 1000, audioInputTokens: 900, outputTokens: 100 },
    costUsd: 0.00665,
  },
  {
    what: 'a minute of Whisper at $0.006',
    call: { provider: 'openai', requestModel: 'whisper-1', operation: 'transcription' },
    usage: { audioInputSeconds: 60 },
    costUsd: 0.006,
  },
  {
    what: 'a picture edited by gpt-image-1: 200 × 10 + 800 × 5 + 100 × 40',
    call: { provider: 'openai', requestModel: 'gpt-image-1' },
    usage: { inputTokens: 1000, outputTokens: 100, imageInputTokens: 200 },
    costUsd: 0.01,
  },
  {
    what: 'a search of Perplexity with its fee: 0.012 + 1,000 × 1 + 100 × 1',
    call: { provider: 'perplexity', requestModel: 'sonar' },
    usage: { inputTokens: 1000, outputTokens: 100 },
    costUsd: 0.0131,
  },
  {
    what: 'a prompt beyond 200,000 tokens, all of it at the long price: 250,000 × 6 + 100 × 22.5',
    call: anthropic,
    usage: { inputTokens: 250_000, outputTokens: 100 },
    costUsd: 1.50225,
  },
  {
    what: 'a part larger than its whole is cut to it: 100 × 1 + 10 × 2.5',
    call: flash,
    usage: { inputTokens: 100, outputTokens: 10, audioInputTokens: 500 },
    costUsd: 0.000125,
  },
  {
    what: 'a model that the list does not know, with a search',
    call: { provider: 'openai', requestModel: 'our-own-llama' },
    usage: { inputTokens: 1000, outputTokens: 100, webSearches: 1 },
    costUsd: undefined,
  },
];

describe('what is billed beyond plain tokens', () => {
  const prices = new Prices();
  before(() => prices.load());

  const costOf = ({ call, usage }: Bill): CallCost | undefined =>
    prices.price({
      operation: 'chat',
      time: '2026-11-15T12:00:00.000000000Z',
      ...call,
      ...usage,
      attributes: billedAttributes(usage),
    });

  for (const bill of bills) {
    it(bill.what, () => {
      const cost = costOf(bill);
      assert.equal(cost?.costUsd, bill.costUsd);
      assert.deepEqual(cost?.costMissing, bill.missing);
      if (bill.costUsd !== undefined) assert.equal(cost?.costSource, 'list');
    });
  }

  it('marks a cost that was worked out from estimated tokens', () => {
    const cost = prices.price({
      ...gpt4o,
      inputTokens: 1000,
      outputTokens: 100,
      tokenSource: 'estimated',
      time: '2026-11-15T12:00:00Z',
    });
    assert.deepEqual(cost, { costUsd: 0.0035, costSource: 'estimated' });
  });
});
