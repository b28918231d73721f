import { join } from 'node:path';

/**
 * `require` relative to this package or the bundle that contains it. A CommonJS bundle does not
 * know its location, so the working directory is used. `createRequire` is not imported: webpack
 * would replace it with its own, which resolves only bundled modules.
 */
export function requireHere(): NodeJS.Require {
  const here = import.meta.url as string | undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(here ?? join(process.cwd(), 'package.json'));
}
