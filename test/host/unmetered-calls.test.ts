import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp } from '../support/run-app.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('./apps/unmetered.mjs', import.meta.url));
const EARLIER = ['TOKEN_METER_IMPORTED_EARLIER'];
const UNKNOWN = ['TOKEN_METER_UNKNOWN_SDK'];
const UNSUPPORTED = ['TOKEN_METER_UNSUPPORTED_API'];

describe('a call that is not metered', () => {
  let http1: WireServer;
  let http2: WireServer;
  before(async () => {
    [http1, http2] = await Promise.all([startWireServer(), startWireServer('http2')]);
  });
  after(() => Promise.all([http1.close(), http2.close()]));

  it('is warned about with a code for its cause, whichever SDK and client makes it', async () => {
    const { out, err } = await runApp(APP, {
      env: { SERVER_URL: http1.url, HTTP2_URL: http2.url },
    });
    assert.deepEqual(JSON.parse(out || 'null'), {
      openai: EARLIER,
      'openai 4': EARLIER,
      groq: EARLIER,
      together: EARLIER,
      anthropic: EARLIER,
      google: EARLIER,
      mistral: EARLIER,
      cohere: EARLIER,
      ollama: EARLIER,
      'bedrock, HTTP/2': EARLIER,
      'a plain fetch': UNKNOWN,
      'a plain http request': UNKNOWN,
      'a vendored provider': ['TOKEN_METER_BUNDLED_SDK'],
      'a minified openai': EARLIER,
      'a minified anthropic': EARLIER,
      "assistants' runs": UNSUPPORTED,
      'Anthropic sessions': UNSUPPORTED,
      'a wrapped call': [],
      'no call of a model': [],
      'by hand': UNKNOWN,
      'by hand, another shape': ['TOKEN_METER_UNKNOWN_SHAPE'],
    });
    assert.doesNotMatch(err, /When is high tide/);
  });
});
