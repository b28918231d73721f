import { readFileSync } from 'node:fs';

/**
 * Version of this package. The manifest is two folders up in the sources and three in the build.
 */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === 'otel-token-meter') return manifest.version ?? 'unknown';
    } catch {
      // It is at the other path.
    }
  }
  return 'unknown';
}
