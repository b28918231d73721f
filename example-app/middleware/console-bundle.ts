import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, type BuildResult, type Plugin, build, context, stop } from 'esbuild';
import { stringsIn } from '../strings/catalogue.ts';
import { type Language, languages } from '../strings/language.ts';
import { type StaticFile, compressed } from './static-files.ts';

const CONSOLE = fileURLToPath(new URL('../console/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
};

/** What browsers load: names hold a hash of their content, so that they are kept for good. */
export interface ConsoleBundle {
  /** By path. */
  readonly files: ReadonlyMap<string, StaticFile>;
  readonly style: string;
  /** Path of the script, which has the texts of one language. */
  readonly scripts: Readonly<Record<Language, string>>;
}

/** Bundled once for all applications of this process. */
let bundled: Promise<ConsoleBundle> | undefined;

export function consoleBundle(): Promise<ConsoleBundle> {
  return (bundled ??= build(bundleOptions()).then(bundleOf));
}

/** Bundles and compresses ahead, so that the first visitor waits for neither. */
export async function prepareConsole(): Promise<void> {
  const { files } = await consoleBundle();
  await stop();
  // In the background: the first visitor may still come before.
  for (const file of files.values()) void compressed(file, 'br');
}

/** Bundles with each change of a source, for those who develop the console. */
export async function watchConsole(): Promise<void> {
  const watching = await context({
    ...bundleOptions(),
    minify: false,
    sourcemap: 'inline',
    logLevel: 'warning',
    plugins: [
      languagesPlugin,
      {
        name: 'show',
        setup(plugin) {
          plugin.onEnd((result) => {
            if (result.errors.length > 0) return;
            bundled = Promise.resolve(bundleOf(result as BuildResult<{ write: false }>));
          });
        },
      },
    ],
  });
  await watching.watch();
}

/** One file for each language, and one of styles. */
function bundleOptions() {
  return {
    absWorkingDir: CONSOLE,
    entryPoints: ['styles/index.css', ...languages.map((language) => `console:${language}`)],
    entryNames: '[name].[hash]',
    outdir: '/assets',
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2023',
    minify: true,
    logLevel: 'silent',
    plugins: [languagesPlugin],
  } satisfies BuildOptions;
}

/** `console:en`: the console with the texts of a language, which come first. */
const languagesPlugin: Plugin = {
  name: 'languages',
  setup(plugin) {
    plugin.onResolve({ filter: /^(?:console|speak):/ }, ({ path }) => {
      const [namespace, language] = path.split(':');
      return { path: language!, namespace: namespace! };
    });
    plugin.onLoad({ filter: /./, namespace: 'console' }, ({ path: language }) => ({
      contents: `import 'speak:${language}'; import './main.tsx';`,
      resolveDir: CONSOLE,
    }));
    plugin.onLoad({ filter: /./, namespace: 'speak' }, ({ path }) => ({
      contents: `import { speak } from './texts.ts'; speak(${JSON.stringify(stringsIn(path as Language))});`,
      resolveDir: CONSOLE,
    }));
  },
};

function bundleOf({ outputFiles }: BuildResult<{ write: false }>): ConsoleBundle {
  const files = new Map(
    outputFiles.map(({ path, contents }) => {
      const name = basename(path);
      const type = TYPES[name.slice(name.lastIndexOf('.') + 1)] ?? 'application/octet-stream';
      return [`/assets/${name}`, { type, content: Buffer.from(contents), isImmutable: true }];
    }),
  );
  const pathOf = (name: RegExp): string => {
    const path = [...files.keys()].find((each) => name.test(each));
    if (path === undefined) throw new Error(`the console has no ${name.source}`);
    return path;
  };
  const scripts = languages.map((language) => [
    language,
    pathOf(new RegExp(`${language}\\.\\w+\\.js$`)),
  ]);
  return {
    files,
    style: pathOf(/\.css$/),
    scripts: Object.fromEntries(scripts) as Record<Language, string>,
  };
}
