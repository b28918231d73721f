import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import type { Page } from 'playwright-core';
import { stringsIn } from '../../example-app/strings/catalogue.ts';

const CONSOLE = fileURLToPath(new URL('../../example-app/console/', import.meta.url));
const bundles = new Map<string, Promise<string>>();

/** Runs an expression in a page, with the exports of these modules of the console at hand as `m`. */
export async function inConsole<T>(
  page: Page,
  modules: string | readonly string[],
  expression: string,
): Promise<T> {
  const names = [modules].flat();
  const key = names.join();
  const bundle = bundles.get(key) ?? bundled(names);
  bundles.set(key, bundle);
  return await page.evaluate<T>(`(() => { ${await bundle}; return (${expression}); })()`);
}

async function bundled(names: readonly string[]): Promise<string> {
  const { outputFiles } = await build({
    stdin: {
      contents: [
        "import { speak } from './texts.ts';",
        `speak(${JSON.stringify(stringsIn('en'))});`,
        ...names.map((name) => `export * from './${name}';`),
      ].join('\n'),
      resolveDir: CONSOLE,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    format: 'iife',
    globalName: 'm',
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  return outputFiles[0]!.text;
}
