import assert from 'node:assert/strict';
import type { UsageRecord } from '../../src/index.ts';
import { runBundled } from '../support/bundled.ts';
import { conversePlain } from '../support/wire/bedrock.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };

const PROGRAM = `
import { BedrockRuntimeClient, ConverseCommand } from '@aws-sdk/client-bedrock-runtime';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import OpenAI from 'openai';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';

const records = [];
const instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
const patched = [
  instrumentation.instrument('openai', OpenAI),
  instrumentation.instrument('@aws-sdk/client-bedrock-runtime', BedrockRuntimeClient),
];
await new OpenAI({ baseURL: process.env.OPENAI_URL, apiKey: 'test' }).chat.completions.create({
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'When is high tide?' }],
});
const bedrock = new BedrockRuntimeClient({
  region: 'eu-west-3',
  endpoint: process.env.BEDROCK_URL,
  credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
  requestHandler: new NodeHttpHandler(),
});
await bedrock.send(
  new ConverseCommand({
    modelId: 'anthropic.claude-3-haiku-20240307-v1:0',
    messages: [{ role: 'user', content: [{ text: 'When is high tide?' }] }],
  }),
);
await flush();
process.stdout.write(JSON.stringify({ patched, records }));
`;

/** A bundler renames classes, and its modules have no place of their own to be found from. */
describe('a bundled application', () => {
  let openai: WireServer;
  let bedrock: WireServer;
  before(async () => {
    [openai, bedrock] = await Promise.all([startWireServer(), startWireServer()]);
    openai.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: {} }));
    bedrock.play(conversePlain);
  });
  after(() => Promise.all([openai.close(), bedrock.close()]));

  for (const [format, minify] of [
    ['esm', true],
    ['cjs', false],
  ] as const) {
    it(`records calls with their cost: ${format}${minify ? ', minified' : ''}`, async () => {
      // Only an ES module may await at its top.
      const program =
        format === 'esm'
          ? PROGRAM
          : PROGRAM.replace(/\nconst records[^]*$/, '\nvoid (async () => {$&})();');
      const out = await runBundled(
        program,
        { format, minify },
        { OPENAI_URL: openai.url, BEDROCK_URL: bedrock.url },
      );
      const { patched, records } = JSON.parse(out) as {
        readonly patched: readonly boolean[];
        readonly records: readonly UsageRecord[];
      };
      assert.deepEqual(patched, [true, true]);
      assert.deepEqual(
        records.map(({ provider, outcome, tokenSource }) => [provider, outcome, tokenSource]),
        [
          ['openai', 'ok', 'provider'],
          ['aws.bedrock', 'ok', 'provider'],
        ],
      );
      for (const { costUsd, provider } of records) {
        assert.ok((costUsd ?? 0) > 0, `cost of ${provider}`);
      }
    });
  }
});
