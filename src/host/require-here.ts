import { join } from 'node:path';

/**
 * `require` of where this package, or the bundle it is in, stands. A bundle for CommonJS does not know
 * where that is: the working directory stands in. Not imported: webpack replaces a `createRequire` it
 * can see by its own, which knows only what is in the bundle.
 */
export function requireHere(): NodeJS.Require {
  const here = import.meta.url as string | undefined;
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(here ?? join(process.cwd(), 'package.json'));
}
