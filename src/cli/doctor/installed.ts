import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  readonly folder: string;
  /** Entry point that the application gets when it imports the package. */
  readonly entry: string | undefined;
}

/** Resolves a package from `cwd` by Node's rules; `undefined` when it is not installed. */
export function installedPackage(cwd: string, name: string): InstalledPackage | undefined {
  const from = createRequire(join(cwd, 'package.json'));
  for (const folder of from.resolve.paths(name) ?? []) {
    try {
      const own = join(folder, ...name.split('/'));
      const text = readFileSync(join(own, 'package.json'), 'utf8');
      const { version } = JSON.parse(text) as { version?: string };
      return { name, version: version ?? 'unknown', folder: own, entry: entryOf(from, name) };
    } catch {
      continue;
    }
  }
  return undefined;
}

function entryOf(from: NodeJS.Require, name: string): string | undefined {
  try {
    return pathToFileURL(from.resolve(name)).href;
  } catch {
    return undefined;
  }
}
