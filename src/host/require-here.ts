import { createRequire } from 'node:module';
import { join } from 'node:path';

/**
 * `require` of where this package, or the bundle it is in, stands. A bundle for CommonJS does not know
 * where that is: the working directory stands in.
 */
export function requireHere(): NodeJS.Require {
  const here = import.meta.url as string | undefined;
  return createRequire(here ?? join(process.cwd(), 'package.json'));
}
