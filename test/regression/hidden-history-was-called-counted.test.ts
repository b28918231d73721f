import assert from 'node:assert/strict';
import type * as OpenAiModule from 'openai';
import { openai } from '../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs } from '../support/sdk-versions.ts';
import { onlyRecord } from '../support/watched-call.ts';
import { responsesStream } from '../support/wire/openai-responses.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

type Request = Partial<OpenAiModule.OpenAI.Responses.ResponseCreateParamsStreaming>;

const ASKED: Request = { input: 'How often does the tide come in?' };
const HIDDEN: Readonly<Record<string, Request>> = {
  previous_response_id: { ...ASKED, previous_response_id: 'resp_1' },
  conversation: { ...ASKED, conversation: 'conv_1' },
  'an item_reference': {
    input: [
      { type: 'item_reference', id: 'msg_1' },
      { role: 'user', content: 'And when?' },
    ],
  },
  'a stored prompt with input of its own': { ...ASKED, prompt: { id: 'pmpt_1' } },
  'a hosted tool': { ...ASKED, tools: [{ type: 'web_search' }] },
  'a file by its id': {
    input: [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-1' }] }],
  },
};

/**
 * What the request only names is billed like the rest, so a count of the request alone is an estimate,
 * and of a request that holds nothing else there is none.
 */
describe('a reply left at its first event', () => {
  let server: WireServer;
  let metering: Metering;
  let client: OpenAiModule.OpenAI;

  before(async () => {
    server = await startWireServer();
    server.play(responsesStream({ model: 'gpt-4o', usage: {} }));
    metering = startMetering();
    const module = (await loadCjs('openai')()) as typeof OpenAiModule;
    openai.patch(module, metering.current);
    client = new module.OpenAI({ baseURL: server.url, apiKey: 'test' });
    metering.on();
  });
  after(async () => {
    metering.off();
    metering.close();
    await server.close();
  });

  async function leave(request: Request): Promise<void> {
    const stream = await client.responses.create({ model: 'gpt-4o', ...request, stream: true });
    for await (const _event of stream) break;
  }

  it('is counted when the request holds all of it', async () => {
    await leave(ASKED);
    const { inputTokens, tokenSource } = await onlyRecord(metering);
    assert.equal(tokenSource, 'counted');
    assert.ok((inputTokens ?? 0) > 0);
  });

  for (const [title, request] of Object.entries(HIDDEN)) {
    it(`is estimated with ${title}`, async () => {
      await leave(request);
      const { inputTokens, tokenSource } = await onlyRecord(metering);
      assert.equal(tokenSource, 'estimated');
      assert.ok((inputTokens ?? 0) > 0);
    });
  }

  it('has no count when all is in a stored prompt', async () => {
    await leave({ prompt: { id: 'pmpt_1', variables: { city: 'Brest' } } });
    const { inputTokens, tokenSource } = await onlyRecord(metering);
    assert.deepEqual([inputTokens, tokenSource], [undefined, undefined]);
  });
});
