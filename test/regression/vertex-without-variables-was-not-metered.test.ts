import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp } from '../support/run-app.ts';
import { anthropicPlain } from '../support/wire/anthropic.ts';
import { conversePlain } from '../support/wire/bedrock.ts';
import { googlePlain, googleStream } from '../support/wire/google.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('../sdks/ai-5/vertex.mjs', import.meta.url));

const EMBEDDING: Script = {
  body: JSON.stringify({
    predictions: [{ embeddings: { values: [0.1], statistics: { token_count: 5 } } }],
  }),
};
const OBJECT: Script = {
  body: (googlePlain.body as string).replace(/"text":"[^"]*"/g, '"text":"{}"'),
};
const IMAGE: Script = {
  body: JSON.stringify({
    predictions: [{ mimeType: 'image/png', bytesBase64Encoded: 'iVBORw0KGgo=' }],
  }),
};

/** One a call of the application, in its order. */
const SCRIPTS: readonly [Script, ...Script[]] = [
  googlePlain,
  googleStream,
  OBJECT,
  EMBEDDING,
  conversePlain,
  anthropicPlain,
  anthropicPlain,
  conversePlain,
  IMAGE,
];

/**
 * Models were found by calling each provider at its import, with the name of none. Vertex refuses that
 * without variables that an application may well not have.
 */
describe('AI SDK 5, with providers that are set up in the code', () => {
  let server: WireServer;
  before(async () => (server = await startWireServer()));
  after(() => server.close());

  for (const how of ['import', 'require']) {
    it(`records every call: ${how}`, async () => {
      server.play(...SCRIPTS);
      const { code, out, err } = await runApp(APP, {
        args: [how],
        env: { SERVER_URL: server.url },
      });
      assert.equal(code, 0, err);
      assert.doesNotMatch(err, /TOKEN_METER/);
      assert.deepEqual(JSON.parse(out), {
        generateText: [['chat', 'ok', 12]],
        streamText: [['chat', 'ok', 12]],
        generateObject: [['chat', 'ok', 12]],
        embed: [['embeddings', 'ok', 5]],
        'ready instance': [['chat', 'ok', 32]],
        vertexAnthropic: [['chat', 'ok', 36]],
        bedrockAnthropic: [['chat', 'ok', 36]],
        bedrock: [['chat', 'ok', 32]],
        image: [['image_generation', 'ok']],
        stable: true,
      });
    });
  }
});
