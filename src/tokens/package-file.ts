import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
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

function packageFolders(packageName: string): readonly string[] {
  // A bundle for CommonJS has no import.meta.url.
  const here = import.meta.url as string | undefined;
  const origins = [pathToFileURL(join(process.cwd(), 'package.json')).href, here];
  return origins.flatMap((origin) =>
    origin === undefined
      ? []
      : (createRequire(origin).resolve.paths(packageName) ?? []).map((folder) =>
          join(folder, packageName),
        ),
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
