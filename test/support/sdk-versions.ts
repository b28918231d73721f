import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

/** Where versions of an SDK are installed: the current one at the root, others apart. */
export type InstalledIn = 'root' | 'previous' | 'ai-5' | 'openai-4' | 'openai-5' | 'openai-6';

function requireFrom(place: InstalledIn): NodeJS.Require {
  const base = place === 'root' ? '../../package.json' : `../sdks/${place}/package.json`;
  return createRequire(new URL(base, import.meta.url));
}

/** The CommonJS build of a package. */
export function loadCjs(name: string, place: InstalledIn = 'root'): () => Promise<unknown> {
  return () => Promise.resolve(requireFrom(place)(name) as unknown);
}

/** The ESM build of a package; `file` inside it where the entry point does not resolve to it. */
export function loadEsm(file: string, place: InstalledIn = 'root'): () => Promise<unknown> {
  return async () => {
    if (place === 'root' && !file.includes('.mjs')) return (await import(file)) as unknown;
    return (await import(pathToFileURL(requireFrom(place).resolve(file)).href)) as unknown;
  };
}
