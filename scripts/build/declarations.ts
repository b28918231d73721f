import { globSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { entries } from './entries.ts';

/** Removes declarations that no entry references, two thirds of the compiler's output. */
export function pruneDeclarations(directory: string): void {
  const needed = new Set<string>();
  const visit = (file: string): void => {
    if (needed.has(file)) return;
    needed.add(file);
    for (const [, specifier = ''] of readFileSync(file, 'utf8').matchAll(RELATIVE)) {
      visit(resolve(dirname(file), specifier.replace(/\.ts$/, '.d.ts')));
    }
  };
  for (const source of Object.values(entries())) {
    visit(join(directory, source.replace(/\.ts$/, '.d.ts')));
  }
  for (const file of globSync('**/*.d.ts', { cwd: directory })) {
    if (!needed.has(join(directory, file))) rmSync(join(directory, file));
  }
}

/** `from './x.ts'`, `import './x.ts'` and `import('./x.ts')`. */
const RELATIVE = /(?:\bfrom|\bimport)\s*\(?\s*['"](\.{1,2}\/[^'"]+)['"]/g;
