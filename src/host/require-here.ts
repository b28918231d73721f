import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * `require` relative to this package or the bundle that contains it. A CommonJS bundle does not
 * know its location, so the working directory is used.
 */
export function requireHere(): NodeJS.Require {
  const here = import.meta.url as string | undefined;
  return createRequire(here ?? join(process.cwd(), 'package.json'));
}
