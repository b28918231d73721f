import assert from 'node:assert/strict';
import type { OpenAI } from 'openai';
import { openai } from '../../../src/providers/openai/index.ts';
import { providerOfHost } from '../../../src/providers/openai/hosts.ts';
import { startMetering, type Metering } from '../../support/metering.ts';
import { loadCjs, loadEsm } from '../../support/sdk-versions.ts';
import { chatPlain } from '../../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../../support/wire/wire-server.ts';

const WIRE = {
  model: 'gpt-4o-2024-08-06',
  usage: { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 },
  streamUsage: {},
};

describe('openai, several copies in one process', () => {
  let server: WireServer;
  let metering: Metering;
  before(async () => {
    server = await startWireServer();
    metering = startMetering();
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  it('meters both builds of 7, and 6 and 4 beside them, each call once', async () => {
    const copies = await Promise.all([
      loadCjs('openai')(),
      loadEsm('openai')(),
      loadCjs('openai', 'openai-6')(),
      loadEsm('openai/index.mjs', 'openai-4')(),
    ]);
    for (const copy of copies) assert.notEqual(openai.patch(copy, metering.current), 'unfit');
    server.play(chatPlain(WIRE));
    const clients = copies.map((copy) => {
      const { OpenAI: Client } = copy as { OpenAI: typeof OpenAI };
      return new Client({ apiKey: 'test', baseURL: server.url, maxRetries: 0 });
    });
    await Promise.all(
      [...clients, ...clients].map((client) =>
        client.chat.completions.create({
          model: 'gpt-4o',
          messages: [{ role: 'user', content: 'How often?' }],
        }),
      ),
    );
    const { records, spans } = await metering.take();
    assert.deepEqual([records.length, spans.length], [8, 8]);
    assert.ok(records.every(({ inputTokens, outcome }) => inputTokens === 18 && outcome === 'ok'));
  });

  it('leaves a module of another shape alone', () => {
    for (const shape of [undefined, {}, { OpenAI: class {} }, { OpenAI: 'class' }, () => 1]) {
      assert.equal(openai.patch(shape, metering.current), 'unfit');
    }
  });

  it('tells the services behind a base URL apart', () => {
    const hosts = {
      'api.openai.com': 'openai',
      'eu.api.openai.com': 'openai',
      'our.openai.azure.com': 'azure.ai.openai',
      'our.services.ai.azure.com': 'azure.ai.inference',
      'api.deepseek.com': 'deepseek',
      'api.x.ai': 'x_ai',
      'api.groq.com': 'groq',
      'us-central1-aiplatform.googleapis.com': 'gcp.vertex_ai',
      'aiplatform.googleapis.com': 'gcp.vertex_ai',
      'api.moonshot.cn': 'moonshot_ai',
      'api.fireworks.ai': 'fireworks',
      'dashscope-intl.aliyuncs.com': 'alibaba',
      'api.z.ai': 'zai',
      'openrouter.ai': 'openrouter',
      'fuzz.ai': 'openai',
      'not-groq.com': 'openai',
      localhost: 'openai',
      '10.0.0.7': 'openai',
      'llm.example.internal': 'openai',
      '': 'openai',
    };
    for (const [host, provider] of Object.entries(hosts)) {
      assert.equal(providerOfHost(host), provider, host);
    }
  });
});
