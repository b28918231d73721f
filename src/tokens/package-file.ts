import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Put in by the build. */
declare const __OTEL_TOKEN_METER_VERSION__: string | undefined;

/**
 * A file of a package that is installed for the application, by its folder: a package need not export
 * its data.
 */
export function packageFile(packageName: string, file: string): string | undefined {
  return packageFolders(packageName)
    .map((folder) => join(folder, file))
    .find((path) => existsSync(path));
}

/**
 * A file of this package that does not stand where the running code does, since a bundler has moved the
 * code. Only of this very version: code and data belong together.
 */
export function ownFile(file: string): URL | undefined {
  const folder = packageFolders('otel-token-meter').find((path) => isThisVersion(path));
  const path = folder === undefined ? undefined : join(folder, file);
  return path !== undefined && existsSync(path) ? pathToFileURL(path) : undefined;
}

/**
 * Resolves by Node's rules from the working directory, then from the running code. Not by an imported
 * `createRequire`: webpack replaces one it can see by its own, which knows only what is in the bundle.
 */
export function nodeRequires(): readonly NodeJS.Require[] {
  // A bundle for CommonJS has no import.meta.url.
  const here = import.meta.url as string | undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  const fromDirectory = createRequire(join(process.cwd(), 'package.json'));
  return here === undefined ? [fromDirectory] : [fromDirectory, createRequire(here)];
}

function packageFolders(packageName: string): readonly string[] {
  return nodeRequires().flatMap((require) =>
    (require.resolve.paths(packageName) ?? []).map((folder) => join(folder, packageName)),
  );
}

function isThisVersion(folder: string): boolean {
  if (typeof __OTEL_TOKEN_METER_VERSION__ !== 'string') return false;
  try {
    const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
      readonly version?: unknown;
    };
    return manifest.version === __OTEL_TOKEN_METER_VERSION__;
  } catch {
    return false;
  }
}
