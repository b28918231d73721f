import { readFile } from 'node:fs/promises';
import { packageFile } from '../tokens/package-file.ts';

/** Publication dates of the tested versions, since the data contains no date. */
const PUBLISHED: Readonly<Record<string, string>> = { '0.1.8': '2026-09-23' };

/** Version of the installed list. `undefined` in a bundle, where the manifest cannot be located. */
export async function installedVersion(): Promise<string | undefined> {
  const file = packageFile('@pydantic/genai-prices', 'package.json');
  if (file === undefined) return undefined;
  const manifest: unknown = JSON.parse(await readFile(file, 'utf8').catch(() => '{}'));
  const version = (manifest as { version?: unknown }).version;
  return typeof version === 'string' ? version : undefined;
}

export function publicationDate(version: string | undefined): string | undefined {
  return PUBLISHED[version ?? ''];
}

/**
 * Whether the installed list is newer than one that was downloaded: published later, or, where its date is
 * unknown, installed later.
 */
export function isInstalledNewer(
  installed: string | undefined,
  file: { readonly retrieved: string; readonly package?: string },
): boolean {
  const published = publicationDate(installed);
  if (published !== undefined) return published > file.retrieved;
  return installed !== undefined && installed !== file.package;
}
