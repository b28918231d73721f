import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { packageVersion } from '../../src/host/package-version.ts';
import { requireHere } from '../../src/host/require-here.ts';

/**
 * Starts a thread that does not keep the process alive. Neither preload flags nor NODE_OPTIONS reach it:
 * a host's `--import` would be run again.
 *
 * @param beside `() => new URL('./name-thread.ts', import.meta.url)`, which the build rewrites
 */
export function startThread(name: string, beside: () => URL, workerData: unknown): Worker {
  const { NODE_OPTIONS: _, ...env } = process.env;
  const worker = new Worker(threadFile(name, beside), {
    name: `token-meter ${name}`,
    workerData,
    env,
    // Deno refuses it, and does not warn.
    execArgv: 'deno' in process.versions ? [] : ['--disable-warning=ExperimentalWarning'],
  });
  worker.unref();
  return worker;
}

/** In a bundle it is that of the installed package, if this is of the same version. */
function threadFile(name: string, beside: () => URL): URL {
  // A CommonJS bundle does not know its place. A missing file fails in the thread, not here.
  const hasPlace = (import.meta.url as string | undefined) !== undefined;
  const file = hasPlace ? beside() : pathToFileURL(`${name}.js`);
  return existsSync(file) ? file : (installedFile(name) ?? file);
}

function installedFile(name: string): URL | undefined {
  try {
    const require = requireHere();
    const manifest = require.resolve('otel-token-meter/package.json');
    const { version } = require(manifest) as { readonly version?: unknown };
    const path = join(dirname(manifest), 'dist', `${name}.js`);
    return version === packageVersion() && existsSync(path) ? pathToFileURL(path) : undefined;
  } catch {
    return undefined;
  }
}
