import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT: string = fileURLToPath(new URL('../../', import.meta.url));

interface Manifest {
  readonly version: string;
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
}

export const manifest = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/**
 * Output name without extension, and source: entries of `exports`, the CLI, and threads. All
 * outputs and their shared chunks are in `dist/`, so that paths relative to `import.meta.url` are
 * the same in each of them.
 */
export function entries(): Readonly<Record<string, string>> {
  const found: Record<string, string> = { cli: 'src/cli/main.ts' };
  for (const target of Object.values(manifest.exports)) {
    if (typeof target === 'string') continue;
    add(found, basename(target['default'] ?? '', '.js'), target['otel-token-meter/source'] ?? '');
  }
  for (const thread of globSync('{src,exporter}/*/*/*-thread.ts', { cwd: ROOT })) {
    add(found, basename(thread, '.ts'), thread);
  }
  return found;
}

function add(found: Record<string, string>, name: string, source: string): void {
  if (found[name] !== undefined)
    throw new Error(`${source} and ${found[name]} are both ${name}.js`);
  found[name] = source;
}
