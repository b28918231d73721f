import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { entries, manifest, ROOT } from './entries.ts';

/** Part of the bundle: as packages of their own they are 100 files to find and read at every start. */
const INLINED: readonly string[] = ['@opentelemetry/instrumentation', '@opentelemetry/api-logs'];
/** Its ES modules; what `exports` has for Node is CommonJS. */
const YAML = join(ROOT, 'node_modules/yaml/browser/dist/index.js');

/**
 * One file an entry and chunks for what several share, so that state such as the metering in force is
 * there once. Not minified: stack traces of a user are read by people.
 */
export async function bundle(directory: string): Promise<Metafile> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: { ...entries() },
    outdir: directory,
    entryNames: '[name]',
    chunkNames: 'chunk-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.18',
    // The ES modules of OpenTelemetry, which leave out what is not used.
    mainFields: ['module', 'main'],
    define: { __OTEL_TOKEN_METER_VERSION__: JSON.stringify(manifest.version) },
    plugins: [packages, onDemand],
    sourcemap: true,
    // Names and lines for `--enable-source-maps`; the sources themselves are in the repository.
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/** A package is imported from where the user has it, unless it is inlined. */
const packages: Plugin = {
  name: 'packages',
  setup(esbuild) {
    esbuild.onResolve({ filter: /^[^./]/ }, ({ path, kind }) => {
      if (kind === 'entry-point') return undefined;
      if (path === 'yaml') return { path: YAML };
      const isInlined = INLINED.some((name) => path === name || path.startsWith(`${name}/`));
      return isInlined ? undefined : { external: true };
    });
  },
};

/**
 * `createRequire(import.meta.url)('yaml')` becomes a `require` of the bundler's: inlined, evaluated at the
 * first call, and part of a user's own bundle too.
 */
const onDemand: Plugin = {
  name: 'on demand',
  setup(esbuild) {
    esbuild.onLoad({ filter: /-on-demand\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, 'utf8').replaceAll('createRequire(import.meta.url)', 'require'),
      loader: 'ts',
    }));
  },
};
