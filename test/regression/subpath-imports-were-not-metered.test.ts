import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { runApp } from '../support/run-app.ts';
import { anthropicPlain } from '../support/wire/anthropic.ts';
import { googlePlain } from '../support/wire/google.ts';
import { ollamaPlain } from '../support/wire/ollama.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startSocketServer } from '../support/wire/socket-server.ts';
import { startWireServer, type Script, type WireServer } from '../support/wire/wire-server.ts';

const APP = fileURLToPath(new URL('../providers/apps/subpaths.mjs', import.meta.url));
const CHAT = chatPlain({
  model: 'gpt-4o',
  usage: { prompt_tokens: 36, completion_tokens: 9, total_tokens: 45 },
  streamUsage: {},
});

/** Entry, reply, its input tokens, and whether it has a CommonJS build of its own. */
const ENTRIES: readonly (readonly [string, Script, number, boolean])[] = [
  ['openai/client', CHAT, 36, true],
  ['openai/azure', CHAT, 36, true],
  ['groq-sdk/client', CHAT, 36, true],
  ['together-ai/client', CHAT, 36, true],
  ['@anthropic-ai/sdk/client', anthropicPlain, 36, true],
  ['@google/genai/web', googlePlain, 12, false],
  ['@google/genai/node', googlePlain, 12, false],
  ['ollama/browser', ollamaPlain, 12, true],
];

const SOCKET_ENTRIES = ['openai/realtime/ws', 'openai/resources/responses/ws'];
const CA = fileURLToPath(new URL('../fixtures/tls/ca.pem', import.meta.url));

describe('an SDK imported by another entry than its main one', () => {
  let server: WireServer;
  before(async () => (server = await startWireServer()));
  after(() => server.close());

  for (const how of ['import', 'require']) {
    it(`is metered: ${how}`, async () => {
      const entries = ENTRIES.filter(([, , , isRequired]) => how === 'import' || isRequired);
      const scripts = entries.map(([, script]) => script);
      server.play(...(scripts as [Script, ...Script[]]));
      const { out, err } = await runApp(APP, {
        args: [how, ...entries.map(([entry]) => entry)],
        env: { SERVER_URL: server.url },
      });
      assert.equal(err, '');
      assert.deepEqual(
        JSON.parse(out),
        Object.fromEntries(entries.map(([entry, , tokens]) => [entry, [['ok', tokens]]])),
      );
    });

    it(`is metered over a socket: ${how}`, async () => {
      const sockets = await startSocketServer();
      sockets.serve({
        received: (event, session) => {
          const id = String(event['type']);
          const usage = { input_tokens: 36, output_tokens: 9, total_tokens: 45 };
          const ending = session.path.startsWith('/v1/realtime') ? 'done' : 'completed';
          session.send(
            { type: 'response.created', response: { id, status: 'in_progress' } },
            { type: `response.${ending}`, response: { id, status: 'completed', usage } },
          );
        },
      });
      try {
        const { out, err } = await runApp(APP, {
          args: [how, ...SOCKET_ENTRIES],
          env: {
            SOCKET_URL: `${sockets.url.replace('wss', 'https')}/v1`,
            NODE_EXTRA_CA_CERTS: CA,
          },
        });
        assert.equal(err, '');
        assert.deepEqual(
          JSON.parse(out),
          Object.fromEntries(SOCKET_ENTRIES.map((entry) => [entry, [['ok', 36]]])),
        );
      } finally {
        await sockets.close();
      }
    });
  }
});
