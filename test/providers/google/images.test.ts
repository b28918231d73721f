import assert from 'node:assert/strict';
import type * as GoogleModule from '@google/genai';
import { google } from '../../../src/providers/google/index.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs } from '../../support/sdk-versions.ts';
import { onlyRecord } from '../../support/watched-call.ts';
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts';

for (const [title, load] of [
  ['3', loadCjs('@google/genai')],
  ['2', loadCjs('@google/genai', 'previous')],
] as const) {
  describe(`images of @google/genai ${title}`, () => {
    let server: WireServer;
    let metering: Metering;
    let ai: GoogleModule.GoogleGenAI;
    before(async () => {
      server = await startWireServer();
      metering = startMetering();
      metering.on();
      const module = (await load()) as typeof GoogleModule;
      google.patch(module, metering.current);
      ai = new module.GoogleGenAI({
        apiKey: 'test',
        vertexai: true,
        httpOptions: { baseUrl: server.url },
      });
    });
    after(async () => {
      metering.off();
      metering.close();
      await server.close();
    });
    const generate = (): Promise<unknown> =>
      ai.models.generateImages({
        model: 'imagen-4.0-generate-001',
        prompt: 'a tide table',
        config: { numberOfImages: 3, imageSize: '2K' },
      });

    it('are billed by their number, without those that a filter held back', async () => {
      const image = { bytesBase64Encoded: 'AAAA', mimeType: 'image/png' };
      const predictions = [image, image, { raiFilteredReason: 'x' }];
      server.play({ body: JSON.stringify({ predictions }) });
      await generate();
      const record = await onlyRecord(metering);
      assert.partialDeepStrictEqual(record, {
        operation: 'image_generation',
        provider: 'gcp.vertex_ai',
        requestModel: 'imagen-4.0-generate-001',
        outcome: 'ok',
        tokenSource: 'provider',
        attributes: { 'token_meter.usage.generated_images': 2, 'token_meter.image.size': '2K' },
      });
      assert.equal(record.inputTokens, undefined);
    });

    it('a failed call has none', async () => {
      server.play({ status: 400, body: JSON.stringify({ error: { code: 400 } }) });
      await assert.rejects(generate);
      const record = await onlyRecord(metering);
      assert.deepEqual([record.outcome, record.tokenSource], ['error', undefined]);
      assert.equal(record.attributes['token_meter.usage.generated_images'], undefined);
    });
  });
}
