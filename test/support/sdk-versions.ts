import { createRequire, registerHooks } from 'node:module';
import { sep } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Install locations of SDK versions: the current one in the root, others in test/sdks. */
export type InstalledIn =
  | 'root'
  | 'previous'
  | 'ai-5'
  | 'openai-4'
  | 'openai-5'
  | 'openai-6'
  | 'openai-agents'
  | 'langgraph'
  | 'mcp';

function requireFrom(place: InstalledIn): NodeJS.Require {
  const base = place === 'root' ? '../../package.json' : `../sdks/${place}/package.json`;
  return createRequire(new URL(base, import.meta.url));
}

/** A new copy of the CommonJS build of a package, not patched by other tests. */
export function loadCjs(name: string, place: InstalledIn = 'root'): () => Promise<unknown> {
  return () => Promise.resolve(loadTogether([name], place)[0]);
}

/** New copies of several packages that use each other, or of several modules of one. */
export function loadTogether(
  names: readonly string[],
  place: InstalledIn = 'root',
): readonly unknown[] {
  const require = requireFrom(place);
  const folders = names.map((name) => packageFolder(require.resolve(name), packageOf(name)));
  const others = Object.entries(require.cache).filter(([file]) =>
    folders.some((folder) => file.startsWith(folder)),
  );
  for (const [file] of others) delete require.cache[file];
  const copies = names.map((name) => require(name) as unknown);
  for (const [file, module] of others) require.cache[file] = module;
  return copies;
}

/** Requires from the package's location, to get its versions of dependencies. */
export function requireInside(name: string, place: InstalledIn = 'root'): NodeJS.Require {
  return createRequire(requireFrom(place).resolve(name));
}

/** `@scope/package/inside` → `@scope/package`. */
function packageOf(name: string): string {
  return name.split('/', name.startsWith('@') ? 2 : 1).join('/');
}

const COPY = 'test-copy';
let copies = 0;

/** Modules of a copy get their siblings from the same copy. */
registerHooks({
  resolve(specifier, context, next) {
    const resolved = next(specifier, context);
    const copy = copyOf(context.parentURL);
    if (copy === undefined || !specifier.startsWith('.')) return resolved;
    return { ...resolved, url: `${resolved.url}?${COPY}=${copy}` };
  },
});

function copyOf(url: string | undefined): string | undefined {
  return url?.startsWith('file:') === true
    ? (new URL(url).searchParams.get(COPY) ?? undefined)
    : undefined;
}

/**
 * A new copy of the ESM build of a package. `file` is the path in the package if the entry point
 * does not resolve to it.
 */
export function loadEsm(file: string, place: InstalledIn = 'root'): () => Promise<unknown> {
  return async () => {
    const url =
      place === 'root' && !file.includes('.mjs')
        ? import.meta.resolve(file)
        : pathToFileURL(requireFrom(place).resolve(file)).href;
    copies += 1;
    return (await import(`${url}?${COPY}=${copies}`)) as unknown;
  };
}

function packageFolder(file: string, name: string): string {
  const inside = `${sep}node_modules${sep}${name.split('/').join(sep)}${sep}`;
  return file.slice(0, file.lastIndexOf(inside) + inside.length);
}
