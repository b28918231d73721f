import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';

export interface InstalledPackages {
  /** As an `import` in the folder. */
  load(name: string): Promise<unknown>;
  remove(): Promise<void>;
}

/** Packages that the checkout is better without, for their size or their peers, in a temporary folder. */
export async function installPackages(packages: readonly string[]): Promise<InstalledPackages> {
  const folder = await mkdtemp(join(tmpdir(), 'token-meter-packages-'));
  const remove = async (): Promise<void> => await rm(folder, { recursive: true, force: true });
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  const options = ['--omit=optional', '--ignore-scripts', '--prefer-offline', '--no-audit'];
  try {
    await promisify(execFile)('npm', ['install', '--loglevel=error', ...options, ...packages], {
      cwd: folder,
    });
  } catch (error) {
    await remove();
    throw error;
  }
  const loader = join(folder, 'load.mjs');
  await writeFile(loader, 'export const load = (name) => import(name);\n');
  const { load } = (await import(pathToFileURL(loader).href)) as Pick<InstalledPackages, 'load'>;
  return { load, remove };
}
