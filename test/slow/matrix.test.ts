import assert from 'node:assert/strict';
import {
  attributesOf,
  startOtlpReceiver,
  type OtlpReceiver,
  type OtlpSignal,
} from '../support/otlp-receiver.ts';
import { installedApp, type UserApp } from '../support/packed.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

const USAGE = { prompt_tokens: 18, completion_tokens: 9, total_tokens: 27 };
const CHAT = `await new OpenAI().chat.completions.create({
    model: 'gpt-4o',
    user: 'alice',
    messages: [{ role: 'user', content: 'When is high tide?' }],
  });`;

const SDKS = {
  '2.x': ['@opentelemetry/sdk-node@0.223.0', '@opentelemetry/api@~1.9.0'],
  '3.x': ['@opentelemetry/sdk-node@^0.301.0', '@opentelemetry/api@~1.10.0'],
} as const;

/** Source of one application: how it is written, and how it is metered. */
const WAYS: Readonly<Record<'register' | 'NodeSDK' | 'by hand', (style: Style) => string>> = {
  register: ({ load, main }) => `${load('OpenAI', 'openai')}\n${main(CHAT)}`,
  NodeSDK: ({ load, loadLater, main }) => `
${load('NodeSDK', '@opentelemetry/sdk-node')}
${load('flush, TokenMeterInstrumentation', 'otel-token-meter')}
const sdk = new NodeSDK({ instrumentations: [new TokenMeterInstrumentation()] });
sdk.start();
${main(`${loadLater('OpenAI', 'openai')}
  ${CHAT}
  await flush();
  await sdk.shutdown();`)}`,
  'by hand': ({ load, main }) => `
${load('OpenAI', 'openai')}
${load('NodeSDK', '@opentelemetry/sdk-node')}
${load('flush, TokenMeterInstrumentation', 'otel-token-meter')}
const instrumentation = new TokenMeterInstrumentation();
const sdk = new NodeSDK({ instrumentations: [instrumentation] });
sdk.start();
instrumentation.instrument('openai', OpenAI);
${main(`${CHAT}
  await flush();
  await sdk.shutdown();`)}`,
};

interface Style {
  readonly file: string;
  readonly load: (names: string, from: string) => string;
  readonly loadLater: (names: string, from: string) => string;
  readonly main: (body: string) => string;
}

const esm = (file: string): Style => ({
  file,
  load: (names, from) => `import { ${names} } from '${from}';`,
  loadLater: (names, from) => `const { ${names} } = await import('${from}');`,
  main: (body) => body,
});
const STYLES: Readonly<Record<'ESM' | 'CommonJS' | 'TypeScript', Style>> = {
  ESM: esm('app.mjs'),
  CommonJS: {
    file: 'app.cjs',
    load: (names, from) => `const { ${names} } = require('${from}');`,
    loadLater: (names, from) => `const { ${names} } = require('${from}');`,
    main: (body) => `void (async () => {\n  ${body}\n})();`,
  },
  TypeScript: {
    ...esm('app.ts'),
    main: (body) =>
      `const started: number = Date.now();\n${body}\nif (Date.now() < started) throw new Error();`,
  },
};

