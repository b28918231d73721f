import assert from 'node:assert/strict';
import type * as OpenAiModule from 'openai';
import { openai } from '../../src/providers/openai/index.ts';
import { startMetering, type Metering } from '../support/metering.ts';
import { loadCjs, type InstalledIn } from '../support/sdk-versions.ts';
import { onlyRecord, USAGE } from '../support/watched-call.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const REPLY = chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: {} });
const BODY = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'When?' }] };

/** A number of retries was taken for a retry that goes on, and only `post` for a POST. */
describe('requests that an application sends by client.request()', () => {
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

  for (const place of [
    'root',
    'openai-6',
    'openai-5',
    'openai-4',
  ] as const satisfies InstalledIn[]) {
    describe(`openai of ${place}`, () => {
      let client: OpenAiModule.OpenAI;
      before(async () => {
        const module = (await loadCjs('openai', place)()) as typeof OpenAiModule;
        openai.patch(module, metering.current);
        client = new module.OpenAI({ baseURL: server.url, apiKey: 'test', maxRetries: 3 });
      });

      for (const method of ['post', 'POST']) {
        for (const retries of [undefined, null, 2]) {
          it(`${method}, retries ${String(retries)}`, async () => {
            server.play({ status: 500, body: '{}', headers: { 'retry-after-ms': '1' } }, REPLY);
            const options = { method: method as 'post', path: '/chat/completions', body: BODY };
            const { choices } = (await client.request(options, retries)) as {
              choices: readonly unknown[];
            };
            assert.equal(choices.length, 1);
            assert.equal((await server.served()).requests.length, 2);
            const { outcome, inputTokens } = await onlyRecord(metering);
            assert.deepEqual([outcome, inputTokens], ['ok', USAGE.prompt_tokens]);
          });
        }
      }

      it('two at once with the same options', async () => {
        server.play(REPLY);
        const options = { method: 'post' as const, path: '/chat/completions', body: BODY };
        await Promise.all([client.request(options, 1), client.request(options, 1)]);
        assert.equal((await metering.take()).records.length, 2);
      });
    });
  }
});
