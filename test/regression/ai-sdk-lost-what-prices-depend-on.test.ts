import assert from 'node:assert/strict';
import type * as OpenAiPackage from '@ai-sdk/openai';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { vercelAiProviders } from '../../src/providers/vercel-ai/provider-packages.ts';
import { streamedMediaShape } from '../../src/providers/vercel-ai/media-model.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { onlyRecord } from '../support/watched-call.ts';
import { sse, startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

/** What the packages of Anthropic and Google export; the one of Vertex brings them along. */
type Create = (settings: object) => (model: string) => unknown;

interface Model {
  doGenerate(options: object): PromiseLike<unknown>;
  doStream(options: object): PromiseLike<{ readonly stream: AsyncIterable<unknown> }>;
}

const PROMPT = { prompt: [{ role: 'user', content: [{ type: 'text', text: 'When?' }] }] };
const json = (body: object): Script => ({ body: JSON.stringify(body) });

const CLAUDE_USAGE = {
  input_tokens: 10,
  cache_creation_input_tokens: 3000,
  cache_creation: { ephemeral_5m_input_tokens: 1000, ephemeral_1h_input_tokens: 2000 },
  cache_read_input_tokens: 0,
  output_tokens: 5,
  service_tier: 'priority',
  inference_geo: 'us',
};
const CLAUDE = { id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-sonnet-4-6' };
const CLAUDE_FACTS = {
  serviceTier: 'priority',
  'token_meter.inference_region': 'us',
  'token_meter.usage.cache_write_1h_tokens': 2000,
};
const gemini = (more: object): object => ({
  candidates: [
    {
      content: { role: 'model', parts: [{ text: 'Twice.' }] },
      finishReason: 'STOP',
      groundingMetadata: { webSearchQueries: ['tide', 'moon', 'tide'] },
      ...more,
    },
  ],
  usageMetadata: {
    promptTokenCount: 20,
    candidatesTokenCount: 3,
    promptTokensDetails: [{ modality: 'IMAGE', tokenCount: 12 }],
    trafficType: 'ON_DEMAND_FLEX',
  },
});
const GEMINI_FACTS = {
  serviceTier: 'flex',
  'token_meter.usage.web_searches': 2,
  'gen_ai.usage.image.input_tokens': 12,
};
const CHAT = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-4o',
  service_tier: 'flex',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Twice.' }, finish_reason: 'stop' }],
  usage: {
    prompt_tokens: 20,
    completion_tokens: 3,
    total_tokens: 23,
    prompt_tokens_details: { cached_tokens: 0, image_tokens: 12 },
  },
};
const SEARCH_CALLS = [
  { type: 'web_search_call', id: 'ws_1', status: 'completed' },
  { type: 'web_search_call', id: 'ws_2', status: 'completed' },
].map((call, index) => ({
  ...call,
  action:
    index === 0
      ? { type: 'search', query: 'tide', queries: ['tide', 'moon'] }
      : { type: 'open_page', url: 'https://example.com' },
}));
const RESPONSE = {
  id: 'r',
  object: 'response',
  created_at: 1,
  status: 'completed',
  model: 'gpt-4.1',
  service_tier: 'priority',
  output: SEARCH_CALLS,
  usage: { input_tokens: 20, output_tokens: 3, total_tokens: 23 },
};

describe('models of the AI SDK, whose packages pass on what prices depend on', () => {
  let server: WireServer;
  let metering: Metering;
  let anthropic: ReturnType<Create>;
  let google: ReturnType<Create>;
  let openai: ReturnType<typeof OpenAiPackage.createOpenAI>;

  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    metering.on();
    const settings = { baseURL: server.url, apiKey: 'test' };
    const load = async (name: string): Promise<unknown> => {
      const module = await loadCjs(name)();
      const patch = vercelAiProviders.find(({ moduleName }) => moduleName === name);
      assert.notEqual(patch?.patch(module, metering.current) ?? 'unfit', 'unfit', name);
      return module;
    };
    const claude = (await load('@ai-sdk/anthropic')) as { createAnthropic: Create };
    anthropic = claude.createAnthropic(settings);
    const geminis = (await load('@ai-sdk/google')) as { createGoogleGenerativeAI: Create };
    google = geminis.createGoogleGenerativeAI(settings);
    openai = ((await load('@ai-sdk/openai')) as typeof OpenAiPackage).createOpenAI(settings);
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  async function recordOf(
    model: unknown,
    script: Script,
    options: object = PROMPT,
  ): Promise<UsageRecord> {
    server.play(script);
    if (script.pieces === undefined) await (model as Model).doGenerate(options);
    else {
      const { stream } = await (model as Model).doStream(options);
      for await (const _part of stream);
    }
    return await onlyRecord(metering);
  }

  function assertFacts(record: UsageRecord, facts: Readonly<Record<string, unknown>>): void {
    const { serviceTier, ...attributes } = facts;
    assert.equal(record.serviceTier, serviceTier);
    assert.partialDeepStrictEqual(record.attributes, attributes);
  }

  it('Claude: tier, region and lifetimes of cache writes', async () => {
    const content = [{ type: 'text', text: 'Twice.' }];
    const whole = json({ ...CLAUDE, content, stop_reason: 'end_turn', usage: CLAUDE_USAGE });
    assertFacts(await recordOf(anthropic('claude-sonnet-4-6'), whole), CLAUDE_FACTS);
    const events = [
      { type: 'message_start', message: { ...CLAUDE, content: [], usage: CLAUDE_USAGE } },
      {
        type: 'message_delta',
        delta: { stop_reason: 'end_turn' },
        usage: { output_tokens: 5 },
      },
      { type: 'message_stop' },
    ];
    const pieces = events.map((event) => sse(event, event.type));
    assertFacts(await recordOf(anthropic('claude-sonnet-4-6'), { pieces }), CLAUDE_FACTS);
  });

  it('Claude: an advisor and code that is billed by the time of its container', async () => {
    const usage = {
      ...CLAUDE_USAGE,
      iterations: [
        { type: 'message', input_tokens: 10, output_tokens: 5 },
        { type: 'advisor_message', model: 'claude-opus-4-6', input_tokens: 70, output_tokens: 30 },
      ],
    };
    const content = [
      { type: 'server_tool_use', id: 's1', name: 'code_execution', input: { code: '1' } },
    ];
    const whole = json({ ...CLAUDE, content, stop_reason: 'end_turn', usage });
    const tool = (id: string, name: string): object => ({
      type: 'provider-defined',
      id: `anthropic.${id}`,
      name,
      args: {},
    });
    const code = tool('code_execution_20250825', 'code_execution');
    const record = await recordOf(anthropic('claude-sonnet-4-6'), whole, {
      ...PROMPT,
      tools: [code],
    });
    assert.deepEqual([record.inputTokens, record.outputTokens], [3080, 35]);
    assertFacts(record, {
      ...CLAUDE_FACTS,
      'token_meter.advisor.model': 'claude-opus-4-6',
      'token_meter.usage.advisor.input_tokens': 70,
      'token_meter.usage.advisor.output_tokens': 30,
      'token_meter.usage.code_executions': 1,
    });
    const free = await recordOf(anthropic('claude-sonnet-4-6'), whole, {
      ...PROMPT,
      tools: [code, tool('web_fetch_20260209', 'web_fetch')],
    });
    assert.equal(free.attributes['token_meter.usage.code_executions'], undefined);
  });

  it('Gemini: kind of traffic, grounding and images', async () => {
    assertFacts(await recordOf(google('gemini-3-pro'), json(gemini({}))), GEMINI_FACTS);
    const pieces = [sse(gemini({ finishReason: undefined })), sse(gemini({}))];
    assertFacts(await recordOf(google('gemini-3-pro'), { pieces }), GEMINI_FACTS);
    const older = await recordOf(google('gemini-2.5-flash'), json(gemini({})));
    assert.equal(older.attributes['token_meter.usage.web_searches'], 1, 'a grounded prompt');
  });

  it('OpenAI chat: the tier, which the package leaves out, and images', async () => {
    const record = await recordOf(openai.chat('gpt-4o'), json(CHAT));
    assertFacts(record, { serviceTier: 'flex', 'gen_ai.usage.image.input_tokens': 12 });
    const { usage, ...chunk } = CHAT;
    const choices = [{ index: 0, delta: { content: 'Twice.' }, finish_reason: 'stop' }];
    const pieces = [
      sse({ ...chunk, object: 'chat.completion.chunk', choices }),
      sse({ ...chunk, object: 'chat.completion.chunk', choices: [], usage }),
      'data: [DONE]\n\n',
    ];
    const options = { ...PROMPT, includeRawChunks: true };
    assert.equal((await recordOf(openai.chat('gpt-4o'), { pieces }, options)).serviceTier, 'flex');
  });

  it('OpenAI responses: searches of a tool that the caller named, by its version', async () => {
    const tool = (id: string): object => ({
      ...PROMPT,
      tools: [{ type: 'provider', id: `openai.${id}`, name: 'look_up', args: {} }],
    });
    const record = await recordOf(
      openai('gpt-4.1'),
      json({ ...RESPONSE, tools: [{ type: 'web_search_preview' }] }),
      tool('web_search_preview'),
    );
    assertFacts(record, {
      serviceTier: 'priority',
      'token_meter.usage.preview_web_searches': 2,
    });
    const events = [
      { type: 'response.created', response: { ...RESPONSE, status: 'in_progress', output: [] } },
      ...SEARCH_CALLS.flatMap((item, output_index) => [
        {
          type: 'response.output_item.added',
          output_index,
          item: { ...item, status: 'searching' },
        },
        { type: 'response.output_item.done', output_index, item },
      ]),
      { type: 'response.completed', response: RESPONSE },
    ];
    const pieces = events.map((event, sequence_number) => sse({ ...event, sequence_number }));
    for (const [id, attribute] of [
      ['web_search', 'token_meter.usage.web_searches'],
      ['web_search_preview', 'token_meter.usage.preview_web_searches'],
    ] as const) {
      assertFacts(await recordOf(openai('gpt-4.1'), { pieces }, tool(id)), {
        serviceTier: 'priority',
        [attribute]: 2,
      });
    }
  });

  it('OpenAI transcriptions: by the second, or by tokens', async () => {
    const options = { audio: new Uint8Array(4), mediaType: 'audio/wav', providerOptions: {} };
    const duration = { type: 'duration', seconds: 61 };
    for (const reply of [
      { text: 'Twice.', duration: 61 },
      { text: 'Twice.', usage: duration },
    ]) {
      const record = await recordOf(openai.transcription('whisper-1'), json(reply), options);
      assert.equal(record.operation, 'transcription');
      assert.equal(record.tokenSource, 'provider');
      assert.equal(record.attributes['token_meter.usage.audio_input_seconds'], 61);
    }
    const usage = {
      type: 'tokens',
      input_tokens: 14,
      output_tokens: 45,
      total_tokens: 59,
      input_token_details: { audio_tokens: 12, text_tokens: 2 },
    };
    const model = openai.transcription('gpt-4o-transcribe');
    const record = await recordOf(model, json({ text: 'Twice.', duration: 61, usage }), options);
    assert.deepEqual([record.inputTokens, record.outputTokens], [14, 45]);
    assert.equal(record.attributes['gen_ai.usage.audio.input_tokens'], 12);
    assert.equal(record.attributes['token_meter.usage.audio_input_seconds'], undefined);
  });

  it('a transcription that is streamed', () => {
    const reader = streamedMediaShape({ audio: {} }).reader({ usage: true, output: false });
    reader.event({ type: 'transcript-delta', delta: 'Twice.' });
    reader.event({ type: 'finish', text: 'Twice.', segments: [], durationInSeconds: 3.5 });
    assert.partialDeepStrictEqual(reader.result(), {
      closed: true,
      usage: { audioInputSeconds: 3.5 },
    });
  });

  it('OpenAI images: image tokens of the input, size and quality', async () => {
    const usage = {
      input_tokens: 50,
      output_tokens: 4000,
      total_tokens: 4050,
      input_tokens_details: { text_tokens: 10, image_tokens: 40 },
    };
    const data = [{ b64_json: 'eA==' }, { b64_json: 'eA==' }];
    const reply = { created: 1, data, usage, size: '1024x1024', quality: 'high' };
    const options = { prompt: 'a tide table', n: 2, providerOptions: {} };
    const record = await recordOf(openai.image('gpt-image-1'), json(reply), options);
    assert.deepEqual([record.inputTokens, record.outputTokens], [50, 4000]);
    assert.partialDeepStrictEqual(record.attributes, {
      'gen_ai.usage.image.input_tokens': 40,
      'token_meter.usage.generated_images': 2,
      'token_meter.image.size': '1024x1024',
      'token_meter.image.quality': 'high',
    });
  });
});
