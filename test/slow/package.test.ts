import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installedApp, type UserApp } from '../support/packed.ts';

const manifest = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
) as { exports: Record<string, unknown>; scripts: Record<string, string> };
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What each entry gives; types are left out at run time. */
const ENTRIES: Readonly<Record<string, readonly string[]>> = {
  'otel-token-meter': [
    'TokenMeterError',
    'TokenMeterInstrumentation',
    'createTokenMeterInstrumentation',
    'deliver',
    'deliverAfter',
    'flush',
    'meterChat',
    'recordUsage',
    'withUsageContext',
  ],
  'otel-token-meter/tokens': ['countChat', 'countMessageTokens', 'countTokens', 'encodingForModel'],
  'otel-token-meter/exporter': [
    'InfluxMetricExporter',
    'InfluxUsageProcessor',
    'InfluxUsageReader',
    'SqliteUsageProcessor',
    'SqliteUsageReader',
  ],
  'otel-token-meter/settings': [
    'FileSettingsStore',
    'MemorySettingsStore',
    'RedisSettingsStore',
    'SettingsService',
    'metricsSettings',
  ],
  'otel-token-meter/config': ['resolveConfig'],
};

const PROGRAM = `
import { NodeSDK } from '@opentelemetry/sdk-node';
import { PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { meterChat, recordUsage, TokenMeterInstrumentation, withUsageContext, type UsageRecord } from 'otel-token-meter';
import { InfluxMetricExporter, InfluxUsageProcessor, SqliteUsageProcessor } from 'otel-token-meter/exporter';
import { MemorySettingsStore, metricsSettings, SettingsService } from 'otel-token-meter/settings';
import { countTokens } from 'otel-token-meter/tokens';
import 'otel-token-meter/register';

const influx = { url: 'http://localhost:8086', bucket: 'llm' };
export const sdk = new NodeSDK({
  instrumentations: [new TokenMeterInstrumentation({ counting: 'missing' })],
  logRecordProcessors: [new InfluxUsageProcessor(influx), new SqliteUsageProcessor({ path: 'u.db' })],
  metricReaders: [new PeriodicExportingMetricReader({ exporter: new InfluxMetricExporter(influx) })],
});
export const ask = meterChat(async (request: { model: string }) => request.model.length);
export const answer: Promise<number> = ask({ model: 'gpt-4o' });
export const record: Promise<UsageRecord | undefined> = recordUsage({ model: 'gpt-4o' });
export const tokens: number = withUsageContext({ userId: 'a' }, () => countTokens('text', 'gpt-4o'));
export const service = new SettingsService({ schema: metricsSettings, store: new MemorySettingsStore() });
export const enabled: boolean = service.get().enabled;
// @ts-expect-error -- a wrong option is found by the compiler
new TokenMeterInstrumentation({ counting: 'often' });
`;

const SDKS = {
  '2.x': ['@opentelemetry/sdk-node@0.223.0', '@opentelemetry/sdk-metrics@^2.12.0'],
  '3.x': ['@opentelemetry/sdk-node@^0.301.0', '@opentelemetry/sdk-metrics@^3.1.0'],
} as const;

describe('the packed package', () => {
  for (const [sdk, packages] of Object.entries(SDKS)) {
    describe(`in a project with SDK ${sdk}`, () => {
      let app: UserApp;
      before(async () => {
        app = await installedApp([
          ...packages,
          '@types/node@24',
          'ts58@npm:typescript@~5.8.0',
          'ts59@npm:typescript@~5.9.0',
          'ts60@npm:typescript@~6.0.0',
          'ts70@npm:typescript@~7.0.0',
        ]);
        await app.write('program.ts', PROGRAM);
      });
      after(() => app.remove());

      // The oldest and the newest compiler see what differs between the SDKs.
      const compilers = sdk === '3.x' ? ['ts58', 'ts59', 'ts60', 'ts70'] : ['ts58', 'ts70'];
      for (const compiler of compilers) {
        for (const [resolution, module] of [
          ['node16', 'node16'],
          ['nodenext', 'nodenext'],
          ['bundler', 'esnext'],
        ] as const) {
          it(`type-checks with ${compiler} and ${resolution}`, async () => {
            const { code, out, err } = await app.run('node', [
              `node_modules/${compiler}/bin/tsc`,
              'program.ts',
              '--noEmit',
              '--strict',
              '--exactOptionalPropertyTypes',
              '--target',
              'es2022',
              '--lib',
              'es2023,esnext.disposable',
              '--types',
              'node',
              '--module',
              module,
              '--moduleResolution',
              resolution,
            ]);
            assert.equal(code, 0, `${out}${err}`);
          });
        }
      }
    });
  }

  describe('by its entries', () => {
    let app: UserApp;
    before(async () => (app = await installedApp(['@opentelemetry/sdk-metrics'])));
    after(() => app.remove());

    it('gives every promised name to import and to require', async () => {
      assert.deepEqual(
        Object.keys(manifest.exports).toSorted((a, b) => a.localeCompare(b)),
        [
          ...Object.keys(ENTRIES).map((name) => name.replace('otel-token-meter', '.')),
          './register',
          './config.schema.json',
          './package.json',
        ].toSorted((a, b) => a.localeCompare(b)),
      );
      for (const [entry, names] of Object.entries(ENTRIES)) {
        for (const load of [`await import('${entry}')`, `require('${entry}')`]) {
          const main = `const names = Object.keys(${load}); process.stdout.write(names.join(' '));`;
          const file = load.startsWith('await') ? 'entry.mjs' : 'entry.cjs';
          await app.write(file, main);
          const { code, out, err } = await app.run('node', [file]);
          assert.deepEqual([code, err], [0, ''], entry);
          const missing = names.filter((name) => !out.split(' ').includes(name));
          assert.deepEqual(missing, [], `${entry} by ${file}`);
        }
      }
    });

    it('hides everything else, and has no sources and no install script', async () => {
      await app.write('deep.mjs', `await import('otel-token-meter/dist/metering.js');`);
      const { code, err } = await app.run('node', ['deep.mjs']);
      assert.notEqual(code, 0);
      assert.match(err, /ERR_PACKAGE_PATH_NOT_EXPORTED/);
      for (const name of ['preinstall', 'install', 'postinstall', 'prepare']) {
        assert.ok(!(name in manifest.scripts), name);
      }
    });

    it('counts on the command line', async () => {
      const args = ['otel-token-meter', 'count', '--text', 'When is high tide?', '--json'];
      const { code, out } = await app.run('npx', args);
      assert.equal(code, 0);
      assert.partialDeepStrictEqual(JSON.parse(out), [{ model: 'gpt-4o', tokens: 5 }]);
    });
  });

  it('needs no build step of its users to be published as it is', () => {
    assert.equal(manifest.scripts['prepack'], 'npm run build', ROOT);
  });
});
