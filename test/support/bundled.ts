import { build, type BuildOptions } from 'esbuild';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { childEnv } from './child-env.ts';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const run = promisify(execFile);

export interface BundleOptions {
  readonly format: 'esm' | 'cjs';
  readonly minify: boolean;
}

/** Bundles a program with everything it imports, runs the one file, and gives what it wrote to stdout. */
export async function runBundled(
  program: string,
  { format, minify }: BundleOptions,
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'token-meter-bundle-'));
  try {
    // The program is bundled where its packages are found, and run where none are.
    const outfile = join(folder, 'out', format === 'esm' ? 'app.mjs' : 'app.cjs');
    await writeFile(join(folder, 'app.mjs'), program);
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
    const options: BuildOptions = {
      entryPoints: [join(folder, 'app.mjs')],
      bundle: true,
      platform: 'node',
      conditions: ['otel-token-meter/source'],
      absWorkingDir: folder,
      alias: { 'otel-token-meter': join(ROOT, 'src/index.ts') },
      logLevel: 'silent',
      // As the published files have it.
      define: { __OTEL_TOKEN_METER_VERSION__: '"test"' },
      outfile,
      format,
      minify,
      // CommonJS inside an ES module asks for its require.
      ...(format === 'esm' && {
        banner: {
          js: "import { createRequire as __cr } from 'node:module'; const require = __cr(import.meta.url);",
        },
      }),
    };
    await build(options);
    await rm(join(folder, 'node_modules'));
    const { stdout } = await run(process.execPath, ['--no-warnings', outfile], {
      cwd: folder,
      env: childEnv(env),
      timeout: 60_000,
    });
    return stdout;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
