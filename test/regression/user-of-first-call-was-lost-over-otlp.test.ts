import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };

/**
 * The preload starts its SDK at the first call, and with it a context manager, inside the context of
 * that call's user.
 */
describe('regression: the user of the first call over OTLP', () => {
  for (const way of ['plain', 'in a span']) {
    it(`is on span and event, called ${way}`, async () => {
      const server = await startWireServer();
      server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
      const receiver = await startOtlpReceiver();
      try {
        const { err, code } = await runApp(
          fileURLToPath(new URL('../register/apps/two-users.mjs', import.meta.url)),
          {
            node: ['--import', 'otel-token-meter/register'],
            args: [way],
            env: {
              OPENAI_BASE_URL: server.url,
              OPENAI_API_KEY: 'test',
              OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
              TOKEN_METER_SETTINGS_STORE: 'memory',
            },
          },
        );
        assert.deepEqual([err, code], ['', 0]);
        const users = (signal: string, resources: string, scopes: string, items: string): unknown =>
          receiver.requests
            .filter((request) => request.signal === signal)
            .flatMap(({ body }) => body[resources])
            .flatMap((resource) => resource[scopes])
            .filter(({ scope }) => scope.name === 'otel-token-meter')
            .flatMap((scope) => scope[items])
            .map(({ attributes }) => attributesOf(attributes)['user.id']);
        assert.deepEqual(users('traces', 'resourceSpans', 'scopeSpans', 'spans'), ['alice', 'bob']);
        const events = users('logs', 'resourceLogs', 'scopeLogs', 'logRecords');
        assert.deepEqual(events, ['alice', 'bob']);
      } finally {
        await receiver.close();
        await server.close();
      }
    });
  }
});
