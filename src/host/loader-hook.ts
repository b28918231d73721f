import * as nodeModule from 'node:module';
import { pathToFileURL } from 'node:url';
import { warnHost } from './host-warning.ts';
import { requireHere } from './require-here.ts';

/** How ES module imports are seen: in this thread, by a loader thread, by somebody else's hook. */
export type LoaderHook = 'sync' | 'async' | 'foreign' | 'none';

const INSTALLED = Symbol.for('otel-token-meter.loader-hook');
const installed = globalThis as { [INSTALLED]?: LoaderHook };

/** What is used of import-in-the-middle; its own `register()` can be called once a process only. */
interface ImportInTheMiddle {
  createHook(meta: { readonly url: string }): {
    applyOptions(options: { shouldInclude(url: string, specifier: string): boolean }): void;
    readonly resolveSync: nodeModule.ResolveHookSync;
    readonly loadSync: nodeModule.LoadHookSync;
  };
  supportsSyncHooks(): boolean;
}

/**
 * Makes imports of these packages visible to the patches, once a process, whatever copy of this
 * package asks. Only these: wrapping every module costs time and breaks some of them. Where Node's
 * in-thread hooks cannot be used (before 22.22.3 and 24.11.1) a loader thread does it. Never throws.
 */
export function installLoaderHook(packages: readonly string[]): LoaderHook {
  installed[INSTALLED] ??= install([...packages]);
  return installed[INSTALLED];
}

function install(include: readonly string[]): LoaderHook {
  try {
    // The copy that the base class listens to: the build inlines the base class into this package.
    const require = requireHere();
    const pathOf = (file: string): string => require.resolve(`import-in-the-middle/${file}`);
    const iitm = require(pathOf('create-hook.mjs')) as ImportInTheMiddle;
    if (iitm.supportsSyncHooks()) {
      const hook = iitm.createHook({ url: pathToFileURL(pathOf('hook.mjs')).href });
      const names = new Set(include);
      // Asked for every import of the process; its own matching of a list takes ten times as long.
      hook.applyOptions({ shouldInclude: (_url, specifier) => names.has(specifier) });
      nodeModule.registerHooks({ resolve: hook.resolveSync, load: hook.loadSync });
      return 'sync';
    }
    // Two hooks of import-in-the-middle in the one loader thread would warn and wrap twice.
    if (hasForeignHook()) return 'foreign';
    if (isRequiredAtStart()) {
      warnHost(
        'TOKEN_METER_NO_HOOK',
        `${process.version} sees no ES module imports after --require: use --import, or Node 22.22.3, 24.11.1 or newer`,
      );
      return 'none';
    }
    nodeModule.register(pathToFileURL(pathOf('hook.mjs')), { data: { include } });
    return 'async';
  } catch {
    // A bundle: there is nothing to import, `instrument()` takes the SDKs by hand.
    return 'none';
  }
}

function hasForeignHook(): boolean {
  const start = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ');
  return /--(?:experimental-)?loader|auto-instrumentations-node\/register/.test(start);
}

/** A loader thread started while Node works through its `--require` files ends the process. */
function isRequiredAtStart(): boolean {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 200;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = stackTraceLimit;
  return stack.includes('loadPreloadModules');
}
