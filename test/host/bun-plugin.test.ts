import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { installBunPlugin } from '../../src/host/bun-plugin.ts';

type Load = (file: { readonly path: string }) => { readonly contents: string };

/** What the plugin makes of a file is run by Node here; by Bun itself in test/slow/runtimes.test.ts. */
describe('the plugin of Bun', () => {
  let folder: string;
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'token-meter-bun-'))));
  afterEach(() => rmSync(folder, { recursive: true }));

  /** Installed packages are files of the folder. */
  function install(
    files: Readonly<Record<string, string>>,
    onLoaded: (name: string, moduleExports: unknown) => void,
  ): { readonly filter: RegExp; readonly load: Load } | undefined {
    let plugin: { filter: RegExp; load: Load } | undefined;
    const runtime = {
      resolveSync(name: string) {
        const file = files[name];
        if (file === undefined) throw new Error(`Cannot find module ${name}`);
        return join(folder, file);
      },
      plugin: ({ setup }: { readonly setup: (build: never) => void }) =>
        setup({
          onLoad: ({ filter }: { readonly filter: RegExp }, load: Load) =>
            (plugin = { filter, load }),
        } as never),
    };
    installBunPlugin(runtime, ['openai', 'groq-sdk', '@scope/some.sdk'], onLoaded);
    return plugin;
  }

  async function run(file: string, source: string): Promise<readonly unknown[]> {
    const loaded: unknown[] = [];
    const path = join(folder, file);
    writeFileSync(path, source);
    const plugin = install({ openai: file }, (name, { OpenAI }: any) => loaded.push(name, OpenAI));
    writeFileSync(path, plugin?.load({ path }).contents ?? '');
    if (file.endsWith('.mjs')) await import(pathToFileURL(path).href);
    else createRequire(path)(path);
    return loaded;
  }

  it('reports what an ES module exports, once it is evaluated', async () => {
    const source = 'export { a as OpenAI };\nconst a = 7; // the last line has no end';
    assert.deepEqual(await run('index.mjs', source), ['openai', 7]);
  });

  it('reports what a CommonJS module exports', async () => {
    assert.deepEqual(await run('index.cjs', 'exports.OpenAI = 8;'), ['openai', 8]);
    assert.deepEqual(await run('index.js', 'module.exports = { OpenAI: 9 };'), ['openai', 9]);
  });

  it('tells an ES module from a CommonJS one by its text', () => {
    const path = join(folder, 'esm.js');
    for (const [source, isEsm] of [
      ["export * from './client.js';", true],
      ["import './client.js';", true],
      ["'use strict';\nexports.a = 1;\nvoid import('./b.js');", false],
      ["const text = 'export default';\nmodule.exports = text;", false],
    ] as const) {
      writeFileSync(path, source);
      const plugin = install({ openai: 'esm.js' }, () => undefined);
      const { contents } = plugin?.load({ path }) ?? { contents: '' };
      assert.ok(contents.startsWith(source));
      assert.equal(/^import \* as \w+ from/m.test(contents), isEsm, source);
    }
  });

  it('touches only entries of installed packages', () => {
    const files = { openai: 'index.mjs', '@scope/some.sdk': 'some.sdk.mjs' };
    const plugin = install(files, () => undefined);
    const isTouched = (file: string): boolean => plugin?.filter.test(join(folder, file)) ?? false;
    assert.deepEqual(
      ['index.mjs', 'some.sdk.mjs', 'some-sdk.mjs', 'index.mjs.map', 'inside/index.mjs'].map(
        isTouched,
      ),
      [true, true, false, false, false],
    );
    assert.equal(
      install({}, () => undefined),
      undefined,
    );
  });

  it('lets a module load that cannot be patched', async () => {
    const path = join(folder, 'index.mjs');
    writeFileSync(path, 'export const a = 1;');
    const plugin = install({ openai: 'index.mjs' }, () => {
      throw new Error('patching failed');
    });
    writeFileSync(path, plugin?.load({ path }).contents ?? '');
    const { a } = (await import(pathToFileURL(path).href)) as { readonly a: number };
    assert.equal(a, 1);
  });
});
