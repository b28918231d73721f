import { randomBytes, randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

const MIN_LENGTH = 32;

/**
 * The secret that signs sessions: `TOKEN_METER_SESSION_SECRET`, which the instances of a fleet share, or
 * one that is made once and kept in a file, so that a restart signs nobody out. Throws for a short one.
 */
export function sessionSecret(given: string | undefined, path: string): string {
  if (given !== undefined) {
    if (given.length >= MIN_LENGTH) return given;
    throw new Error(
      `TOKEN_METER_SESSION_SECRET is too short; allowed: ${MIN_LENGTH} characters or more`,
    );
  }
  const kept = read(path);
  if (kept !== undefined) return kept;
  const made = randomBytes(32).toString('base64url');
  keep(made, path);
  // Another process may have been faster. One that cannot be kept is for this process alone.
  return read(path) ?? made;
}

/** Whole or not at all, and never over one that is there. */
function keep(secret: string, path: string): void {
  const temporary = `${path}.${randomUUID()}.tmp`;
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(temporary, secret, { flag: 'wx', mode: 0o600 });
    linkSync(temporary, path);
  } catch {
    // It is there already, or the folder cannot be written.
  }
  rmSync(temporary, { force: true });
}

function read(path: string): string | undefined {
  try {
    const secret = readFileSync(path, 'utf8').trim();
    return secret.length >= MIN_LENGTH ? secret : undefined;
  } catch {
    return undefined;
  }
}
