import assert from 'node:assert/strict';
import { linkedApp, type LinkedApp } from '../support/linked-app.ts';
import { attributesOf, startOtlpReceiver } from '../support/otlp-receiver.ts';
import { runApp } from '../support/run-app.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const ASK = `({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'When is high tide?' }],
})`;
const OWN_SDK = (
  instrumentations: string,
): string => `import { NodeSDK } from '@opentelemetry/sdk-node';
import { TokenMeterInstrumentation } from 'otel-token-meter';
const sdk = new NodeSDK({ instrumentations: [${instrumentations}] });
sdk.start();
process.once('beforeExit', () => void sdk.shutdown());
`;
const FILES = {
  'package.json': '{ "name": "tides", "private": true }',
  'app.mjs': `import OpenAI from 'openai';
const reply = await new OpenAI().chat.completions.create${ASK};
console.log(reply.choices[0].message.content);
`,
  'app.cjs': `const OpenAI = require('openai');
new OpenAI().chat.completions.create${ASK}.then((reply) => {
  console.log(reply.choices[0].message.content);
});
`,
  'app.mts': `import OpenAI from 'openai';
const reply: OpenAI.ChatCompletion = await new OpenAI().chat.completions.create${ASK};
console.log(reply.choices[0]?.message.content satisfies string | null | undefined);
`,
  'telemetry.mjs': OWN_SDK('new TokenMeterInstrumentation()'),
  'others.mjs': OWN_SDK(''),
};
const PRELOAD = ['--import', 'otel-token-meter/register'];
const WAYS = {
  'ESM, preload': [...PRELOAD, 'app.mjs'],
  'CommonJS, preload': [...PRELOAD, 'app.cjs'],
  'TypeScript, preload': [...PRELOAD, 'app.mts'],
  'own NodeSDK': ['--import', './telemetry.mjs', 'app.mjs'],
  'preload beside own NodeSDK': [...PRELOAD, '--import', './others.mjs', 'app.mjs'],
};
const OPENAI = {
  'openai 6': 'test/sdks/openai-6/node_modules/openai',
  'openai 7': 'node_modules/openai',
};

/** Nothing of ours is configured: no variable, no file. */
describe('ten applications over OTLP, by standard variables alone', () => {
  let server: WireServer;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  after(() => server.close());

  for (const [version, openai] of Object.entries(OPENAI)) {
    describe(version, () => {
      let app: LinkedApp;
      before(() => {
        const otel = ['api', 'sdk-node'].map((name) => `@opentelemetry/${name}`);
        const installed = Object.fromEntries(otel.map((name) => [name, `node_modules/${name}`]));
        app = linkedApp(FILES, { openai, ...installed });
      });
      after(() => app.remove());

      for (const [way, args] of Object.entries(WAYS)) {
        it(`${way}: one span, one event and metrics`, async () => {
          const receiver = await startOtlpReceiver();
          const [file = '', ...node] = args.toReversed();
          try {
            const ran = await runApp(file, {
              node: node.toReversed(),
              cwd: app.folder,
              env: {
                OPENAI_BASE_URL: server.url,
                OPENAI_API_KEY: 'test',
                OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
                OTEL_SERVICE_NAME: 'tides',
              },
            });
            assert.deepEqual(
              [ran.code, ran.out, ran.err],
              [0, 'The tide comes in twice a day.\n', ''],
            );
            const all = (signal: string, resources: string, scopes: string, items: string): any[] =>
              receiver.requests
                .filter((request) => request.signal === signal)
                .flatMap(({ body }) => body[resources])
                .flatMap((resource) => {
                  const attributes = attributesOf(resource.resource.attributes);
                  assert.equal(attributes['service.name'], 'tides');
                  return resource[scopes];
                })
                .filter(({ scope }) => scope.name === 'otel-token-meter')
                .flatMap((scope) => scope[items]);
            const spans = all('traces', 'resourceSpans', 'scopeSpans', 'spans');
            const events = all('logs', 'resourceLogs', 'scopeLogs', 'logRecords');
            const metrics = all('metrics', 'resourceMetrics', 'scopeMetrics', 'metrics');
            assert.deepEqual(
              spans.map(({ name, kind }) => [name, kind]),
              [['chat gpt-4o', 3]],
            );
            assert.deepEqual(
              events.map(({ eventName }) => eventName),
              ['gen_ai.client.inference.operation.details'],
            );
            assert.equal(events[0].traceId, spans[0].traceId);
            for (const { attributes } of [spans[0], events[0]]) {
              assert.partialDeepStrictEqual(attributesOf(attributes), {
                'gen_ai.usage.input_tokens': 18,
                'gen_ai.usage.output_tokens': 9,
                'token_meter.token_source': 'provider',
              });
            }
            const used = metrics.find(({ name }) => name === 'gen_ai.client.token.usage');
            assert.deepEqual(
              used?.histogram.dataPoints.map(({ sum }: { readonly sum: number }) => sum),
              [18, 9],
            );
            assert.ok(metrics.some(({ name }) => name === 'gen_ai.client.operation.duration'));
          } finally {
            await receiver.close();
          }
        });
      }
    });
  }
});
