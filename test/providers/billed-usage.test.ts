import assert from 'node:assert/strict';
import { anthropicUsage } from '../../src/providers/anthropic/usage.ts';
import { converseUsage } from '../../src/providers/bedrock/usage.ts';
import { cohereUsage } from '../../src/providers/cohere/usage.ts';
import { GenerateContentReader } from '../../src/providers/google/generate-reader.ts';
import { googleUsage, interactionUsage } from '../../src/providers/google/usage.ts';
import { chatModel } from '../../src/providers/langchain/chat-model.ts';
import { messageUsage } from '../../src/providers/langchain/usage.ts';
import { MessagesReader } from '../../src/providers/anthropic/messages-reader.ts';
import { converse } from '../../src/providers/bedrock/converse.ts';
import { chatCompletions } from '../../src/providers/openai/chat-completions.ts';
import { hostedToolUses } from '../../src/providers/openai/hosted-tools.ts';
import { responses } from '../../src/providers/openai/responses.ts';
import { chatUsage, reportedCost } from '../../src/providers/openai/usage.ts';
import { generate } from '../../src/providers/vercel-ai/language-model.ts';
import { mediaShape } from '../../src/providers/vercel-ai/media-model.ts';
import { rerank } from '../../src/providers/vercel-ai/reranking-model.ts';
import type { Reply } from '../../src/domain/reply.ts';
import type { CallShape } from '../../src/domain/call-shape.ts';

const chat = chatCompletions();
const ALL = { usage: true, output: false };
const NO_STATISTICS = { usage: false, output: false };

const read = (shape: CallShape, reply: unknown, options = ALL): Reply => {
  const reader = shape.reader(options);
  reader.whole(reply);
  return reader.result();
};

