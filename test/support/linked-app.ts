import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

export interface LinkedApp {
  readonly folder: string;
  remove(): void;
}

/**
 * An application in a folder of its own, with this package from its sources. `packages` maps a package
 * to the folder that it is installed in, from the root of the project.
 */
export function linkedApp(
  files: Readonly<Record<string, string>>,
  packages: Readonly<Record<string, string>>,
): LinkedApp {
  const folder = mkdtempSync(join(tmpdir(), 'token-meter-linked-'));
  const links = { 'otel-token-meter': '.', ...packages };
  for (const [name, path] of Object.entries(links)) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(ROOT, path), link, 'dir');
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return { folder, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