describe('applications installed from the packed tarball', () => {
  let server: WireServer;
  let receiver: OtlpReceiver;
  before(async () => {
    server = await startWireServer();
    server.play(chatPlain({ model: 'gpt-4o', usage: USAGE, streamUsage: { usage: USAGE } }));
  });
  beforeEach(async () => (receiver = await startOtlpReceiver()));
  afterEach(() => receiver.close());
  after(() => server.close());

  const env = (): Record<string, string> => ({
    OPENAI_BASE_URL: server.url,
    OPENAI_API_KEY: 'test',
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.httpUrl,
    TOKEN_METER_PROVIDER: 'otlp',
    TOKEN_METER_SETTINGS_STORE: 'memory',
  });

  function assertOneCall(what: string): void {
    const all = (signal: OtlpSignal): any[] =>
      receiver.requests.filter((request) => request.signal === signal).map(({ body }) => body);
    const spans = all('traces')
      .flatMap((body) => body.resourceSpans)
      .flatMap((resource) => resource.scopeSpans)
      .filter((scope) => scope.scope.name === 'otel-token-meter')
      .flatMap((scope) => scope.spans);
    assert.deepEqual(
      spans.map((span) => span.name),
      ['chat gpt-4o'],
      what,
    );
    const events = all('logs')
      .flatMap((body) => body.resourceLogs)
      .flatMap((resource) => resource.scopeLogs)
      .flatMap((scope) => scope.logRecords);
    assert.deepEqual(
      events.map((event) => attributesOf(event.attributes)['gen_ai.usage.input_tokens']),
      [18],
      what,
    );
    const sums = all('metrics')
      .flatMap((body) => body.resourceMetrics)
      .flatMap((resource) => resource.scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .filter((metric) => metric.name === 'gen_ai.client.token.usage')
      .flatMap((metric) => metric.histogram.dataPoints.map((point: any) => point.sum));
    assert.deepEqual(sums, [18, 9], what);
  }

  for (const [sdk, packages] of Object.entries(SDKS)) {
    for (const openai of ['6', '7']) {
      describe(`SDK ${sdk}, openai ${openai}`, () => {
        let app: UserApp;
        before(async () => (app = await installedApp([`openai@${openai}`, ...packages])));
        after(() => app.remove());

        for (const [language, style] of Object.entries(STYLES)) {
          for (const [way, source] of Object.entries(WAYS)) {
            it(`meters one call once: ${language}, ${way}`, async () => {
              await app.write(style.file, source(style));
              const preload = way === 'register' ? ['--import', 'otel-token-meter/register'] : [];
              const { code, err } = await app.run('node', [...preload, style.file], env());
              assert.deepEqual([code, err], [0, '']);
              assertOneCall(`${language}, ${way}`);
            });
          }
        }
      });
    }
  }

  // The oldest and the newest that `engines` and README promise; the project itself runs on one between.
  for (const version of ['22.18.0', '26']) {
    describe(`Node ${version}`, () => {
      let app: UserApp;
      before(async () => {
        app = await installedApp([`node@${version}`, 'openai@7', ...SDKS['3.x']]);
      });
      after(() => app.remove());

      for (const [language, style] of Object.entries(STYLES)) {
        it(`meters one call once: ${language}`, async () => {
          const node = 'node_modules/node/bin/node';
          const { out } = await app.run(node, ['--version']);
          assert.ok(out.startsWith(`v${version}`), out);
          await app.write(style.file, WAYS.register(style));
          const preload = [
            '--disable-warning=ExperimentalWarning',
            '--import',
            'otel-token-meter/register',
          ];
          const { code, err } = await app.run(node, [...preload, style.file], env());
          assert.deepEqual([code, err], [0, '']);
          assertOneCall(language);
        });
      }
    });
  }

  describe('bundled with esbuild', () => {
    let app: UserApp;
    before(async () => (app = await installedApp(['openai@7', 'esbuild'])));
    after(() => app.remove());

    const source = (body: string): string => `
import { OpenAI } from 'openai';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';
const instrumentation = new TokenMeterInstrumentation({
  onUsage: (record) => console.log(record.inputTokens),
});
${body}
void (async () => {
  ${CHAT}
  await flush();
})();
`;

    for (const format of ['esm', 'cjs']) {
      it(`meters one call once, the SDK given by hand: ${format}`, async () => {
        await app.write('app.mjs', source(`instrumentation.instrument('openai', OpenAI);`));
        const file = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`;
        const require =
          "import{createRequire as r}from'node:module';const require=r(import.meta.url);";
        const built = await app.run('npx', [
          'esbuild',
          'app.mjs',
          '--bundle',
          '--platform=node',
          `--format=${format}`,
          `--outfile=${file}`,
          '--log-level=error',
          ...(format === 'esm' ? [`--banner:js=${require}`] : []),
        ]);
        assert.equal(built.code, 0, built.err);
        const { code, out, err } = await app.run('node', [file], env());
        assert.deepEqual([code, out.trim(), err], [0, '18', '']);
      });
    }

    it('warns when nobody gave it the SDK', async () => {
      await app.write('app.mjs', source(''));
      const { code, out, err } = await app.run('node', ['app.mjs'], env());
      assert.deepEqual([code, out], [0, '']);
      assert.match(err, /is not metered: its SDK was imported before the instrumentation/);
    });
  });
});
