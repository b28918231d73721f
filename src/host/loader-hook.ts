import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { bun, installBunPlugin } from './bun-plugin.ts';
import { warnHost } from './host-warning.ts';
import { requireHere } from './require-here.ts';

/**
 * How ES module imports are intercepted: in this thread, in a loader thread, by a plugin of Bun, or by
 * another package's hook.
 */
export type LoaderHook = 'sync' | 'async' | 'bun' | 'foreign' | 'none';

const INSTALLED = Symbol.for('otel-token-meter.loader-hook');
const installed = globalThis as { [INSTALLED]?: LoaderHook };

/**
 * The part of import-in-the-middle used here. Its `register()` may be called only once per process.
 */
interface ImportInTheMiddle {
  createHook(meta: { readonly url: string }): {
    applyOptions(options: { shouldInclude(url: string, specifier: string): boolean }): void;
    readonly resolveSync: nodeModule.ResolveHookSync;
    readonly loadSync: nodeModule.LoadHookSync;
  };
  supportsSyncHooks(): boolean;
}

/**
 * Intercepts imports of these packages, once per process, even with several copies of this package.
 * Other modules are not wrapped: that costs time and breaks some of them. Uses a loader thread
 * where Node's in-thread hooks are not usable (before 22.22.3 and 24.11.1). `onLoaded` gets what a
 * plugin of Bun sees; hooks of Node report to the base class themselves. Never throws.
 */
export function installLoaderHook(
  packages: readonly string[],
  onLoaded: (name: string, moduleExports: unknown) => void = () => undefined,
): LoaderHook {
  installed[INSTALLED] ??= install([...packages], onLoaded);
  return installed[INSTALLED];
}

function install(
  include: readonly string[],
  onLoaded: (name: string, moduleExports: unknown) => void,
): LoaderHook {
  try {
    const runtime = bun();
    if (runtime !== undefined) {
      installBunPlugin(runtime, include, onLoaded);
      return 'bun';
    }
    // It has to be the copy that the base class uses. The build inlines the base class.
    const require = requireHere();
    const pathOf = (file: string): string => require.resolve(`import-in-the-middle/${file}`);
    const iitm = require(pathOf('create-hook.mjs')) as ImportInTheMiddle;
    if (iitm.supportsSyncHooks()) {
      const hook = iitm.createHook({ url: pathToFileURL(pathOf('hook.mjs')).href });
      const names = new Set(include);
      // Called for every import of the process. Matching a list in import-in-the-middle takes ten
      // times as long.
      hook.applyOptions({ shouldInclude: (_url, specifier) => names.has(specifier) });
      nodeModule.registerHooks({ resolve: hook.resolveSync, load: hook.loadSync });
      return 'sync';
    }
    // Two import-in-the-middle hooks in the same loader thread would warn, and wrap modules twice.
    if (hasForeignHook()) return 'foreign';
    if (isRequiredAtStart()) {
      warnHost(
        'TOKEN_METER_NO_HOOK',
        `${process.version} cannot intercept ES module imports after --require: use --import, or Node 22.22.3, 24.11.1 or newer`,
      );
      return 'none';
    }
    nodeModule.register(pathToFileURL(pathOf('hook.mjs')), { data: { include } });
    return 'async';
  } catch {
    // A bundle: nothing is imported, SDKs are passed to `instrument()`.
    return 'none';
  }
}

function hasForeignHook(): boolean {
  const start = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return /--(?:experimental-)?loader|auto-instrumentations-node\/register/.test(start);
}

/** Starting a loader thread while Node runs its `--require` files ends the process. */
function isRequiredAtStart(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  return stack.includes('loadPreloadModules');
}
