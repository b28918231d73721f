import { createHash } from 'node:crypto';
import { join } from 'node:path';

/** Where an exporter writes to. */
export interface Destination {
  /** Readable part of the folder's name. */
  readonly name: string;
  /** What makes it the same place for two processes. */
  readonly identity: readonly string[];
  /** What it was before, where that has changed: lines may wait in its folder. */
  readonly formerIdentity?: readonly string[];
  /** For people, without a secret. */
  readonly description: Readonly<Record<string, string>>;
}

/** Where lines of the same destination may wait, written by an earlier release. */
export function formerFolder(
  { name, formerIdentity }: Destination,
  spool: { readonly directory: string },
): string | undefined {
  if (formerIdentity === undefined) return undefined;
  return destinationFolder({ name, identity: formerIdentity }, spool);
}

/** Processes that write to the same place share a folder: they can take over each other's lines. */
export function destinationFolder(
  { name, identity }: Pick<Destination, 'name' | 'identity'>,
  { directory }: { readonly directory: string },
): string {
  const readable = name.replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 40);
  const hash = createHash('sha256').update(identity.join('\n')).digest('hex');
  return join(directory, `${readable}-${hash.slice(0, 8)}`);
}
