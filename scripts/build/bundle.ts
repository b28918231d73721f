import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { entries, manifest, ROOT } from './entries.ts';

/** Packages that are inlined. Separately they are 100 files to resolve and read at every start. */
const INLINED: readonly string[] = [
  '@opentelemetry/instrumentation',
  '@opentelemetry/api-logs',
  'eventsource-parser',
];
/** The ES modules of the package; its `exports` for Node are CommonJS. */
const YAML = join(ROOT, 'node_modules/yaml/browser/dist/index.js');

/**
 * One file per entry, and chunks for shared modules, so that state such as the active metering
 * exists once. Not minified, to keep stack traces readable.
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
    // The ES modules of OpenTelemetry, for tree shaking.
    mainFields: ['module', 'main'],
    define: { __OTEL_TOKEN_METER_VERSION__: JSON.stringify(manifest.version) },
    plugins: [hooks, packages, rewritten],
    sourcemap: true,
    // Names and lines for `--enable-source-maps`, without source contents.
    sourcesContent: false,
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return metafile;
}

/**
 * The base class uses these packages to intercept module loading. They are loaded by name at run
 * time, because the loader hook has to use the same copy.
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

/** Packages that are not inlined are imported from the user's node_modules. */
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
 * Source transformations. `createRequire(import.meta.url)('yaml')` becomes a `require` that the
 * bundler inlines and evaluates on the first call, also in a user's bundle. URLs of threads are
 * changed to their entries in `dist/`.
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
