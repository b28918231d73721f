import assert from 'node:assert/strict';
import type * as MistralModule from '@mistralai/mistralai';
import type { UsageRecord } from '../../../src/domain/usage-record.ts';
import { mistral } from '../../../src/providers/mistral/index.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import {
  sse,
  startWireServer,
  type Script,
  type WireServer,
} from '../../support/wire/wire-server.ts';

const OCR = {
  pages: [{ index: 0, markdown: '# Tides', images: [], dimensions: null }],
  model: 'mistral-ocr-2512',
  usage_info: { pages_processed: 7, doc_size_bytes: 1000 },
};
const document = { type: 'document_url', documentUrl: 'https://x/y.pdf' } as const;
const json = (body: object): Script => ({ body: JSON.stringify(body) });

for (const [title, load] of [
  ['2', loadEsm('@mistralai/mistralai')],
  ['1', loadCjs('@mistralai/mistralai', 'previous')],
] as const) {
  describe(`calls beside chat of @mistralai/mistralai ${title}`, () => {
    let server: WireServer;
    let metering: Metering;
    let client: MistralModule.Mistral;
    before(async () => {
      server = await startWireServer();
      metering = startMetering();
      metering.on();
      const module = (await load()) as typeof MistralModule;
      mistral.patch(module, metering.current);
      client = new module.Mistral({ apiKey: 'test', serverURL: server.url });
    });
    after(async () => {
      metering.off();
      metering.close();
      await server.close();
    });

    async function recordOf(script: Script, call: () => Promise<unknown>): Promise<UsageRecord> {
      server.play(script);
      await call();
      return await onlyRecord(metering);
    }

    it('pages that were read', async () => {
      const record = await recordOf(json(OCR), () =>
        client.ocr.process({ model: 'mistral-ocr-latest', document }),
      );
      assert.partialDeepStrictEqual(record, {
        operation: 'ocr',
        provider: 'mistral_ai',
        requestModel: 'mistral-ocr-latest',
        responseModel: 'mistral-ocr-2512',
        outcome: 'ok',
        tokenSource: 'provider',
        attributes: { 'token_meter.usage.pages': 7 },
      });
      assert.equal(record.inputTokens, undefined);
    });

    it('annotated pages, which cost more', async () => {
      const schema = { name: 'tides', schemaDefinition: { type: 'object' } };
      const record = await recordOf(json(OCR), () =>
        client.ocr.process({
          model: 'mistral-ocr-latest',
          document,
          documentAnnotationFormat: { type: 'json_schema', jsonSchema: schema },
        }),
      );
      assert.equal(record.attributes['token_meter.usage.annotated_pages'], 7);
      assert.equal(record.attributes['token_meter.usage.pages'], undefined);
    });

    it('moderations, whose input is counted where it is not reported', async () => {
      const reply = { id: 'm1', model: 'mistral-moderation-2411', results: [] };
      const record = await recordOf(json(reply), () =>
        client.classifiers.moderate({
          model: 'mistral-moderation-latest',
          inputs: ['When is high tide?'],
        }),
      );
      assert.partialDeepStrictEqual(record, {
        operation: 'moderation',
        responseId: 'm1',
        responseModel: 'mistral-moderation-2411',
        outcome: 'ok',
      });
      assert.ok((record.inputTokens ?? 0) > 0);
      assert.notEqual(record.tokenSource, 'provider');
    });

    it('moderations of a chat, whose framing is unknown', async () => {
      const reply = { id: 'm1', model: 'mistral-moderation-2411', results: [] };
      const record = await recordOf(json(reply), () =>
        client.classifiers.moderateChat({
          model: 'mistral-moderation-latest',
          inputs: [{ role: 'user', content: 'When is high tide?' }],
        }),
      );
      assert.deepEqual([record.operation, record.inputTokens], ['moderation', undefined]);
    });

    it('classifications', async () => {
      const reply = { id: 'c1', model: 'ft:classifier', results: [] };
      const record = await recordOf(json(reply), () =>
        client.classifiers.classify({ model: 'ft:classifier', inputs: 'When is high tide?' }),
      );
      assert.deepEqual([record.operation, record.outcome], ['classification', 'ok']);
    });

    it('a failed call has no pages', async () => {
      const record = await recordOf({ status: 400, body: '{}' }, () =>
        assert.rejects(client.ocr.process({ model: 'mistral-ocr-latest', document })),
      );
      assert.deepEqual([record.outcome, record.tokenSource], ['error', undefined]);
    });

    if (title === '1') return;

    it('speech, whole', async () => {
      const record = await recordOf(json({ audio_data: 'AAAA' }), () =>
        client.audio.speech.complete({ model: 'voxtral-tts', input: 'High tide🌊' }),
      );
      assert.partialDeepStrictEqual(record, {
        operation: 'speech',
        outcome: 'ok',
        attributes: { 'token_meter.usage.input_characters': 10 },
      });
    });

    it('speech, streamed', async () => {
      const usage = { prompt_tokens: 5, completion_tokens: 60, total_tokens: 65 };
      const pieces = [
        { type: 'speech.audio.delta', audio_data: 'AAAA' },
        { type: 'speech.audio.done', usage },
      ].map((event) => sse(event, event.type));
      const record = await recordOf({ pieces }, async () => {
        const stream = await client.audio.speech.complete({
          model: 'voxtral-tts',
          input: 'High tide🌊',
          stream: true,
        });
        for await (const _event of stream as unknown as AsyncIterable<unknown>);
      });
      assert.partialDeepStrictEqual(record, { outcome: 'ok', inputTokens: 5, outputTokens: 60 });
      assert.equal(record.attributes['token_meter.usage.input_characters'], 10);
      assert.ok(record.timeToFirstChunkMs !== undefined);
    });
  });
}
