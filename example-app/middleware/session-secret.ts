import { randomBytes } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
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
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, randomBytes(32).toString('base64url'), { flag: 'wx', mode: 0o600 });
  } catch {
    // It is there already, or cannot be kept: then it is made at each start.
  }
  try {
    const kept = readFileSync(path, 'utf8').trim();
    if (kept.length >= MIN_LENGTH) return kept;
  } catch {
    // Made for this process only.
  }
  return randomBytes(32).toString('base64url');
}
