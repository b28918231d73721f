import { readFileSync } from 'node:fs';
import { quietly } from './quietly.ts';

/** The part of Bun used here (bun 1.4). */
interface Bun {
  resolveSync(specifier: string, parent: string): string;
  plugin(options: { readonly name: string; setup(build: PluginBuilder): void }): void;
}

interface PluginBuilder {
  onLoad(
    options: { readonly filter: RegExp },
    load: (file: { readonly path: string }) => { readonly loader: 'js'; readonly contents: string },
  ): void;
}

const LOADED = Symbol.for('otel-token-meter.loaded');
type OnLoaded = (name: string, moduleExports: unknown) => void;

export function bun(): Bun | undefined {
  return (globalThis as { readonly Bun?: Bun }).Bun;
}

/**
 * Bun has no hooks for `import`. A plugin appends one line to the entries of these packages, which
 * passes what they export to `onLoaded`, after they are evaluated. Only packages that the working
 * directory can import are seen; those that are loaded with `require` are seen without it.
 */
export function installBunPlugin(
  runtime: Bun,
  packages: readonly string[],
  onLoaded: OnLoaded,
): void {
  const names = new Map<string, string>();
  for (const name of packages) {
    try {
      names.set(runtime.resolveSync(name, process.cwd()), name);
    } catch {
      // Not installed.
    }
  }
  if (names.size === 0) return;
  (globalThis as { [LOADED]?: OnLoaded })[LOADED] = (name, moduleExports) =>
    quietly(`patching ${name}`, () => onLoaded(name, moduleExports));
  runtime.plugin({
    name: 'otel-token-meter',
    setup(build) {
      const filter = new RegExp(`^(?:${[...names.keys()].map(escaped).join('|')})$`);
      build.onLoad({ filter }, ({ path }) => {
        const source = readFileSync(path, 'utf8');
        const contents = `${source}\n${reporting(path, names.get(path) ?? '', source)}\n`;
        return { loader: 'js', contents };
      });
    },
  });
}

/** An ES module may import itself. */
function reporting(path: string, name: string, source: string): string {
  const call = (moduleExports: string): string =>
    `globalThis[Symbol.for('otel-token-meter.loaded')]?.(${JSON.stringify(name)}, ${moduleExports});`;
  if (!isEsModule(path, source)) return call('module.exports');
  return `import * as otelTokenMeterSelf from ${JSON.stringify(path)};\n${call('otelTokenMeterSelf')}`;
}

function isEsModule(path: string, source: string): boolean {
  if (/\.[cm]js$/.test(path)) return path.endsWith('.mjs');
  return /^\s*(?:import|export)\b(?!\s*\()/m.test(source);
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
}
