import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { UsageRecord } from '../../src/index.ts';
import {
  ALL,
  assertRecords,
  ledgerRecords,
  MATRIX_PACKAGES,
  OF_AI_SDK,
  startProviders,
  type Providers,
} from '../support/application-matrix.ts';
import {
  application,
  bundledApplication,
  COMMON_JS,
  ESM,
  SDK_PACKAGES,
  telemetry,
  TYPE_SCRIPT,
  type Style,
  type Way,
} from '../support/application-programs.ts';
import { REGISTER } from '../support/documented-app.ts';
import { installedApp, type UserApp } from '../support/packed.ts';

const WAYS: readonly Way[] = ['preload', 'own SDK', 'both'];

/** Expected in each ledger of an application. */
interface Ledgers {
  readonly preload: readonly Partial<UsageRecord>[];
  readonly own: readonly Partial<UsageRecord>[];
}

describe('applications of every build', function () {
  this.timeout(900_000);
  let providers: Providers;
  let app: UserApp;
  let folder: string;
  let runs = 0;

  before(async () => {
    providers = await startProviders();
    folder = await mkdtemp(join(tmpdir(), 'token-meter-matrix-'));
    app = await installedApp([
      ...MATRIX_PACKAGES,
      'tsx@4',
      'esbuild@0.28',
      'rollup@4',
      '@rollup/plugin-commonjs',
      '@rollup/plugin-json',
      '@rollup/plugin-node-resolve',
    ]);
    for (const style of [ESM, COMMON_JS, TYPE_SCRIPT]) {
      await app.write(`app${style.extension}`, application(style));
      await app.write(`telemetry${style.extension}`, telemetry(style));
    }
    // A CommonJS bundle has no top-level await.
    await app.write('to-bundle.mjs', application({ ...ESM, main: COMMON_JS.main }));
    await app.write('with-own-sdk.mjs', bundledApplication());
  });
  after(async () => {
    await app?.remove();
    await rm(folder, { recursive: true, force: true });
    await providers?.close();
  });

  /** Runs `node`, with a ledger for the preload and one for the application's own SDK. */
  async function run(args: readonly string[], expected: Ledgers | 'either'): Promise<string> {
    runs += 1;
    const place = join(folder, `${runs}`);
    await mkdir(place);
    const ledgers = { preload: join(place, 'preload.db'), own: join(place, 'own.db') };
    providers.play();
    const { code, err } = await app.run('node', args, {
      ...providers.env,
      OWN_LEDGER: ledgers.own,
      TOKEN_METER_PROVIDER: 'sqlite',
      TOKEN_METER_SQLITE_PATH: ledgers.preload,
      TOKEN_METER_SETTINGS_STORE: 'memory',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_METRICS_EXPORTER: 'none',
    });
    assert.equal(code, 0, err);
    if (expected === 'either') {
      const all = await Promise.all(Object.values(ledgers).map(ledgerRecords));
      const byId = new Map(all.flat().map((record) => [record.id, record]));
      const inOrder = [...byId.values()].toSorted((a, b) => a.time.localeCompare(b.time));
      assertRecords(inOrder, ALL);
      return err;
    }
    for (const [name, path] of Object.entries(ledgers) as ['preload' | 'own', string][]) {
      if (expected[name].length > 0) assertRecords(await ledgerRecords(path), expected[name]);
      else await assert.rejects(ledgerRecords(path), name);
    }
    return err;
  }

  const ledgersOf = (way: Way): Ledgers => ({
    preload: way === 'own SDK' ? [] : ALL,
    own: way === 'preload' ? [] : ALL,
  });
  const preloads = (way: Way, telemetryFile: string): readonly string[] => [
    ...(way === 'own SDK' ? [] : REGISTER),
    ...(way === 'preload' ? [] : ['--import', `./${telemetryFile}`]),
  ];

  const STYLES: Readonly<Record<string, readonly [Style, readonly string[]]>> = {
    ESM: [ESM, []],
    CommonJS: [COMMON_JS, []],
    'TypeScript, types stripped by Node': [TYPE_SCRIPT, []],
    'TypeScript, by tsx': [TYPE_SCRIPT, ['--import', 'tsx']],
  };
  for (const [name, [style, node]] of Object.entries(STYLES)) {
    for (const way of WAYS) {
      it(`${name}: ${way}`, async () => {
        const file = `telemetry${style.extension}`;
        const args = [...node, ...preloads(way, file), `app${style.extension}`];
        assert.equal(await run(args, ledgersOf(way)), '');
      });
    }
  }

  interface Bundle {
    readonly input: 'to-bundle.mjs' | 'with-own-sdk.mjs';
    readonly external: readonly string[];
    readonly format: 'esm' | 'cjs';
  }

  async function esbuild({ input, external, format }: Bundle): Promise<string> {
    const file = `out-esbuild.${format === 'esm' ? 'mjs' : 'cjs'}`;
    const require = "import{createRequire as r}from'node:module';const require=r(import.meta.url);";
    const { code, err } = await app.run('npx', [
      'esbuild',
      input,
      '--bundle',
      '--minify',
      '--platform=node',
      `--format=${format}`,
      `--outfile=${file}`,
      '--log-level=error',
      ...external.flatMap((name) => [`--external:${name}`, `--external:${name}/*`]),
      ...(format === 'esm' ? [`--banner:js=${require}`] : []),
    ]);
    assert.equal(code, 0, err);
    return file;
  }

  async function rollup({ input, external, format }: Bundle): Promise<string> {
    const file = `out-rollup/main.${format === 'esm' ? 'mjs' : 'cjs'}`;
    await app.write(
      'rollup.mjs',
      `
import { rollup } from 'rollup';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
const names = ${JSON.stringify(external)};
const bundle = await rollup({
  input: '${input}',
  external: (id) => names.some((name) => id === name || id.startsWith(name + '/')),
  onwarn: () => undefined,
  plugins: [resolve({ exportConditions: ['node'], preferBuiltins: true }), commonjs(), json()],
});
await bundle.write({
  dir: 'out-rollup',
  format: '${format === 'esm' ? 'es' : 'cjs'}',
  entryFileNames: 'main.${format === 'esm' ? 'mjs' : 'cjs'}',
  chunkFileNames: '[name]-[hash].${format === 'esm' ? 'mjs' : 'cjs'}',
});
`,
    );
    const { code, err } = await app.run('node', ['rollup.mjs']);
    assert.equal(code, 0, err);
    return file;
  }

  const METER = ['otel-token-meter', '@opentelemetry/sdk-node', '@opentelemetry/api'];
  for (const [bundler, bundle] of Object.entries({ esbuild, rollup })) {
    for (const format of ['esm', 'cjs'] as const) {
      describe(`${bundler}, ${format}`, () => {
        describe('packages external', () => {
          let file: string;
          before(async () => {
            const external = [...METER, ...SDK_PACKAGES];
            file = await bundle({ input: 'to-bundle.mjs', external, format });
          });
          for (const way of WAYS) {
            it(way, async () => {
              const args = [...preloads(way, 'telemetry.mjs'), file];
              assert.equal(await run(args, ledgersOf(way)), '');
            });
          }
        });

        describe('SDKs inlined, otel-token-meter external', () => {
          let file: string;
          before(async () => {
            file = await bundle({ input: 'with-own-sdk.mjs', external: METER, format });
          });
          it('own SDK, by instrument()', async () => {
            assert.equal(await run([file], ledgersOf('own SDK')), '');
          });
          it('both, by instrument()', async () => {
            assert.equal(await run([...REGISTER, file], ledgersOf('both')), '');
          });
        });

        describe('everything inlined', () => {
          it('preload: only what needs no import, and a warning that names the cause', async () => {
            const external = ['@opentelemetry/sdk-node'];
            const file = await bundle({ input: 'to-bundle.mjs', external, format });
            const err = await run([...REGISTER, file], { preload: OF_AI_SDK, own: [] });
            for (const name of ['openai', '@aws-sdk/client-bedrock-runtime']) {
              assert.match(err, new RegExp(`TOKEN_METER_BUNDLED_SDK.* made with ${name},`));
            }
          });
          it('own SDK, by instrument(), and beside the preload a warning of two copies', async () => {
            const external = ['@opentelemetry/sdk-node'];
            const file = await bundle({ input: 'with-own-sdk.mjs', external, format });
            assert.equal(await run([file], ledgersOf('own SDK')), '');
            const err = await run([...REGISTER, file], 'either');
            assert.match(err, /TOKEN_METER_TWO_COPIES/);
          });
        });
      });
    }
  }
});
