import { createHash } from 'node:crypto';

/** What a note of an erasure has of the user: it must not keep his name. */
export function erasedUserDigest(user: string): string {
  return createHash('sha256').update(user).digest('hex');
}
