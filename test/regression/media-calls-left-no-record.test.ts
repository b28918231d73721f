import assert from 'node:assert/strict';
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type * as BedrockModule from '@aws-sdk/client-bedrock-runtime';
import type * as CohereModule from 'cohere-ai';
import type * as MistralModule from '@mistralai/mistralai';
import type * as OpenAiModule from 'openai';
import type { UsageRecord } from '../../src/domain/usage-record.ts';
import { bedrock } from '../../src/providers/bedrock/index.ts';
import { cohere } from '../../src/providers/cohere/index.ts';
import { mistral } from '../../src/providers/mistral/index.ts';
import { openai } from '../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, requireInside } from '../support/sdk-versions.ts';
import { onlyRecord } from '../support/watched-call.ts';
import { invokeReply } from '../support/wire/bedrock.ts';
import { sse, startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const IMAGE_USAGE = {
  input_tokens: 50,
  output_tokens: 4000,
  total_tokens: 4050,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
};
const AUDIO_USAGE = {
  type: 'tokens',
  input_tokens: 14,
  output_tokens: 45,
  total_tokens: 59,
  input_token_details: { audio_tokens: 12, text_tokens: 2 },
};
const json = (body: object): Script => ({ body: JSON.stringify(body) });

describe('calls beside chat', () => {
  let server: WireServer;
  let metering: Metering;
  let folder: string;
  let speech: string;
  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    metering.on();
    folder = mkdtempSync(join(tmpdir(), 'token-meter-media-'));
    speech = join(folder, 'speech.wav');
    writeFileSync(speech, 'RIFF');
  });
  after(async () => {
    metering.off();
    metering.close();
    rmSync(folder, { recursive: true });
    await server.close();
  });

  async function recordOf(script: Script, call: () => Promise<unknown>): Promise<UsageRecord> {
    server.play(script);
    await call();
    return await onlyRecord(metering);
  }

  describe('openai', () => {
    let client: OpenAiModule.OpenAI;
    before(async () => {
      const module = (await loadCjs('openai')()) as typeof OpenAiModule;
      openai.patch(module, metering.current);
      client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
    });
    const image = { model: 'gpt-image-1', prompt: 'a tide table' };

    it('images, with their own tokens', async () => {
      const record = await recordOf(json({ data: [{ b64_json: 'x' }], usage: IMAGE_USAGE }), () =>
        client.images.generate(image),
      );
      assert.partialDeepStrictEqual(record, {
        operation: 'image_generation',
        requestModel: 'gpt-image-1',
        inputTokens: 50,
        outputTokens: 4000,
        tokenSource: 'provider',
        outcome: 'ok',
      });
      assert.equal(record.attributes['gen_ai.usage.image.input_tokens'], 40);
      assert.equal(record.attributes['token_meter.usage.generated_images'], 1);
    });

    it('an edited image, whose request is a form', async () => {
      const file = new File(['x'], 'x.png', { type: 'image/png' });
      const record = await recordOf(json({ data: [{}], usage: IMAGE_USAGE }), () =>
        client.images.edit({ ...image, image: file }),
      );
      assert.deepEqual([record.requestModel, record.outputTokens], ['gpt-image-1', 4000]);
    });

    it('a streamed image', async () => {
      const events = [
        { type: 'image_generation.partial_image', b64_json: 'x' },
        { type: 'image_generation.completed', b64_json: 'x', usage: IMAGE_USAGE },
      ];
      const pieces = events.map((event) => sse(event, event.type));
      const record = await recordOf({ pieces }, async () => {
        for await (const _event of await client.images.generate({ ...image, stream: true }));
      });
      assert.deepEqual([record.outcome, record.outputTokens], ['ok', 4000]);
    });

    it('an image without usage has no tokens: the image itself is reported', async () => {
      const record = await recordOf(json({ data: [{ url: 'https://x' }] }), () =>
        client.images.generate({ ...image, model: 'dall-e-3' }),
      );
      assert.deepEqual(
        [record.inputTokens, record.outputTokens, record.tokenSource],
        [undefined, undefined, 'provider'],
      );
    });

    it('a transcription of a file that is sent as a stream', async () => {
      const record = await recordOf(json({ text: 'Twice.', usage: AUDIO_USAGE }), () =>
        client.audio.transcriptions.create({
          model: 'gpt-4o-transcribe',
          file: createReadStream(speech),
        }),
      );
      assert.partialDeepStrictEqual(record, {
        operation: 'transcription',
        requestModel: 'gpt-4o-transcribe',
        inputTokens: 14,
        outputTokens: 45,
        outcome: 'ok',
      });
      assert.equal(record.attributes['gen_ai.usage.audio.input_tokens'], 12);
    });

    it('a transcription that is billed by the second', async () => {
      const reply = json({ text: 'Twice.', usage: { type: 'duration', seconds: 3 } });
      const record = await recordOf(reply, () =>
        client.audio.transcriptions.create({ model: 'whisper-1', file: createReadStream(speech) }),
      );
      assert.equal(record.inputTokens, undefined);
      assert.equal(record.attributes['token_meter.usage.audio_input_seconds'], 3);
    });

    it('responses.compact', async () => {
      const usage = { input_tokens: 900, output_tokens: 80, total_tokens: 980 };
      const record = await recordOf(json({ id: 'r1', output: [], usage }), () =>
        client.responses.compact({ model: 'gpt-5', input: 'When is high tide?' }),
      );
      assert.deepEqual([record.inputTokens, record.outputTokens], [900, 80]);
    });
  });

  it('mistral: a transcription', async () => {
    const module = (await import('@mistralai/mistralai')) as typeof MistralModule;
    mistral.patch(module, metering.current);
    const client = new module.Mistral({ apiKey: 'test', serverURL: server.url });
    const usage = {
      prompt_tokens: 4,
      completion_tokens: 30,
      total_tokens: 434,
      prompt_audio_seconds: 5,
    };
    const reply = { model: 'voxtral-mini-2602', text: 'Twice.', language: 'en', usage };
    const record = await recordOf(json(reply), () =>
      client.audio.transcriptions.complete({ model: 'voxtral-mini', fileUrl: 'https://x/y.wav' }),
    );
    assert.partialDeepStrictEqual(record, {
      operation: 'transcription',
      requestModel: 'voxtral-mini',
      inputTokens: 4,
      outputTokens: 30,
    });
    assert.equal(record.attributes['token_meter.usage.audio_input_seconds'], 5);
  });

  it('cohere v1: generate and summarize', async () => {
    const module = (await loadCjs('cohere-ai')()) as typeof CohereModule;
    cohere.patch(module, metering.current);
    const client = new module.CohereClient({ token: 'test', environment: server.url });
    const meta = { billed_units: { input_tokens: 7, output_tokens: 5 } };
    const generations = [{ id: 'g1', text: 'Twice a day.' }];
    const generated = await recordOf(json({ id: 'c1', prompt: 'x', generations, meta }), () =>
      client.generate({ model: 'command', prompt: 'When is high tide?' }),
    );
    assert.partialDeepStrictEqual(generated, {
      operation: 'text_completion',
      responseId: 'c1',
      inputTokens: 7,
      outputTokens: 5,
      outcome: 'ok',
    });
    const summarized = await recordOf(json({ id: 'c2', summary: 'Twice.', meta }), () =>
      client.summarize({ text: 'It comes in twice a day.' }),
    );
    assert.deepEqual([summarized.inputTokens, summarized.outcome], [7, 'ok']);
  });

  it('cohere: pages, and tokens of images beside those of texts', async () => {
    const module = (await loadCjs('cohere-ai')()) as typeof CohereModule;
    cohere.patch(module, metering.current);
    const client = new module.CohereClientV2({ token: 'test', environment: server.url });
    const parsed = { id: 'p1', pages: [], meta: { billed_units: { pages: 3 } } };
    const pages = await recordOf(json(parsed), () =>
      client.parse({
        model: 'parse-v1',
        document: { type: 'image_url', imageUrl: 'https://x/y.png' } as never,
      }),
    );
    assert.partialDeepStrictEqual(pages, {
      operation: 'ocr',
      provider: 'cohere',
      responseId: 'p1',
      tokenSource: 'provider',
      attributes: { 'token_meter.usage.pages': 3 },
    });
    assert.equal(pages.inputTokens, undefined);
    const meta = { billed_units: { input_tokens: 4, image_tokens: 1610 } };
    const embedded = { id: 'e1', embeddings: { float: [[0.1]] }, texts: [], meta };
    const embeddings = await recordOf(json(embedded), () =>
      client.embed({
        model: 'embed-v4.0',
        inputType: 'image',
        embeddingTypes: ['float'],
        images: ['data:image/png;base64,AAAA'],
      }),
    );
    assert.equal(embeddings.inputTokens, 1614);
    assert.equal(embeddings.attributes['gen_ai.usage.image.input_tokens'], 1610);
  });

  it('bedrock: images and reranking have neither chat nor 0 tokens', async () => {
    const module = (await loadCjs('@aws-sdk/client-bedrock-runtime')()) as typeof BedrockModule;
    bedrock.patch(module, metering.current);
    const { NodeHttpHandler } = requireInside('@aws-sdk/client-bedrock-runtime')(
      '@smithy/node-http-handler',
    ) as {
      NodeHttpHandler: new () => NonNullable<
        BedrockModule.BedrockRuntimeClientConfig['requestHandler']
      >;
    };
    const client = new module.BedrockRuntimeClient({
      region: 'eu-west-3',
      endpoint: server.url,
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      requestHandler: new NodeHttpHandler(),
    });
    const config = { width: 1024, height: 512, quality: 'premium' };
    for (const [modelId, request, reply, operation, images] of [
      [
        'amazon.nova-canvas-v1:0',
        { taskType: 'TEXT_IMAGE', imageGenerationConfig: config },
        { images: ['x', 'y'] },
        'image_generation',
        2,
      ],
      // One was held back by a filter.
      [
        'stability.sd3-5-large-v1:0',
        { prompt: 'x' },
        { images: ['x', null] },
        'image_generation',
        1,
      ],
      [
        'cohere.rerank-v3-5:0',
        { query: 'When?', documents: ['x'] },
        { results: [] },
        'rerank',
        undefined,
      ],
    ] as const) {
      const body = JSON.stringify(request);
      const record = await recordOf(invokeReply(reply), () =>
        client.send(new module.InvokeModelCommand({ modelId, body })),
      );
      assert.deepEqual(
        [record.operation, record.outcome, record.inputTokens, record.tokenSource],
        [operation, 'ok', undefined, images === undefined ? undefined : 'provider'],
      );
      assert.equal(record.attributes['token_meter.usage.generated_images'], images);
      if (!modelId.startsWith('amazon')) continue;
      assert.equal(record.attributes['token_meter.image.size'], '1024x512');
      assert.equal(record.attributes['token_meter.image.quality'], 'premium');
    }
  });
});
