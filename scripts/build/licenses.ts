import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Metafile } from 'esbuild';
import { ROOT } from './entries.ts';

/** Licences of inlined packages, which require their inclusion. */
export function writeLicenses(inputs: Metafile['inputs'], file: string): void {
  const packages = new Set(
    Object.keys(inputs).flatMap(
      (input) => /^node_modules\/(?:@[^/]+\/)?[^/]+/.exec(input)?.[0] ?? [],
    ),
  );
  const texts = [...packages].toSorted().map((folder) => {
    const { name, version } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    ) as { readonly name: string; readonly version: string };
    const [license] = globSync('LICENSE*', { cwd: join(ROOT, folder), withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => entry.name);
    if (license === undefined) throw new Error(`${name} is inlined but has no licence file`);
    return `${name} ${version}\n\n${readFileSync(join(ROOT, folder, license), 'utf8').trim()}\n`;
  });
  writeFileSync(file, `Inlined packages\n\n${texts.join(`\n${'-'.repeat(80)}\n\n`)}`);
}
