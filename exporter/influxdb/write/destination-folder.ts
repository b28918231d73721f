import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ResolvedInfluxOptions } from '../influx-options.ts';

/** A destination as people know it, without a secret. */
export function describeInflux({
  url,
  org,
  bucket,
}: ResolvedInfluxOptions): Readonly<Record<string, string>> {
  return { url, bucket, ...(org !== undefined && { org }) };
}

/** Processes that write to the same place share a folder: they can take over each other's lines. */
export function destinationFolder(
  { url, org = '', bucket }: ResolvedInfluxOptions,
  { directory }: { readonly directory: string },
): string {
  const name = bucket.replaceAll(/[^A-Za-z0-9_-]+/g, '_').slice(0, 40);
  const hash = createHash('sha256').update([url, org, bucket].join('\n')).digest('hex');
  return join(directory, `${name}-${hash.slice(0, 8)}`);
}
