import assert from 'node:assert/strict';
import { join } from 'node:path';
import { commandsOf } from '../support/doc-commands.ts';
import { documentedApp, type DocumentedApp } from '../support/documented-app.ts';
import { attributesOf, startOtlpReceiver, type OtlpReceiver } from '../support/otlp-receiver.ts';
import { readDoc } from '../support/doc-blocks.ts';

const LINE = /^alice gpt-4o 18→9 tok/m;
const ASK = `{
  model: 'gpt-4o',
  messages: [{ role: 'user', content: 'When is high tide?' }],
}`;
const PROGRAMS: Readonly<Record<string, string>> = {
  'user.mjs': `import OpenAI from 'openai';
import { withUsageContext } from 'otel-token-meter';
await withUsageContext({ userId: 'alice' }, async () => {
  await new Promise((resolve) => setTimeout(resolve, 5));
  await new OpenAI().chat.completions.create(${ASK});
});`,
  'typed.ts': `import OpenAI from 'openai';
const reply: OpenAI.ChatCompletion = await new OpenAI().chat.completions.create({
  ...${ASK}, user: 'alice' } as OpenAI.ChatCompletionCreateParamsNonStreaming);
console.log(reply.choices[0]?.message.content);`,
  'common.cjs': `const OpenAI = require('openai');
new OpenAI().chat.completions.create({ ...${ASK}, user: 'alice' }).then(console.log);`,
  'ai.mjs': `import { generateText } from 'ai';
import { createOpenAI } from '@ai-sdk/openai';
import { withUsageContext } from 'otel-token-meter';
const openai = createOpenAI({ baseURL: process.env.OPENAI_BASE_URL, apiKey: 'test' });
await withUsageContext({ userId: 'alice' }, () =>
  generateText({ model: openai.chat('gpt-4o'), prompt: 'When is high tide?' }));`,
  'late.mjs': `import OpenAI from 'openai';
import { TokenMeterInstrumentation } from 'otel-token-meter';
new TokenMeterInstrumentation();
console.log(await new OpenAI().chat.completions.create(${ASK}));`,
  'counted.mjs': `import { countTokens } from 'otel-token-meter/tokens';
console.log(countTokens('When is high tide?', 'gpt-4o'));`,
};
const DENO_PRELOAD = '--preload=./node_modules/otel-token-meter/dist/register.js';

interface Runtime {
  /** Runs a program without the preload. */
  readonly plain: readonly string[];
  readonly preload: readonly string[];
  readonly file: (file: string) => readonly string[];
  readonly command: readonly string[];
}

const RUNTIMES: Readonly<Record<string, Runtime>> = {
  Bun: {
    plain: ['bun'],
    preload: ['bun', '--preload', 'otel-token-meter/register'],
    file: (file) => ['bun', '--preload', file],
    command: ['bun', 'node_modules/otel-token-meter/dist/cli.js'],
  },
  Deno: {
    plain: ['deno', 'run', '-A'],
    preload: ['deno', 'run', '-A', DENO_PRELOAD],
    file: (file) => ['deno', 'run', '-A', `--preload=${file}`],
    command: ['deno', 'run', '-A', 'node_modules/otel-token-meter/dist/cli.js'],
  },
};

/**
 * Holds the table of docs/platforms.md: \`npm run test:file -- test/slow/runtimes.test.ts\`. The binaries
 * of both runtimes are packages of npm (200 MB).
 */
