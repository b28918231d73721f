import { readFileSync } from 'node:fs';

/** Version of this package. The manifest is two folders up from the source and three up from its build. */
export function packageVersion(): string {
  for (const path of ['../../package.json', '../../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (manifest.name === 'otel-token-meter') return manifest.version ?? 'unknown';
    } catch {
      // The other place has it.
    }
  }
  return 'unknown';
}
