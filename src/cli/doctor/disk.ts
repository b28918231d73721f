import { constants } from 'node:fs';
import { access, statfs } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { messageOf, ok, problem, warning, type Finding } from './finding.ts';

const LOW_BYTES = 512 * 1024 * 1024;

/** Checks that a folder, or its nearest existing parent, is writable and has free space. */
export async function checkDisk(what: string, folder: string): Promise<Finding> {
  let existing = resolve(folder);
  while (
    !(await access(existing).then(
      () => true,
      () => false,
    ))
  ) {
    const above = dirname(existing);
    if (above === existing) break;
    existing = above;
  }
  try {
    await access(existing, constants.W_OK);
    const { bavail, bsize } = await statfs(existing);
    const free = bavail * bsize;
    const says = `${what} in ${folder}, ${Math.round(free / 2 ** 20)} MiB free`;
    return free < LOW_BYTES ? warning('disk', says) : ok('disk', says);
  } catch (error) {
    return problem('disk', `${what}: ${folder} is not writable: ${messageOf(error)}`);
  }
}