describe('runtimes beside Node', function () {
  this.timeout(300_000);
  let app: DocumentedApp;
  let receiver: OtlpReceiver;
  before(async () => {
    app = await documentedApp([
      'bun@1.4',
      'deno@2.9',
      'ai@7',
      '@ai-sdk/openai@4',
      '@opentelemetry/sdk-node@^0.301.0',
    ]);
    for (const [file, text] of Object.entries(PROGRAMS)) await app.write(file, text);
  });
  beforeEach(async () => (receiver = await startOtlpReceiver()));
  afterEach(async () => await receiver?.close());
  after(async () => await app?.remove());

  async function run(
    [command = '', ...args]: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<{ readonly out: string; readonly err: string }> {
    const binary = join(app.folder, 'node_modules/.bin', command);
    const ran = await app.run(binary, args, { NO_COLOR: '1', ...env });
    assert.equal(ran.code, 0, `${args.join(' ')}: ${ran.out}${ran.err}`);
    return ran;
  }

  const otlp = (): Record<string, string> => ({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
    OTEL_TRACES_EXPORTER: '',
    OTEL_METRICS_EXPORTER: '',
    OTEL_LOGS_EXPORTER: '',
    OTEL_SERVICE_NAME: 'tides',
  });

  function assertDelivered(): void {
    const signals = receiver.requests.map(({ signal }) => signal).toSorted();
    assert.deepEqual([...new Set(signals)], ['logs', 'metrics', 'traces']);
    const spans = receiver.requests
      .filter(({ signal }) => signal === 'traces')
      .flatMap(({ body }) => body.resourceSpans)
      .flatMap((resource) => resource.scopeSpans)
      .filter(({ scope }) => scope.name === 'otel-token-meter')
      .flatMap((scope) => scope.spans);
    assert.equal(spans.length, 1);
    assert.equal(attributesOf(spans[0].attributes)['gen_ai.usage.input_tokens'], 18);
  }

  it('have their table in the document', () => {
    const [, head = ''] = /^\| +\|(.*)$/m.exec(readDoc('docs/platforms.md')) ?? [];
    assert.equal(head.replaceAll(/\d\.\d|\W/g, ''), Object.keys(RUNTIMES).join(''));
  });

  for (const line of commandsOf('docs/platforms.md', 'bun ')) {
    it(line, async () => {
      const words = line.replace('app.ts', 'typed.ts').split(' ');
      const { err } = await run(words, { TOKEN_METER_SETTINGS_STORE: 'file' });
      assert.match(err, LINE);
      assert.doesNotMatch(err, /Warning|denied/i);
    });
  }

  for (const [name, { plain, preload, file: preloading, command }] of Object.entries(RUNTIMES)) {
    describe(name, () => {
      for (const file of ['user.mjs', 'typed.ts', 'common.cjs', 'ai.mjs']) {
        it(`preload: ${file}`, async () => {
          const { err } = await run([...preload, file]);
          assert.match(err, LINE);
          assert.doesNotMatch(err, /Warning/);
        });
      }

      it('preload: over OTLP, by standard variables', async () => {
        await run([...preload, 'typed.ts'], otlp());
        assertDelivered();
      });

      it('preload: the file store of the settings lets the process end', async () => {
        const { err } = await run([...preload, 'typed.ts'], { TOKEN_METER_SETTINGS_STORE: 'file' });
        assert.match(err, LINE);
      });

      it('own NodeSDK in a file loaded first', async () => {
        await app.write(
          'own-sdk.mjs',
          `import { NodeSDK } from '@opentelemetry/sdk-node';
import { TokenMeterInstrumentation } from 'otel-token-meter';
const sdk = new NodeSDK({ instrumentations: [new TokenMeterInstrumentation()] });
sdk.start();
process.once('beforeExit', () => void sdk.shutdown());`,
        );
        await run([...preloading('./own-sdk.mjs'), 'typed.ts'], otlp());
        assertDelivered();
      });

      it('SQLite ledger, and the report of it', async () => {
        const env = {
          TOKEN_METER_PROVIDER: 'sqlite',
          TOKEN_METER_SQLITE_PATH: join(app.folder, `${name}.db`),
        };
        const { err } = await run([...preload, 'user.mjs'], env);
        assert.doesNotMatch(err, /Warning|token-meter/);
        const { out } = await run([...command, 'report', '--by', 'user'], env);
        assert.match(out, /^alice +1 +18/m);
      });

      it('has no warning of a call that is not metered', async () => {
        const { out, err } = await run([...plain, 'late.mjs']);
        assert.match(out, /chat\.completion/);
        assert.equal(err, '');
      });

      it('counts tokens', async () => {
        assert.equal((await run([...plain, 'counted.mjs'])).out, '5\n');
      });
    });
  }

  it('Deno exports by its own OpenTelemetry, which it starts itself', async () => {
    await run([...(RUNTIMES['Deno']?.preload ?? []), 'typed.ts'], { ...otlp(), OTEL_DENO: 'true' });
    assertDelivered();
  });
});
