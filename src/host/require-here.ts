import { join } from 'node:path';

/**
 * `require` relative to this package or the bundle that contains it. A CommonJS bundle does not
 * know its location, so the working directory is used. `createRequire` is not imported: webpack
 * would replace it with its own, which resolves only bundled modules.
 */
export function requireHere(): NodeJS.Require {
  return requireFrom((import.meta.url as string | undefined) ?? applicationFile());
}

/** `require` as the application in the working directory has it. */
export function requireOfApplication(): NodeJS.Require {
  return requireFrom(applicationFile());
}

function requireFrom(file: string): NodeJS.Require {
  const { createRequire } = process.getBuiltinModule('node:module');
  return createRequire(file);
}

function applicationFile(): string {
  return join(process.cwd(), 'package.json');
}
