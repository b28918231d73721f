import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installedApp, type UserApp } from '../support/packed.ts';
import { chatPlain } from '../support/wire/openai-chat.ts';
import { startWireServer, type WireServer } from '../support/wire/wire-server.ts';

/** A call without reported usage, long enough for the counting thread. */
const PROGRAM = `
import OpenAI from 'openai';
import { flush, TokenMeterInstrumentation } from 'otel-token-meter';
import { countTokens } from 'otel-token-meter/tokens';

async function main() {
  const records = [];
  const instrumentation = new TokenMeterInstrumentation({ onUsage: (record) => records.push(record) });
  const patched = instrumentation.instrument('openai', OpenAI);
  const content = 'When is high tide? '.repeat(20000);
  await new OpenAI().chat.completions.create({ model: 'gpt-4o', messages: [{ role: 'user', content }] });
  await flush();
  console.log(JSON.stringify({
    patched,
    tokens: countTokens('When is high tide?', 'gpt-4o'),
    records: records.map(({ inputTokens, tokenSource, costUsd }) => ({ inputTokens, tokenSource, costUsd })),
  }));
}
main();
`;

/** 5 tokens 20,000 times, one for the last space, 7 of framing; the reply has 8. */
const INPUT = 100_008;

const BUILDS: Readonly<Record<string, string>> = {
  esbuild: `
import { build } from 'esbuild';
for (const [format, extension] of [['esm', '.mjs'], ['cjs', '.cjs']]) {
  await build({ entryPoints: ['program.mjs'], bundle: true, platform: 'node', format,
    outdir: 'out/esbuild', outExtension: { '.js': extension } });
}`,
  rollup: `
import { rollup } from 'rollup';
import commonjs from '@rollup/plugin-commonjs';
import json from '@rollup/plugin-json';
import resolve from '@rollup/plugin-node-resolve';
const bundle = await rollup({ input: 'program.mjs', plugins: [resolve({ exportConditions: ['node'] }), commonjs(), json()] });
for (const [format, extension] of [['es', '.mjs'], ['cjs', '.cjs']]) {
  await bundle.write({ dir: 'out/rollup', format, entryFileNames: '[name]' + extension, chunkFileNames: '[name]-[hash]' + extension });
}`,
  webpack: `
import webpack from 'webpack';
const compiler = webpack({ mode: 'development', devtool: false, target: 'node22', entry: './program.mjs',
  output: { path: process.cwd() + '/out/webpack', filename: 'program.cjs' } });
compiler.run((error, stats) => {
  const problems = stats?.toJson({ all: false, errors: true, warnings: true });
  console.log(JSON.stringify(problems));
  process.exitCode = error || stats.hasErrors() || stats.hasWarnings() ? 1 : 0;
});`,
};

const FORMATS: Readonly<Record<string, readonly string[]>> = {
  esbuild: ['.mjs', '.cjs'],
  rollup: ['.mjs', '.cjs'],
  webpack: ['.cjs'],
};

describe("a user's own bundle", function () {
  this.timeout(900_000);
  let app: UserApp;
  let wire: WireServer;
  let elsewhere: string;
  before(async () => {
    wire = await startWireServer();
    wire.play(chatPlain({ model: 'gpt-4o', usage: {}, streamUsage: {} }));
    elsewhere = await mkdtemp(join(tmpdir(), 'token-meter-moved-'));
    app = await installedApp([
      'openai@7',
      'esbuild@0.28',
      'rollup@4',
      '@rollup/plugin-commonjs',
      '@rollup/plugin-json',
      '@rollup/plugin-node-resolve',
      'webpack@5',
    ]);
    await app.write('program.mjs', PROGRAM);
    for (const [bundler, script] of Object.entries(BUILDS)) {
      await app.write(`build-${bundler}.mjs`, script);
      const { code, out, err } = await app.run('node', [`build-${bundler}.mjs`]);
      assert.equal(code, 0, `${bundler}: ${out}${err}`);
    }
    await cp(join(app.folder, 'out'), elsewhere, { recursive: true });
  });
  after(async () => {
    await app?.remove();
    await rm(elsewhere, { recursive: true, force: true });
    await wire?.close();
  });

  async function run(program: string, cwd: string): Promise<{ result: unknown; err: string }> {
    const env = { OPENAI_BASE_URL: wire.url, OPENAI_API_KEY: 'test' };
    // A shell, since `app.run` stands in the project.
    const { code, out, err } = await app.run('sh', ['-c', `cd '${cwd}' && node ${program}`], env);
    assert.equal(code, 0, err);
    return { result: JSON.parse(out), err };
  }

  for (const [bundler, formats] of Object.entries(FORMATS)) {
    for (const extension of formats) {
      const program = `${bundler}/program${extension}`;

      it(`of ${bundler} (${extension}) counts exactly, in the thread, beside node_modules`, async () => {
        const { result, err } = await run(`out/${program}`, app.folder);
        assert.deepEqual(result, {
          patched: true,
          tokens: 5,
          records: [{ inputTokens: INPUT, tokenSource: 'counted', costUsd: 0.2501 }],
        });
        assert.equal(err, '');
      });
    }
  }

  it('of webpack brings the token engine along', async () => {
    const { result, err } = await run('webpack/program.cjs', elsewhere);
    assert.partialDeepStrictEqual(result, {
      patched: true,
      tokens: 5,
      records: [{ inputTokens: INPUT, tokenSource: 'counted' }],
    });
    assert.equal(err, '');
  });

  for (const program of ['esbuild/program.mjs', 'esbuild/program.cjs', 'rollup/program.mjs']) {
    it(`${program} without node_modules marks its counts as estimated, and warns`, async () => {
      const { result, err } = await run(program, elsewhere);
      assert.partialDeepStrictEqual(result, {
        patched: true,
        records: [{ tokenSource: 'estimated' }],
      });
      assert.match(err, /Tokens are estimated by length/);
    });
  }

  it('of esbuild counts exactly anywhere with the data copied beside it', async () => {
    const data = join(app.folder, 'node_modules/otel-token-meter/dist/data');
    await cp(data, join(elsewhere, 'esbuild/data'), { recursive: true });
    const { result } = await run('esbuild/program.mjs', elsewhere);
    assert.partialDeepStrictEqual(result, {
      tokens: 5,
      records: [{ inputTokens: INPUT, tokenSource: 'counted' }],
    });
  });
});
