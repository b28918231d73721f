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
    plugins: [hooks, packages, rewritten],
    sourcemap: true,
    // Names and lines for `--enable-source-maps`; the sources themselves are in the repository.
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * The base class listens to module loading through these. They are loaded by name at run time: the
 * loader hook must find the very same copy, and what a bundler has inlined cannot be seen loading.
 */
const HOOKS = /^(?:import|require)-in-the-middle$/;

const hooks: Plugin = {
  name: 'hooks',
  setup(esbuild) {
    esbuild.onResolve({ filter: HOOKS }, ({ path }) => ({ path, namespace: 'hook' }));
    esbuild.onLoad({ filter: HOOKS, namespace: 'hook' }, ({ path }) => ({
      resolveDir: join(ROOT, 'src/host'),
      contents: `
        import { requireHere } from './require-here.ts';
        class NoHook { unhook() {} }
        function load() {
          try {
            return requireHere()('${path}').Hook;
          } catch {
            return NoHook;
          }
        }
        export const Hook = load();
      `,
    }));
  },
};

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
 * What a compiler leaves alone. `createRequire(import.meta.url)('yaml')` becomes a `require` of the
 * bundler's: inlined, evaluated at the first call, and part of a user's own bundle too. The URL of a thread
 * leads to its entry in `dist/`.
 */
const rewritten: Plugin = {
  name: 'rewritten',
  setup(esbuild) {
    esbuild.onLoad({ filter: /[\\/](?:src|exporter)[\\/].*\.ts$/ }, ({ path }) => {
      let contents = readFileSync(path, 'utf8').replaceAll(
        /new URL\('\.\/([\w-]+)\.ts', /g,
        "new URL('./$1.js', ",
      );
      if (path.endsWith('-on-demand.ts')) {
        contents = contents.replaceAll('createRequire(import.meta.url)', 'require');
      }
      return { contents, loader: 'ts' };
    });
  },
};