describe('what is billed, as each provider reports it', () => {
  it('Anthropic: cache writes by lifetime and web searches', () => {
    const usage = anthropicUsage({
      input_tokens: 10,
      cache_creation_input_tokens: 3000,
      cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
      output_tokens: 5,
      server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
    });
    assert.deepEqual(usage, {
      inputTokens: 3010,
      outputTokens: 5,
      cacheWriteTokens: 3000,
      cacheWrite1hTokens: 2000,
      webSearches: 3,
    });
  });

  it('Anthropic: the tier of the closing event of a stream', () => {
    const reader = new MessagesReader(ALL);
    reader.event({
      type: 'message_start',
      message: { id: 'm', model: 'claude', usage: { input_tokens: 4, service_tier: 'standard' } },
    });
    reader.event({ type: 'message_delta', delta: {}, usage: { output_tokens: 2 } });
    assert.equal(reader.result().serviceTier, 'standard');
  });

  it('OpenAI chat: audio, predicted tokens and the tier', () => {
    const usage = {
      prompt_tokens: 100,
      completion_tokens: 50,
      prompt_tokens_details: { audio_tokens: 60, cached_tokens: 0 },
      completion_tokens_details: {
        audio_tokens: 20,
        accepted_prediction_tokens: 7,
        rejected_prediction_tokens: 9,
      },
    };
    assert.deepEqual(chatUsage(usage), {
      inputTokens: 100,
      outputTokens: 50,
      cacheReadTokens: 0,
      audioInputTokens: 60,
      audioOutputTokens: 20,
      acceptedPredictionTokens: 7,
      rejectedPredictionTokens: 9,
    });
    const reply = read(chat, { id: 'c', service_tier: 'flex', usage, choices: [] });
    assert.equal(reply.serviceTier, 'flex');
  });

  it('OpenAI chat: the tier of a stream stands in its chunks', () => {
    const reader = chat.reader(ALL);
    reader.event({ id: 'c', service_tier: 'priority', choices: [] });
    reader.event({ id: 'c', service_tier: null, choices: [] });
    assert.equal(reader.result().serviceTier, 'priority');
  });

  it('OpenAI responses: searches, file searches and containers, beside the usage', () => {
    const output = [
      { type: 'web_search_call', action: { type: 'search', queries: ['a', 'b'] } },
      { type: 'web_search_call', action: { type: 'open_page' } },
      { type: 'web_search_call', action: { type: 'search', query: 'c' } },
      { type: 'web_search_call' },
      { type: 'file_search_call' },
      { type: 'code_interpreter_call', container_id: 'x' },
      { type: 'code_interpreter_call', container_id: 'x' },
      { type: 'message', content: [] },
      null,
    ];
    assert.deepEqual(hostedToolUses({ output }), {
      webSearches: 4,
      fileSearches: 1,
      codeExecutions: 1,
    });
    assert.deepEqual(hostedToolUses({}), {});
    const reply = {
      id: 'r',
      status: 'completed',
      service_tier: 'default',
      usage: { input_tokens: 9, output_tokens: 3 },
      output,
    };
    const { usage, serviceTier } = read(responses, reply);
    assert.equal(usage?.webSearches, 4);
    assert.equal(usage?.inputTokens, 9);
    assert.equal(serviceTier, 'default');
    assert.equal(read(responses, reply, NO_STATISTICS).usage, undefined);
  });

  for (const [what, usage, cost] of [
    ['OpenRouter', { cost: 0.0123 }, 0.0123],
    ['Perplexity', { cost: { total_cost: 0.006 } }, 0.006],
    ['xAI', { cost_in_usd_ticks: 123_000_000 }, 0.0123],
    ['a free call', { cost: 0 }, 0],
    ['none', { prompt_tokens: 3 }, undefined],
    ['a text', { cost: '0.1' }, undefined],
    ['a negative one', { cost: -1 }, undefined],
    ['null', { cost: null }, undefined],
  ] as const) {
    it(`cost that the reply reports: ${what}`, () => {
      assert.equal(reportedCost(usage), cost);
      const reply = { id: 'c', choices: [], usage };
      assert.equal(read(chat, reply).costUsd, cost);
      assert.equal(read(chat, reply, NO_STATISTICS).costUsd, undefined);
    });
  }

  it('Gemini: modalities of prompt, cache, tools and answer', () => {
    const usage = googleUsage({
      promptTokenCount: 1000,
      toolUsePromptTokenCount: 50,
      candidatesTokenCount: 300,
      cachedContentTokenCount: 400,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 100 },
        { modality: 'AUDIO', tokenCount: 600 },
        { modality: 'IMAGE', tokenCount: 200 },
        { modality: 'DOCUMENT', tokenCount: 100 },
      ],
      toolUsePromptTokensDetails: [{ modality: 'AUDIO', tokenCount: 50 }],
      cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 400 }],
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 290 }],
    });
    assert.deepEqual(usage, {
      inputTokens: 1050,
      outputTokens: 300,
      cacheReadTokens: 400,
      audioInputTokens: 650,
      imageInputTokens: 300,
      audioCacheReadTokens: 400,
      imageOutputTokens: 290,
    });
  });

  for (const [model, searches] of [
    ['gemini-2.5-flash', 1],
    ['gemini-3-pro-preview', 2],
  ] as const) {
    it(`Gemini: grounding of ${model}`, () => {
      const reader = new GenerateContentReader(ALL);
      const candidate = { groundingMetadata: { webSearchQueries: ['a', 'b'] } };
      reader.event({ modelVersion: model, candidates: [candidate] });
      reader.event({
        candidates: [{ ...candidate, finishReason: 'STOP' }],
        usageMetadata: { promptTokenCount: 5, trafficType: 'PROVISIONED_THROUGHPUT' },
      });
      const { usage, serviceTier } = reader.result();
      assert.equal(usage?.webSearches, searches);
      assert.equal(serviceTier, 'provisioned');
    });
  }

  it('Bedrock: cache writes by lifetime and the tier', () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cacheWriteInputTokens: 3000,
      cacheDetails: [
        { ttl: '5m', inputTokens: 1000 },
        { ttl: '1h', inputTokens: 2000 },
      ],
    };
    assert.equal(converseUsage(usage)?.cacheWrite1hTokens, 2000);
    assert.equal(read(converse, { usage, serviceTier: { type: 'flex' } }).serviceTier, 'flex');
  });

  it('Cohere: search units', () => {
    assert.deepEqual(cohereUsage({ billedUnits: { searchUnits: 2 } }), { rerankSearches: 2 });
  });

  it('LangChain: audio', () => {
    const usage = messageUsage({
      input_tokens: 10,
      output_tokens: 5,
      input_token_details: { audio: 4 },
      output_token_details: { audio: 3 },
    });
    assert.equal(usage?.audioInputTokens, 4);
    assert.equal(usage?.audioOutputTokens, 3);
  });

  it("AI SDK: the vendor's own usage that the package passes on", () => {
    const result = (raw: unknown, providerMetadata?: unknown): unknown => ({
      content: [],
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: { inputTokens: { total: 3010 }, outputTokens: { total: 5 }, raw },
      providerMetadata,
    });
    const claude = read(
      generate,
      result({
        input_tokens: 10,
        output_tokens: 5,
        cache_creation_input_tokens: 3000,
        cache_creation: { ephemeral_1h_input_tokens: 2000 },
        server_tool_use: { web_search_requests: 1 },
        service_tier: 'batch',
      }),
    );
    assert.equal(claude.usage?.inputTokens, 3010);
    assert.equal(claude.usage?.cacheWrite1hTokens, 2000);
    assert.equal(claude.usage?.webSearches, 1);
    assert.equal(claude.serviceTier, 'batch');
    const gpt = read(
      generate,
      result(
        { prompt_tokens: 3010, completion_tokens: 5, prompt_tokens_details: { audio_tokens: 9 } },
        { openai: { serviceTier: 'flex' } },
      ),
    );
    assert.equal(gpt.usage?.audioInputTokens, 9);
    assert.equal(gpt.serviceTier, 'flex');
    assert.equal(read(generate, result({ prompt_tokens: 1, cost: 0.5 })).costUsd, 0.5);
  });

  it('Gemini on Vertex: the tier in the type of the traffic', () => {
    for (const [trafficType, tier] of [
      ['ON_DEMAND', 'on_demand'],
      ['ON_DEMAND_FLEX', 'flex'],
      ['ON_DEMAND_PRIORITY', 'priority'],
      ['PROVISIONED_THROUGHPUT', 'provisioned'],
      ['TRAFFIC_TYPE_UNSPECIFIED', undefined],
      [undefined, undefined],
    ] as const) {
      const reader = new GenerateContentReader(ALL);
      reader.whole({ usageMetadata: { promptTokenCount: 1, trafficType } });
      assert.equal(reader.result().serviceTier, tier, trafficType);
    }
  });

  it('Gemini interactions: modalities and groundings', () => {
    const usage = interactionUsage({
      total_input_tokens: 900,
      total_output_tokens: 50,
      input_tokens_by_modality: [
        { modality: 'audio', tokens: 800 },
        { modality: 'text', tokens: 100 },
      ],
      grounding_tool_count: [
        { type: 'google_search', count: 2 },
        { type: 'google_maps', count: 1 },
      ],
    });
    assert.deepEqual(usage, {
      inputTokens: 900,
      outputTokens: 50,
      audioInputTokens: 800,
      webSearches: 2,
      mapSearches: 1,
    });
  });

  it("LangChain: what usage metadata leave out of Anthropic's usage", () => {
    const vendor = {
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      server_tool_use: { web_search_requests: 2 },
      service_tier: 'priority',
      inference_geo: 'us',
    };
    const usage_metadata = {
      input_tokens: 310,
      output_tokens: 5,
      input_token_details: { cache_creation: 300, cache_read: 0 },
    };
    const message = { usage_metadata, response_metadata: { usage: vendor } };
    const reply = read(chatModel, { generations: [{ message }] });
    assert.deepEqual(reply.usage, {
      inputTokens: 310,
      outputTokens: 5,
      cacheReadTokens: 0,
      cacheWriteTokens: 300,
      cacheWrite1hTokens: 200,
      webSearches: 2,
    });
    assert.equal(reply.serviceTier, 'priority');
    assert.deepEqual(reply.attributes, { 'token_meter.inference_region': 'us' });
  });

  it('AI SDK: what the gateway charges, unless a key of the caller was used', () => {
    const usage = { inputTokens: { total: 10 }, outputTokens: { total: 5 } };
    const routed = (costDetails: object): number | undefined =>
      read(generate, {
        content: [],
        usage,
        providerMetadata: { openrouter: { usage: { cost: 0.002, costDetails } } },
      }).costUsd;
    assert.equal(routed({}), 0.002);
    assert.equal(routed({ upstreamInferenceCost: 0.04 }), 0.042);
    for (const [gateway, costUsd] of [
      [{ cost: '0.0045405', marketCost: '0.0045405', generationId: 'gen_1' }, 0.0045405],
      [{ cost: '0', marketCost: '0' }, 0],
      [{ cost: '0', marketCost: '0.0045' }, undefined],
      [{ cost: 'free' }, undefined],
      [{ generationId: 'gen_1' }, undefined],
    ] as const) {
      const reply = { content: [], usage, providerMetadata: { gateway } };
      assert.equal(read(generate, reply).costUsd, costUsd, JSON.stringify(gateway));
      assert.equal(read(generate, reply, NO_STATISTICS).costUsd, undefined);
    }
  });

  it('AI SDK: tier and lifetimes of cache writes of Bedrock', () => {
    const bedrock = {
      serviceTier: { type: 'flex' },
      usage: { cacheWriteInputTokens: 9, cacheDetails: [{ ttl: '1h', inputTokens: 4 }] },
    };
    const usage = { inputTokens: { total: 10, cacheWrite: 9 }, outputTokens: { total: 5 } };
    const reply = read(generate, { content: [], usage, providerMetadata: { bedrock } });
    assert.equal(reply.serviceTier, 'flex');
    assert.deepEqual([reply.usage?.cacheWriteTokens, reply.usage?.cacheWrite1hTokens], [9, 4]);
    const fast = { bedrock: { performanceConfig: { latency: 'optimized' } } };
    const quick = read(generate, { content: [], usage, providerMetadata: fast });
    assert.equal(quick.serviceTier, 'optimized_latency');
  });

  it('AI SDK: the tier asked for where a stream does not say which one served', () => {
    const finish = {
      type: 'finish',
      finishReason: { unified: 'stop', raw: 'stop' },
      usage: { inputTokens: { total: 10 }, outputTokens: { total: 5 } },
    };
    const tierOf = (serviceTier: string, providerMetadata = {}): string | undefined => {
      const request = { providerOptions: { openai: { serviceTier } } };
      const reader = generate.reader({ ...ALL, request });
      reader.event({ ...finish, providerMetadata });
      return reader.result().serviceTier;
    };
    assert.equal(tierOf('flex'), 'flex');
    assert.equal(tierOf('auto'), undefined);
    assert.equal(tierOf('priority', { openai: { serviceTier: 'default' } }), 'default');
    const whole = generate.reader({
      ...ALL,
      request: { providerOptions: { openai: { serviceTier: 'flex' } } },
    });
    whole.whole({ content: [], usage: finish.usage, response: { body: { id: 'c' } } });
    assert.equal(whole.result().serviceTier, undefined, 'a server that does not know of tiers');
  });

  it('AI SDK: billed tokens of Cohere, searches of a rerank, and characters to be spoken', () => {
    const usage = { inputTokens: { total: 71 }, outputTokens: { total: 9 } };
    const units = { input_tokens: 5, output_tokens: 9, search_units: 2 };
    const body = {
      usage: { tokens: { input_tokens: 71, output_tokens: 9 }, billed_units: units },
    };
    assert.deepEqual(read(generate, { content: [], usage, response: { body } }).usage, {
      inputTokens: 71,
      outputTokens: 9,
      billedInputTokens: 5,
      // As from Cohere's own SDK.
      rerankSearches: 2,
    });
    const ranked = { ranking: [], response: { id: 'r', body: { meta: { billed_units: units } } } };
    assert.deepEqual(read(rerank, ranked).usage, { rerankSearches: 2 });
    const options = { text: 'Ebb & flut 🌊', voice: 'alloy' };
    const speech = mediaShape(options).reader({ ...ALL, request: options });
    speech.whole({ audio: 'eA==', response: { modelId: 'tts-1' } });
    assert.deepEqual(speech.result().usage, { inputCharacters: 12 });
  });

  it('AI SDK: images of Gemini by their tokens, and code that it runs for nothing', () => {
    const usageMetadata = {
      promptTokenCount: 10,
      candidatesTokenCount: 1290,
      candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      trafficType: 'ON_DEMAND',
    };
    const usage = { inputTokens: 10, outputTokens: 1290, totalTokens: 1300 };
    const reader = mediaShape({ prompt: 'a tide table' }).reader(ALL);
    const metadata = { google: { usageMetadata, images: [{}] } };
    reader.whole({ images: ['eA=='], usage, providerMetadata: metadata });
    const { usage: billed, serviceTier } = reader.result();
    assert.equal(billed?.imageOutputTokens, 1290);
    assert.equal(billed.generatedImages, 1);
    assert.equal(serviceTier, 'on_demand');
    const call = {
      type: 'tool-call',
      toolCallId: 'c',
      toolName: 'code_execution',
      input: '{}',
      providerExecuted: true,
    };
    const counts = { inputTokens: { total: 10 }, outputTokens: { total: 5 } };
    const code = (raw: object): number | undefined =>
      read(generate, { content: [call], usage: { ...counts, raw } }).usage?.codeExecutions;
    assert.equal(code({ promptTokenCount: 10, candidatesTokenCount: 5 }), undefined);
    assert.equal(code({ input_tokens: 10 }), 1);
  });

  it('AI SDK: uses of hosted tools, each once, and those of the vendor where it reports them', () => {
    const tool = (toolName: string, providerExecuted = true): object => ({
      type: 'tool-call',
      toolCallId: toolName,
      toolName,
      input: '{}',
      providerExecuted,
    });
    const content = [
      tool('web_search'),
      tool('web_search_preview'),
      tool('file_search'),
      tool('code_interpreter'),
      tool('image_generation'),
      tool('web_search', false),
      tool('my_own_tool'),
    ];
    const usage = { inputTokens: { total: 10 }, outputTokens: { total: 5 } };
    const counted = read(generate, { content, usage }).usage;
    assert.partialDeepStrictEqual(counted, {
      previewWebSearches: 2,
      fileSearches: 1,
      codeExecutions: 1,
      generatedImages: 1,
    });
    const raw = { cache_creation_input_tokens: 0, server_tool_use: { web_search_requests: 7 } };
    assert.equal(read(generate, { content, usage: { ...usage, raw } }).usage?.webSearches, 7);
    const reader = generate.reader(ALL);
    reader.event({ type: 'tool-input-start', id: 'a', toolName: 'web_search' });
    reader.event({ ...tool('web_search'), toolCallId: 'a' });
    reader.event({ type: 'finish', finishReason: { unified: 'stop', raw: 'stop' }, usage });
    assert.equal(reader.result().usage?.webSearches, 1);
  });
});
